"""OZ0xx: the file cannot be read, or is not the kind of YAML that we take."""

from __future__ import annotations

from ozone_gen.diagnostics.codes.base import Code


class UnreadableFile(Code):
    """The file is not there, is a folder, or may not be read.

    Nothing can be said about what is in it. Check the path's spelling and the file's permissions; a path is
    relative to the folder in which the command runs.
    """

    id = "OZ001"


class NotUtf8(Code):
    """The file is not UTF-8 text.

    Names and texts of many languages stand in these files, so their encoding is fixed: UTF-8. Some editors
    save as UTF-16 or Latin-1 unless told otherwise. Save the file again as UTF-8; a byte order mark does no
    harm.
    """

    id = "OZ002"


class YamlSyntax(Code):
    """The file is not valid YAML.

    The finding says where reading stopped, which may be some lines after the cause: a missing quote or a
    wrong indentation above it. What most often goes wrong:

    - Tabs in the indentation: YAML allows spaces only.
    - A value with `: ` or ` #` in it, or one that starts with `@`, `` ` ``, `%`, `*`, `&`, `!`, `{` or `[`,
      needs
      quotes.
    - Inside `{ }` and `[ ]` a variable needs quotes: `{password: "${DB_PASSWORD}"}`.
    - Keys of one mapping stand exactly below each other.
    """

    id = "OZ003"


class DuplicateKey(Code):
    """A key stands twice in one mapping.

    Most YAML readers silently take the last one, so that a table or a setting vanishes without a trace.
    Rename one of the two, or remove it.
    """

    id = "OZ004"


class NotAMapping(Code):
    """The file is empty, or its top level is a list or a single value.

    An ozone.yaml is a mapping of keys such as `version`, `site` and `sources`. Start from one of the
    examples.
    """

    id = "OZ005"


class FileTooComplex(Code):
    """The file is too large, too deeply nested, or its anchors and aliases unfold into too much.

    No site needs that much; such files come from a mistake, or from someone who wants to make the tool hang.
    An alias that contains itself is refused too. Split the file into several sites, or write the aliases out.
    """

    id = "OZ006"


class SeveralDocuments(Code):
    """The file holds more than one YAML document.

    A second `---` starts a new document, and it would not be clear which of them is meant. Keep one site to
    one file; `ozone-gen` takes several files at once.
    """

    id = "OZ007"


class NumberOutOfRange(Code):
    """A number is too large, or is infinite or not a number (`.inf`, `.nan`).

    Integers are limited to 64 bits, as in the databases that they go to. Put quotes around it where a text is
    meant, such as a code or an identifier of many digits.
    """

    id = "OZ008"


class UnsupportedTag(Code):
    """A value has a YAML tag, such as `!!python/object` or `!secret`.

    Tags let some readers run code or read other files, and others ignore them, so none is accepted. Remove
    the tag; put quotes around a value to make it a text.
    """

    id = "OZ009"


class KeyNotText(Code):
    """A key is a number, `true`, `null`, a list or a mapping instead of a text.

    YAML reads an unquoted `1` or `true` as a number or a boolean, also where it is a key. Put quotes around
    it: `"1": ...`.
    """

    id = "OZ010"


class MergeKey(Code):
    """A mapping uses the merge key `<<`.

    It is no part of YAML 1.2, readers disagree on what it does with lists and with keys that are there
    already, and a finding could not say which of the merged places it is about. Write the keys out, or give
    the whole value an anchor (`&name`) and use it elsewhere with an alias (`*name`).
    """

    id = "OZ011"


class BadExtends(Code):
    """`extends` or `without` has not the form that it must have.

    `extends` is the path of a file, or a list of paths, seen from the file that says it. `without` is a list of what
    that file has and this one does not, such as `[flattening.tables.anc, components.superset]`.
    """

    id = "OZ012"


class ExtendsInACircle(Code):
    """A file extends itself, directly or by way of others.

    What a file means would depend on what it means. Let one of the files of the circle extend nothing; what they all
    share can stand in a further one.
    """

    id = "OZ013"


class NoSuchBase(Code):
    """The file that is extended is not there.

    Its path is seen from the folder of the file that says `extends`, not from where the command runs.
    """

    id = "OZ014"


class MergeChangesType(Code):
    """A key is a mapping in one of the merged files and something else in the other.

    Mappings are merged key by key and other values replaced, so one of the two is hardly what was meant. Write both in
    the same form. Where it is meant, leave the key out of the base with `without`.
    """

    id = "OZ015"


class NothingToLeaveOut(Code):
    """`without` names something that the extended file does not have.

    Either it has another name there, or it is gone from there and need not be left out any more.
    """

    id = "OZ016"

"""OZ1xx: a value has not the shape that its place asks for."""

from __future__ import annotations

from ozone_gen.diagnostics.codes.base import Code
from ozone_gen.diagnostics.model import Severity


class UnknownKey(Code):
    """A key is not known at its place.

    Unknown keys are errors, not ignored: a misspelt setting that silently does nothing is found only when it
    is missed. Correct the spelling, or move the key to where it belongs; the hint names the closest known
    key.
    """

    id = "OZ101"


class MissingKey(Code):
    """A key that has no default is missing.

    Add it. `ozone-gen schema` prints the keys of every place, and an editor that reads the schema offers
    them.
    """

    id = "OZ102"


class WrongType(Code):
    """A value is of the wrong type, such as a text where a number or a list is expected.

    YAML takes the type of a value without quotes from its look: `2.10` is the number 2.1, `"2.10"` is a text,
    and `yes` is a text in YAML 1.2. Add or remove quotes, or use `true` and `false`.
    """

    id = "OZ103"


class ValueNotAllowed(Code):
    """A value has the right type but is none of those that its place takes.

    The finding says which are taken: a list of words, a range of numbers, or a form.
    """

    id = "OZ104"


class BadName(Code):
    """A name cannot be used where it goes: in SQL, in a file name, or in the name of a container.

    Names of sites, sources, tables and columns become names of files, database tables, Kafka topics and
    services. So they are short and plain: lower-case letters, digits and underscores or hyphens as the
    finding says.
    """

    id = "OZ105"


class BadConceptReference(Code):
    """A concept is not named in a way that can be looked up.

    A concept is named by its uuid (36 characters, or 38 in old dictionaries) or by a mapping, `SOURCE:CODE`
    such as `CIEL:5089`. A name in one language is no safe reference, and neither is a concept's id, which
    differs from database to database.
    """

    id = "OZ106"


class BadVariableReference(Code):
    """A reference to an environment variable is malformed.

    The only form is `${NAME}`: a capital letter or an underscore, then capital letters, digits and
    underscores. Docker Compose's other forms (`$NAME`, `${NAME:-default}`) are not taken, since the value
    does not go to Compose alone.
    """

    id = "OZ107"


class UnsupportedVersion(Code):
    """The file is of a version that this ozone-gen does not read.

    `version` is the version of the file's format, not of a site's configuration. This ozone-gen reads version
    1; for a newer one, upgrade ozone-gen.
    """

    id = "OZ108"


class LiteralPassword(Code):
    """A password stands in the file as such.

    The file is meant to be committed and reviewed, and the rendered files carry what stands in it. Write a
    reference instead, such as `"${OPENMRS_DB_PASSWORD}"`, and give the value in the environment or in `.env`
    beside the rendered files. If the file was ever shared, change the password too.
    """

    id = "OZ109"
    severity = Severity.WARNING

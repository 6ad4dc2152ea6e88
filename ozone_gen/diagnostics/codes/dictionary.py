"""OZ04x: the dictionary of a site cannot be had from a file or a server."""

from __future__ import annotations

from ozone_gen.diagnostics.codes.base import Code


class NotADictionary(Code):
    """The file is not a dictionary that `ozone-gen dictionary` wrote.

    It is another file, was cut off or edited, or lacks something that every dictionary has. Export it again
    where the database can be reached: `ozone-gen dictionary ozone.yaml -o dictionary.json.gz`. A SQL dump is
    given by `--dump`.
    """

    id = "OZ041"


class UnsupportedDictionaryVersion(Code):
    """The dictionary was exported by a newer ozone-gen, in a format that this one does not know.

    Use that version or a newer one, or export the dictionary again with this one.
    """

    id = "OZ042"


class DatabaseUnreachable(Code):
    """The source database does not answer, or does not let this user in.

    ozone.yaml says how containers reach it; from this machine it may have another name: `--host`, `--port` and
    `--user` override that. The password is taken from the variable that ozone.yaml names, never from the command
    line. The user needs SELECT on the tables of the dictionary, nothing more. Where the database cannot be
    reached at all, use a dump of it (`--dump`) or an exported dictionary (`--dictionary`).
    """

    id = "OZ043"


class MissingPassword(Code):
    """The variable with the source database's password is not set.

    ozone.yaml names a variable, such as `${OPENMRS_DB_PASSWORD}`, so that no password stands in a file. To read
    the dictionary from the database, export it in the shell first. The same holds for a host or a user that is
    given as a variable; those can be said by `--host` and `--user`, too.
    """

    id = "OZ044"

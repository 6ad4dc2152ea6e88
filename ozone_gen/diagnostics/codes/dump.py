"""OZ02x: a SQL dump of a source database cannot be read, or has not what is needed."""

from __future__ import annotations

from ozone_gen.diagnostics.codes.base import Code
from ozone_gen.diagnostics.model import Severity


class NotADump(Code):
    """The file is not a SQL dump of a MariaDB or MySQL database.

    `--dump` reads what `mysqldump` and `mariadb-dump` write, plain or compressed by gzip. It does
    not read dumps of PostgreSQL, CSV or tab-separated exports, folders of data files, or backups by other
    tools. Make one with `mariadb-dump --single-transaction --result-file=openmrs.sql openmrs`. (In
    PowerShell `>` writes UTF-16: use `--result-file` there.)
    """

    id = "OZ021"


class TruncatedDump(Code):
    """The dump ends too early.

    A complete dump ends after a whole statement and, unless its comments were left out, says `Dump
    completed`. A lost connection, a full disk or an interrupted copy leaves a part that looks like a
    smaller database, so nothing is made of it. Dump or copy again, and look at what mysqldump prints.
    """

    id = "OZ022"


class MissingSourceTable(Code):
    """The dump lacks a table that the flattened tables or the dictionary need.

    Either it is not a dump of an OpenMRS database, or some tables were left out when it was made. Dump the
    whole database; the finding names the tables that are needed.
    """

    id = "OZ023"


class MissingSourceColumn(Code):
    """A table of the dump lacks a column that every supported OpenMRS platform has.

    The database is of an older OpenMRS than 2.0, or was changed by hand, or is another one with a table of
    the same name. The finding points at the table's CREATE TABLE.
    """

    id = "OZ024"


class AmbiguousDatabase(Code):
    """The dump holds several databases that could be the OpenMRS one.

    A dump made with `--databases` or `--all-databases` may hold several OpenMRS databases. Dump one of them
    alone, or name the wanted one as the source's `database` in ozone.yaml.
    """

    id = "OZ025"


class BadDumpRow(Code):
    """A statement of the dump cannot be read.

    What stands at this line is not what `mysqldump` and `mariadb-dump` write: the file may have been
    edited, or have lost a piece in its middle, or a row may hold a value that its column cannot have.
    """

    id = "OZ026"


class DamagedText(Code):
    """Some text of the dump is not in the character set that the dump declares.

    Such bytes are shown as U+FFFD, the replacement character, in the preview. The database holds text in a
    different encoding than its columns say, or the dump was converted afterwards. The finding names the rows.
    """

    id = "OZ027"
    severity = Severity.WARNING


class NoObservations(Code):
    """The database holds no observations, so no table can be suggested from them.

    `suggest` counts the observations that are not voided. A database that was just set up has none, nor has a
    dump that left the table's rows out (`--no-data`, `--ignore-table-data`). Take a dump of a database in use. From
    an exported dictionary it takes the sets, such as laboratory panels; one without sets gives nothing.
    """

    id = "OZ028"

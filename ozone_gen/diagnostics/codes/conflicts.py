"""OZ3xx: two values are each right, but not together."""

from __future__ import annotations

from ozone_gen.diagnostics.codes.base import Code
from ozone_gen.diagnostics.model import Severity


class DuplicateName(Code):
    """Two things that need different names have one and the same.

    Two tables of one name would write into each other, as would two columns, or a column and one of the key
    columns that every table of its grain has by itself. Names that differ only in case count as the same.
    Rename one of the two.
    """

    id = "OZ301"


class PortConflict(Code):
    """Two services would publish the same port of the machine.

    The second one could not start. Give one of them another port, or close it.
    """

    id = "OZ302"


class ReservedName(Code):
    """A name is one that PostgreSQL, Flink, the database server or ozone-gen keeps for itself.

    Every PostgreSQL table has columns such as `ctid` and `xmin`, the schemas `pg_...` and
    `information_schema` are its own, words such as `order` and `user` are of its SQL, and `ozone_gen` and `sink`
    are ours. Choose another name.
    """

    id = "OZ303"


class RepeatedEntry(Code):
    """A list has the same entry twice.

    The second one says nothing; often another entry was meant. Remove it, or correct it.
    """

    id = "OZ304"


class WrongDatatype(Code):
    """A concept's datatype cannot give what its column is to hold.

    A Numeric concept's observations are numbers, those of a Coded one are answers: neither can become a
    date. The hint says what the concept can be read as. Concepts of datatype N/A have no values, and stand
    in answers and groups only.
    """

    id = "OZ305"


class RepeatNotPossible(Code):
    """A column's `repeat` makes no sense for what it holds.

    Numbers can be added up, texts cannot; coded answers have no smallest one. The hint lists what is
    possible.
    """

    id = "OZ306"


class ValueNotPossible(Code):
    """`value` is set for a column that does not hold coded answers.

    It says how an answer, which is itself a concept, is written: by its name or its uuid. Numbers, texts,
    dates and booleans have only one way. Remove it, or read the concept as `coded`.
    """

    id = "OZ307"


class BundledAddress(Code):
    """A bundled database is said to be somewhere else.

    With `demo`, the site runs its OpenMRS database itself, as `mysql` on port 3306 inside its own network;
    with the sink's host `postgresql` it runs the analytics database, on port 5432. These addresses are
    fixed. Ports on the host are set under `ports`.
    """

    id = "OZ308"


class VariableConflict(Code):
    """A variable is used that already overrides another setting when the site starts.

    `CONNECT_MYSQL_HOSTNAME`, `ANALYTICS_DB_PASSWORD` and the like override one setting each, whatever
    ozone.yaml says. Using one of them for another setting would tie the two together. Use a variable of
    another name.
    """

    id = "OZ309"


class SeveralSources(Code):
    """The file names several sources.

    This ozone-gen flattens one OpenMRS database for each site. Make one ozone.yaml for each; they can write
    into one analytics database, each with its own `sink.schema`.
    """

    id = "OZ310"


class NothingToFlatten(Code):
    """No table is asked for.

    A site without flattened tables would run for nothing. List core tables under `flattening.core` (or write
    `all`), or declare a table under `flattening.tables`.
    """

    id = "OZ311"


class SameOutputFolder(Code):
    """Two files would be rendered into one folder.

    With several files each site gets the folder of its id, so ids have to differ. Change the
    id of one site, or render them one by one into folders of your choice.
    """

    id = "OZ312"


class NoBundledDatabase(Code):
    """The source's host is `mysql`, but the site has no bundled database of that name.

    `mysql` is the database that a site with `demo` runs. Without `demo` nothing answers there, unless
    `CONNECT_MYSQL_HOSTNAME` names another host when the site starts. Set `host` to the clinic's database,
    or add `demo`.
    """

    id = "OZ313"
    severity = Severity.WARNING


class LoopbackHost(Code):
    """A database's host is the machine itself, as seen from inside a container.

    `localhost` and `127.0.0.1` are, for a program in a container, that container; no database runs there.
    Use the name or the address under which other machines reach the database. (With Docker Desktop
    `host.docker.internal` is the machine.)
    """

    id = "OZ314"


class AnswersNotPossible(Code):
    """`answers` or `answer` is set beside something that it excludes, or for a column without coded answers.

    `answers: list` writes each answer of a question that takes several once; `answer: CONCEPT` makes a boolean of
    one answer. Both decide what becomes of several observations, so `repeat` cannot be said beside them. Remove
    one of the two, or declare a second column.
    """

    id = "OZ315"


class FilterNotPossible(Code):
    """A table has a filter that its rows cannot be chosen by.

    `group` chooses the groups of `rows: obs_group`, and `concepts` the observations of `rows: obs`. A table of
    another grain reads observations by its columns.
    """

    id = "OZ316"


class RenameNotPossible(Code):
    """`renamed_from` names something that is still there, or that something else was renamed from, too.

    It says under which name a table or column stood in the sink before, so that rights and views go with it to
    the new name. One thing cannot go to two names, and a name that is still in use has kept its own. (Two names
    are exchanged in two steps.) A `renamed_from` that has done its work may stay or be removed.
    """

    id = "OZ317"


class MissingPart(Code):
    """A part of the site stands on another one that the file does not ask for.

    A file without `sources` is that of a central server, which needs `drill` to read what the sites export, and
    `drill` needs an `object_store` that holds it. What flattens or exports a database needs a source. Add what is
    missing, or remove what needs it.
    """

    id = "OZ318"


class SharedByTwoSites(Code):
    """Two sites of a fleet claim one thing that each must have for itself.

    The id names a site's folder, its Compose project and its exports; the location tag tells the exports of sites
    apart on the central server; two replicas of one number throw each other off the same database server. `validate`
    with all files of the fleet finds it. Change one of the two.
    """

    id = "OZ319"

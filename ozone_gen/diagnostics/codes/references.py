"""OZ2xx: a name refers to something that is not there."""

from __future__ import annotations

from ozone_gen.diagnostics.codes.base import Code
from ozone_gen.diagnostics.model import Severity


class UnknownReference(Code):
    """A name refers to something that the file does not define, such as a table's `source`.

    The hint names what is defined there and close in spelling. Correct the name, or define what it refers to.
    """

    id = "OZ201"


class UnknownConcept(Code):
    """The dictionary has no concept of this uuid or code.

    The column would stay empty for ever. A concept is found by its uuid, or by `SOURCE:CODE` where the
    dictionary maps it as SAME-AS to that code. The hint names concepts that are close in spelling; the
    site's dictionary may also lack the mapping, or be an older edition.
    """

    id = "OZ202"


class AmbiguousConcept(Code):
    """A code stands for several concepts of the dictionary.

    Which of them is meant cannot be told, and their values would get mixed. Refer to the concept by its
    uuid, or by a code of another source that only it has.
    """

    id = "OZ203"


class UnknownName(Code):
    """The dictionary has no encounter type, visit type, form, location or concept source of this name.

    The table or column would stay empty for ever. Names count letter by letter, capitals and spaces included; a
    uuid, which can stand for all but a concept source, does not change when somebody renames the thing.
    """

    id = "OZ204"


class UnknownTimezone(Code):
    """The time zone is not one of the IANA database.

    Time zones have names such as `Africa/Nairobi`, of a place and not of a country or an offset. Capitals
    count.
    """

    id = "OZ205"


class UnknownDatatype(Code):
    """Nothing says what a column holds.

    The type of a column follows from its concept's datatype, which is known only where a dictionary is at
    hand: a site with demo data has one. For a site of its own database, say it: `{concept: CIEL:5089, type:
    numeric}`.
    """

    id = "OZ206"


class AnswerNotOffered(Code):
    """A column asks for an answer that its question does not offer.

    The dictionary lists the answers of a coded question. An answer beside them can stand in old observations, or
    after an import, but as a rule another concept was meant, and the column will say false for ever.
    """

    id = "OZ207"
    severity = Severity.WARNING


class RetiredReference(Code):
    """A concept, form or the like is retired in the dictionary.

    Nobody is to use it any more, but what was recorded with it is still there and is read. Where another one took
    its place, new data come with that one: refer to it, too.
    """

    id = "OZ208"
    severity = Severity.WARNING


class UnknownFormerName(Code):
    """`renamed_from` names something that the rendered site does not have.

    So nothing is taken along from there: the table or column is a new one. Correct the name if it is misspelt;
    remove `renamed_from` if the rename is over, or was never carried out.
    """

    id = "OZ209"
    severity = Severity.WARNING


class NotInPlatform(Code):
    """A core table is made of a table that this version of OpenMRS does not have.

    Conditions and diagnoses have tables of their own since OpenMRS 2.2; before, they were observations or a
    module's. `core: all` takes only the tables that the version has. Remove the table, or correct `platform`,
    which is the version of the OpenMRS platform that the site runs.
    """

    id = "OZ220"


class ModuleNotDeclared(Code):
    """A core table is made of tables that a module of OpenMRS brings, and the source is not said to have it.

    Appointments are kept by Bahmni's appointments module. If the site runs it, say `modules: [appointments]`
    under the source; otherwise remove the table. `core: all` takes only the tables of the declared modules.
    """

    id = "OZ221"

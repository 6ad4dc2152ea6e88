"""OZ2xx: a name refers to something that is not there."""

from __future__ import annotations

from ozone_gen.diagnostics.codes.base import Code


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


class UnknownEncounterType(Code):
    """The dictionary has no encounter type of this name or uuid.

    The table would stay empty for ever. Names count letter by letter, capitals and spaces included; a uuid
    does not change when somebody renames the type.
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

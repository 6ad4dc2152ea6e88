"""The kinds of values that ozone.yaml holds: their patterns, what these ask for in words, and their types."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Annotated, Any, Final, TypeVar

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema

# Patterns are read by three engines: pydantic's (Rust), editors' (JavaScript) and jsonschema's (Python). So
# no look-around, no \d (which means other digits in each), and no needless escapes (editors refuse them).
_VARIABLE: Final = r"\$\{[A-Z_][A-Z0-9_]*\}"
VARIABLE_PATTERN: Final = rf"^{_VARIABLE}$"

NAME_PATTERN: Final = r"^[a-z][a-z0-9_]{0,62}$"
"""Names that become identifiers of PostgreSQL and Flink (at most 63 bytes, PostgreSQL's limit)."""

SITE_ID_PATTERN: Final = r"^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$"
"""Site ids become names of Compose projects, of ZooKeeper nodes and of folders."""

_CODE: Final = r"""[^\s:${}'"`\x00-\x1f\x7f]"""
CONCEPT_PATTERN: Final = (
    rf"""^([0-9A-Za-z][0-9A-Za-z-]{{35,37}}|{_CODE}([^:${{}}'"`\x00-\x1f\x7f]{{0,49}}{_CODE})?:{_CODE}{{1,100}})$"""
)
"""A uuid (36 to 38 characters), or SOURCE:CODE."""

DATABASE_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"
HOST_PATTERN: Final = rf"^({_VARIABLE}|[A-Za-z0-9]([A-Za-z0-9._-]{{0,251}}[A-Za-z0-9])?)$"
USERNAME_PATTERN: Final = rf"""^({_VARIABLE}|[^\s${{}}'"`\\\x00-\x1f\x7f]{{1,63}})$"""
PASSWORD_PATTERN: Final = rf"^({_VARIABLE}|([^$\x00-\x1f\x7f]|\$+[^${{\x00-\x1f\x7f])*\$*)$"
"""${VARIABLE}, or a literal without `${` in it."""

TIMEZONE_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$"
DAY_PATTERN: Final = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
LOCALE_PATTERN: Final = r"^[a-z]{2,3}(_[A-Z]{2})?$"
LINE_PATTERN: Final = r"^[^\x00-\x1f\x7f]+$"
TEXT_PATTERN: Final = r"^[^\x00-\x08\x0b-\x1f\x7f]+$"
_OCTET: Final = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
ADDRESS_PATTERN: Final = rf"^{_OCTET}(\.{_OCTET}){{3}}$"
MEMORY_PATTERN: Final = r"^[1-9][0-9]{0,5}[mg]$"
IMAGE_PATTERN: Final = r"^[a-z0-9][a-zA-Z0-9._/:-]{0,254}(@sha256:[0-9a-f]{64})?$"

BUCKET_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$"
REGION_PATTERN: Final = r"^[a-z0-9-]{1,40}$"
URL_PATTERN: Final = r"^https?://[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?(:[0-9]{1,5})?$"

FORMS: Final = MappingProxyType(
    {
        NAME_PATTERN: "lower-case letters, digits and underscores, a letter first, at most 63 characters",
        SITE_ID_PATTERN: "lower-case letters, digits and hyphens, no hyphen at an end, at most 42 characters",
        CONCEPT_PATTERN: "a uuid of 36 to 38 characters, or SOURCE:CODE such as CIEL:5089",
        DATABASE_PATTERN: "letters, digits and underscores, no digit first, at most 63 characters",
        HOST_PATTERN: "a host name, an address, or ${VARIABLE}",
        USERNAME_PATTERN: "at most 63 characters, no space, quote, brace, `$` or backslash; or ${VARIABLE}",
        PASSWORD_PATTERN: "${VARIABLE} in capital letters, alone",
        TIMEZONE_PATTERN: "an IANA time zone such as Africa/Nairobi",
        DAY_PATTERN: "a day such as 2024-01-31",
        LOCALE_PATTERN: "a language such as `en`, or a language and a country such as `en_GB`",
        LINE_PATTERN: "one line of text",
        TEXT_PATTERN: "text without control characters",
        ADDRESS_PATTERN: "an IPv4 address such as 127.0.0.1",
        MEMORY_PATTERN: "a number of mebibytes or gibibytes such as 768m or 2g",
        BUCKET_PATTERN: "lower-case letters, digits and hyphens, no hyphen at an end, 3 to 63 characters",
        REGION_PATTERN: "lower-case letters, digits and hyphens, such as us-east-1",
        URL_PATTERN: "an address such as https://s3.example.org:9000, with nothing behind it",
        IMAGE_PATTERN: "a container image such as postgres:16",
    }
)
"""What each pattern asks for, in words."""

_Given = TypeVar("_Given")


class NotNull:
    """May be left out, but not be null: `demo:` with nothing after it says neither yes nor no."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        inner: CoreSchema = schema["schema"] if schema["type"] == "nullable" else schema
        return inner


Optional = Annotated[_Given | None, NotNull()]

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Host = Annotated[str, Field(pattern=HOST_PATTERN, description="A host name or address, or ${VARIABLE}.")]
Username = Annotated[str, Field(pattern=USERNAME_PATTERN, description="A user's name, or ${VARIABLE}.")]
Password = Annotated[
    str,
    Field(
        min_length=1,
        max_length=1000,
        pattern=PASSWORD_PATTERN,
        description="${VARIABLE}. A literal password is a warning; do not commit one.",
    ),
]
Port = Annotated[int, Field(ge=1, le=65535)]
ConceptReference = Annotated[
    str,
    Field(pattern=CONCEPT_PATTERN, description="A concept: its uuid, or SOURCE:CODE such as CIEL:5089."),
]
Line = Annotated[str, Field(min_length=1, max_length=255, pattern=LINE_PATTERN)]
Text = Annotated[str, Field(min_length=1, max_length=1000, pattern=TEXT_PATTERN)]


def referenced_variable(value: str) -> str | None:
    """Return the name in `${NAME}`, or None for a literal value."""
    return value[2:-1] if value.startswith("${") and value.endswith("}") else None


def site_id_of(name: str) -> str:
    """The site id that comes closest to a name; empty where nothing of it can be in one."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:42].strip("-")

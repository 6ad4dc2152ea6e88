"""The models of ozone.yaml: what a person can say. The JSON Schema for editors is generated from them.

Shapes are checked here; rules across fields are in checks.py. A message of pydantic's never reaches a person
as it is: shape.py turns each into a located diagnostic.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    Strict,
    Tag,
    create_model,
)
from pydantic_core import CoreSchema

from ozone_gen.components import COMPONENTS
from ozone_gen.flattening.core import CORE_TABLES
from ozone_gen.flattening.declared import CodedValue, ColumnType, Repeat
from ozone_gen.openmrs.tables import PLATFORMS

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
LOCALE_PATTERN: Final = r"^[a-z]{2,3}(_[A-Z]{2})?$"
LINE_PATTERN: Final = r"^[^\x00-\x1f\x7f]+$"
TEXT_PATTERN: Final = r"^[^\x00-\x08\x0b-\x1f\x7f]+$"
_OCTET: Final = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
ADDRESS_PATTERN: Final = rf"^{_OCTET}(\.{_OCTET}){{3}}$"
MEMORY_PATTERN: Final = r"^[1-9][0-9]{0,5}[mg]$"
IMAGE_PATTERN: Final = r"^[a-z0-9][a-zA-Z0-9._/:-]{0,254}(@sha256:[0-9a-f]{64})?$"

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
        LOCALE_PATTERN: "a language such as `en`, or a language and a country such as `en_GB`",
        LINE_PATTERN: "one line of text",
        TEXT_PATTERN: "text without control characters",
        ADDRESS_PATTERN: "an IPv4 address such as 127.0.0.1",
        MEMORY_PATTERN: "a number of mebibytes or gibibytes such as 768m or 2g",
        IMAGE_PATTERN: "a container image such as postgres:16",
    }
)
"""What each pattern asks for, in words."""

_Given = TypeVar("_Given")


class _NotNull:
    """May be left out, but not be null: `demo:` with nothing after it says neither yes nor no."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        inner: CoreSchema = schema["schema"] if schema["type"] == "nullable" else schema
        return inner


Optional = Annotated[_Given | None, _NotNull()]

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


class _Model(BaseModel):
    """Unknown keys are errors, values are never converted, and what was read never changes."""

    # Built when the root is: a nested model's own validator would never be used, and costs start-up time.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class SiteSpec(_Model):
    """Who the site is."""

    id: Annotated[str, Field(pattern=SITE_ID_PATTERN)] = Field(
        description="Short name of the site: lower case letters, digits and hyphens. Unique among your sites."
    )
    name: Line = Field(description="The site's name as people say it.")
    timezone: Annotated[str, Field(pattern=TIMEZONE_PATTERN, max_length=64)] = Field(
        default="UTC", description="IANA time zone of the site, such as Africa/Nairobi."
    )
    locales: Annotated[tuple[Annotated[str, Field(pattern=LOCALE_PATTERN)], ...], Strict(False)] = Field(
        default=("en",), min_length=1, description="Locales for names of concepts, best first."
    )


class DemoSpec(_Model):
    """A bundled source database with made-up patients."""

    patients: Annotated[int, Field(ge=1, le=10_000)] = Field(default=155, description="How many patients.")
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = Field(
        default=1, description="Another seed makes up other patients."
    )


class OpenmrsSpec(_Model):
    """An OpenMRS database."""

    type: Literal["openmrs"] = Field(description="What kind of source it is.")
    engine: Literal["mariadb", "mysql"] = Field(default="mariadb", description="The database server.")
    platform: Literal[PLATFORMS] = Field(  # type: ignore[valid-type]
        default="2.5", description="Version of the OpenMRS platform, in quotes."
    )
    host: Host = Field(
        default="mysql",
        description="Host name or address, or ${VARIABLE}. `mysql` is the bundled database of a demo site.",
    )
    port: Port = Field(default=3306, description="Port of the database server, as containers reach it.")
    database: Annotated[str, Field(pattern=DATABASE_PATTERN)] = Field(
        default="openmrs", description="Name of the database."
    )
    username: Username = Field(
        default="debezium", description="The user who may read and replicate the database, or ${VARIABLE}."
    )
    password: Password
    server_id: Optional[Annotated[int, Field(ge=1, le=2**32 - 1)]] = Field(
        default=None,
        description="The connector's id as a replica, unique at the server. Left out: derived from the site.",
    )
    demo: Optional[DemoSpec] = Field(
        default=None, description="Run a bundled database with made-up patients. Leave out for a real one."
    )


class PostgresqlSpec(_Model):
    """The PostgreSQL database of the flattened tables."""

    type: Literal["postgresql"] = Field(description="What kind of sink it is.")
    host: Host = Field(
        default="postgresql", description="`postgresql` is the bundled database; any other host is your own."
    )
    port: Port = Field(default=5432, description="Port of the database server, as containers reach it.")
    database: Annotated[str, Field(pattern=DATABASE_PATTERN)] = Field(
        default="analytics", description="Name of the database."
    )
    schema_name: Name = Field(default="public", alias="schema", description="Schema of the tables.")
    username: Username = Field(
        default="analytics", description="The user who owns the tables, or ${VARIABLE}."
    )
    password: Password


class ColumnSpec(_Model):
    """A column of an own table."""

    concept: ConceptReference
    type: Optional[Annotated[ColumnType, Strict(False)]] = Field(
        default=None, description="What the column holds; the concept's datatype decides when it is left out."
    )
    repeat: Annotated[Repeat, Strict(False)] = Field(
        default=Repeat.LAST, description="What becomes of several observations in one row."
    )
    value: Optional[Annotated[CodedValue, Strict(False)]] = Field(
        default=None, description="How a coded answer is written: its name in the site's locale, or its uuid."
    )
    description: Optional[Text] = Field(default=None, description="The column's comment in the sink.")


# A form that a value takes by its YAML type. The tags stand in the locations of pydantic's errors, where no
# key of a file may be taken for one.
SHORT_FORM: Final = "\0short"
LONG_FORM: Final = "\0long"


def _form(value: Any) -> str:
    return SHORT_FORM if isinstance(value, str) else LONG_FORM


ColumnDeclaration = Annotated[
    Annotated[ConceptReference, Tag(SHORT_FORM)] | Annotated[ColumnSpec, Tag(LONG_FORM)],
    Discriminator(_form),
]


class EncounterTableSpec(_Model):
    """An own table with one row for each encounter."""

    rows: Literal["encounter"] = Field(description="What a row is: the grain of the table.")
    source: Optional[Name] = Field(default=None, description="The source to read. Left out: the only one.")
    encounter_types: Annotated[tuple[Line, ...], Strict(False)] = Field(
        default=(), description="Names or uuids of encounter types; every type when left out."
    )
    columns: dict[Name, ColumnDeclaration] = Field(
        min_length=1,
        description="By name, each a concept such as CIEL:5089, or a mapping of what to read and how.",
    )
    description: Optional[Text] = Field(default=None, description="The table's comment in the sink.")


class FlatteningSpec(_Model):
    """Which tables are made."""

    core: Annotated[
        Annotated[Literal["all"], Tag(SHORT_FORM)]
        | Annotated[
            tuple[Literal[tuple(CORE_TABLES)], ...],  # type: ignore[valid-type]
            Strict(False),
            Tag(LONG_FORM),
        ],
        Discriminator(_form),
    ] = Field(default=(), description="Core tables, or `all`.")
    tables: dict[Name, EncounterTableSpec] = Field(
        default_factory=dict, description="Own tables by name, which becomes the table's name in the sink."
    )
    parallelism: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1, description="Subtasks of the Flink job; more than the machine's cores is of no use."
    )


PUBLISHED_PORTS: Final = {"mysql": 3306, "postgresql": 5432, "connect": 8083, "flink": 8084, "kafka_ui": 8282}
"""Parts that publish a port on the host, with the port that people know."""

IMAGES: Final = {
    "mariadb": "mariadb:10.11",
    "mysql": "mysql:8.4",
    "postgresql": "postgres:16",
    "zookeeper": "zookeeper:3.9",
    "kafka": "apache/kafka:4.1.1",
    "connect": "quay.io/debezium/connect:3.4",
    "kafka_ui": "redpandadata/console:v3.12.0",
    "flink": "flink:2.2.1-java17",
    "maven": "maven:3.9-eclipse-temurin-17",
    "python": "python:3.11-slim",
}
"""Every image, named once. `maven` and `python` are bases of the site's own images."""

MEMORY: Final = {
    "mysql": 512,
    "postgresql": 512,
    "zookeeper": 192,
    "kafka": 640,
    "kafka-setup": 128,
    "connect": 640,
    "connect-setup": 128,
    "kafka-ui": 256,
    "migrate": 128,
    "jobmanager": 896,
    "taskmanager": 1152,
}
"""The memory limit of each service in MiB, enough for a clinic with a few million observations."""

_Image = Annotated[str, Field(pattern=IMAGE_PATTERN)]
_Memory = Annotated[str, Field(pattern=MEMORY_PATTERN)]

class _BoundPorts(_Model):
    """Ports on the host; null closes one."""

    bind_address: Annotated[str, Field(pattern=ADDRESS_PATTERN)] = Field(
        default="127.0.0.1", description="The host's address on which ports are published."
    )


def _model(name: str, base: type[_Model], description: str, fields: dict[str, Any]) -> type[_Model]:
    """Make a model whose keys come from a table."""
    return create_model(name, __base__=base, __doc__=description, **fields)


if TYPE_CHECKING:
    # What mypy can know of the models that are made of tables.
    ComponentsSpec: TypeAlias = _Model
    PortsSpec: TypeAlias = _BoundPorts
    ImagesSpec: TypeAlias = _Model
    MemorySpec: TypeAlias = _Model
else:
    ComponentsSpec = _model(
        "ComponentsSpec",
        _Model,
        "Optional parts of the site.",
        {
            component.name: (
                Annotated[component.options | None, _NotNull()],
                Field(default=None, description=(component.options.__doc__ or "").strip()),
            )
            for component in COMPONENTS
            if component.options is not None
        },
    )
    PortsSpec = _model(
        "PortsSpec",
        _BoundPorts,
        _BoundPorts.__doc__,
        {
            name: (Port | None, Field(default=port, description=f"Port of {name} on the host, or null."))
            for name, port in PUBLISHED_PORTS.items()
        },
    )
    ImagesSpec = _model(
        "ImagesSpec",
        _Model,
        "Images that replace the tested ones, such as those of a mirror.",
        {name: (_Image, Field(default=image)) for name, image in IMAGES.items()},
    )
    MemorySpec = _model(
        "MemorySpec",
        _Model,
        "Memory limits of services, such as 768m or 2g.",
        {
            name.replace("-", "_"): (_Memory, Field(default=f"{size}m", alias=name))
            for name, size in MEMORY.items()
        },
    )


class OzoneSpec(_Model):
    """One ozone.yaml: one site's analytics."""

    version: Literal[1] = Field(description="Version of this file's format.")
    site: SiteSpec
    sources: dict[Name, OpenmrsSpec] = Field(
        min_length=1, description="The databases to read, by names of your choice; for now exactly one."
    )
    sink: PostgresqlSpec
    flattening: FlatteningSpec
    components: ComponentsSpec = Field(default_factory=ComponentsSpec)
    ports: PortsSpec = Field(default_factory=PortsSpec)
    images: ImagesSpec = Field(default_factory=ImagesSpec)
    memory: MemorySpec = Field(default_factory=MemorySpec)


def referenced_variable(value: str) -> str | None:
    """Return the name in `${NAME}`, or None for a literal value."""
    return value[2:-1] if value.startswith("${") and value.endswith("}") else None

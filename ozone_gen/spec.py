"""The models of ozone.yaml: what a person can say. The JSON Schema for editors is generated from them.

Shapes are checked here; rules across fields are in checks.py. A message of pydantic's never reaches a person as
it is: shape.py turns each into a located diagnostic.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Strict, Tag, create_model

from ozone_gen.components import COMPONENTS
from ozone_gen.flattening.core import CORE_TABLES
from ozone_gen.flattening.declared import CodedValue, ColumnType, Repeat
from ozone_gen.openmrs.tables import PLATFORMS

NAME_PATTERN: Final = r"^[a-z][a-z0-9_]{0,62}$"
"""Names that become identifiers of PostgreSQL and Flink (at most 63 bytes, PostgreSQL's limit)."""

SITE_ID_PATTERN: Final = r"^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$"
"""Site ids become names of Compose projects, of ZooKeeper nodes and of folders."""

VARIABLE_PATTERN: Final = r"^\$\{[A-Z][A-Z0-9_]*\}$"
CONCEPT_PATTERN: Final = (
    r"^([0-9A-Za-z][0-9A-Za-z-]{35,37}|[^\s:${}'\"`][^:${}'\"`]{0,49}:[^\s:${}'\"`]{1,100})$"
)
"""A uuid (36 to 38 characters), or SOURCE:CODE."""

_MEMORY_PATTERN: Final = r"^[1-9][0-9]*[mg]$"
_IMAGE_PATTERN: Final = r"^[a-z0-9][a-zA-Z0-9._/:-]*(@sha256:[0-9a-f]{64})?$"

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Host = Annotated[
    str,
    Field(
        pattern=r"^(\$\{[A-Z][A-Z0-9_]*\}|[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?)$",
        description="A host name or address, or ${VARIABLE}.",
    ),
]
Username = Annotated[
    str,
    Field(
        pattern=r"^(\$\{[A-Z][A-Z0-9_]*\}|[^\s${}'\"`\\]{1,63})$",
        description="A user's name, or ${VARIABLE}.",
    ),
]
Password = Annotated[
    str, Field(min_length=1, description="${VARIABLE}. A literal password is a warning; do not commit one.")
]
Port = Annotated[int, Field(ge=1, le=65535)]
ConceptReference = Annotated[
    str,
    Field(pattern=CONCEPT_PATTERN, description="A concept: its uuid, or SOURCE:CODE such as CIEL:5089."),
]
Text = Annotated[str, Field(min_length=1, max_length=1000)]


class _Model(BaseModel):
    """Unknown keys are errors, values are never converted, and what was read never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SiteSpec(_Model):
    """Who the site is."""

    id: Annotated[str, Field(pattern=SITE_ID_PATTERN)] = Field(
        description="Short name of the site: lower case letters, digits and hyphens. Unique among your sites."
    )
    name: Text = Field(description="The site's name as people say it.")
    timezone: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        default="UTC", description="IANA time zone of the site, such as Africa/Nairobi."
    )
    locales: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}(_[A-Z]{2})?$")], ...], Strict(False)
    ] = Field(default=("en",), min_length=1, description="Locales for names of concepts, best first.")


class DemoSpec(_Model):
    """A bundled source database with made-up patients."""

    patients: Annotated[int, Field(ge=1, le=10_000)] = 155
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 1


class OpenmrsSpec(_Model):
    """An OpenMRS database."""

    type: Literal["openmrs"]
    engine: Literal["mariadb", "mysql"] = "mariadb"
    platform: Literal[PLATFORMS] = Field(  # type: ignore[valid-type]
        default="2.5", description="Version of the OpenMRS platform, in quotes."
    )
    host: Host = "mysql"
    port: Port = 3306
    database: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,64}$")] = "openmrs"
    username: Username = "debezium"
    password: Password
    server_id: Annotated[int, Field(ge=1, le=2**32 - 1)] | None = Field(
        default=None,
        description="Id of the connector as a replica; unique at the server. Derived from the site when left out.",
    )
    demo: DemoSpec | None = Field(
        default=None, description="Run a bundled database with made-up patients. Leave out for a real one."
    )


class PostgresqlSpec(_Model):
    """The PostgreSQL database of the flattened tables."""

    type: Literal["postgresql"]
    host: Host = Field(
        default="postgresql", description="`postgresql` is the bundled database; any other host is your own."
    )
    port: Port = 5432
    database: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")] = "analytics"
    schema_name: Name = Field(default="public", alias="schema", description="Schema of the tables.")
    username: Username = "analytics"
    password: Password


class ColumnSpec(_Model):
    """A column of an own table."""

    concept: ConceptReference
    type: Annotated[ColumnType, Strict(False)] | None = Field(
        default=None, description="What the column holds; the concept's datatype decides when it is left out."
    )
    repeat: Annotated[Repeat, Strict(False)] = Field(
        default=Repeat.LAST, description="What becomes of several observations in one row."
    )
    value: Annotated[CodedValue, Strict(False)] | None = Field(
        default=None, description="How a coded answer is written: its name in the site's locales, or its uuid."
    )
    description: Text | None = None


def _column_form(value: Any) -> str:
    return "short" if isinstance(value, str) else "long"


ColumnDeclaration = Annotated[
    Annotated[ConceptReference, Tag("short")] | Annotated[ColumnSpec, Tag("long")],
    Discriminator(_column_form),
]


class EncounterTableSpec(_Model):
    """An own table with one row for each encounter."""

    rows: Literal["encounter"]
    source: Name | None = Field(default=None, description="The source to read; the only one when left out.")
    encounter_types: Annotated[tuple[Text, ...], Strict(False)] = Field(
        default=(), description="Names or uuids of encounter types; every type when left out."
    )
    columns: dict[Name, ColumnDeclaration] = Field(min_length=1)
    description: Text | None = None


class FlatteningSpec(_Model):
    """Which tables are made."""

    core: (
        Literal["all"]
        | Annotated[tuple[Literal[tuple(CORE_TABLES)], ...], Strict(False)]  # type: ignore[valid-type]
    ) = Field(default=(), description="Core tables, or `all`.")
    tables: dict[Name, EncounterTableSpec] = Field(default_factory=dict)
    parallelism: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1, description="Subtasks of the Flink job; more than the machine's cores is of no use."
    )


class _Components(_Model):
    """The base of the model that is made of the registry."""


_optional_parts: dict[str, Any] = {
    component.name: (
        component.options | None,
        Field(default=None, description=(component.options.__doc__ or "").strip()),
    )
    for component in COMPONENTS
    if component.options is not None
}
ComponentsSpec = create_model(
    "ComponentsSpec", __base__=_Components, __doc__="Optional parts of the site.", **_optional_parts
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
    "kafka": 768,
    "kafka-setup": 128,
    "connect": 1024,
    "connect-setup": 128,
    "kafka-ui": 256,
    "migrate": 128,
    "jobmanager": 1280,
    "taskmanager": 1536,
}
"""The memory limit of each service in MiB, enough for a clinic with a few million observations."""

_Image = Annotated[str, Field(pattern=_IMAGE_PATTERN)]
_Memory = Annotated[str, Field(pattern=_MEMORY_PATTERN)]

PortsSpec = create_model(
    "PortsSpec",
    __base__=_Model,
    __doc__="Ports on the host; null closes one.",
    bind_address=(
        Annotated[str, Field(pattern=r"^(\d{1,3}\.){3}\d{1,3}$")],
        Field(default="127.0.0.1", description="The host's address on which ports are published."),
    ),
    **{name: (Port | None, Field(default=port)) for name, port in PUBLISHED_PORTS.items()},
)
ImagesSpec = create_model(
    "ImagesSpec",
    __base__=_Model,
    __doc__="Images that replace the tested ones, such as those of a mirror.",
    **{name: (_Image, Field(default=image)) for name, image in IMAGES.items()},
)
MemorySpec = create_model(
    "MemorySpec",
    __base__=_Model,
    __doc__="Memory limits of services, such as 768m or 2g.",
    **{
        name.replace("-", "_"): (_Memory, Field(default=f"{size}m", alias=name))
        for name, size in MEMORY.items()
    },
)


class OzoneSpec(_Model):
    """One ozone.yaml: one site's analytics."""

    version: Literal[1] = Field(description="Version of this file's format.")
    site: SiteSpec
    sources: dict[Name, OpenmrsSpec] = Field(min_length=1)
    sink: PostgresqlSpec
    flattening: FlatteningSpec
    components: ComponentsSpec = Field(default_factory=ComponentsSpec)  # type: ignore[valid-type]
    ports: PortsSpec = Field(default_factory=PortsSpec)  # type: ignore[valid-type]
    images: ImagesSpec = Field(default_factory=ImagesSpec)  # type: ignore[valid-type]
    memory: MemorySpec = Field(default_factory=MemorySpec)  # type: ignore[valid-type]


def referenced_variable(value: str) -> str | None:
    """Return the name in `${NAME}`, or None for a literal value."""
    return value[2:-1] if value.startswith("${") and value.endswith("}") else None

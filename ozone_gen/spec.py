"""The models of ozone.yaml: what a person can say. The JSON Schema for editors is generated from them.

Shapes are checked here; rules across fields are in checks.py. A message of pydantic's never reaches a person
as it is: shape.py turns each into a located diagnostic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    Tag,
    create_model,
)

from ozone_gen.components import COMPONENTS
from ozone_gen.flattening.core import CORE_TABLES
from ozone_gen.flattening.declared import Answers, CodedValue, ColumnType, Grain, Repeat
from ozone_gen.flattening.job import StateStore
from ozone_gen.openmrs.tables import MODULES, PLATFORMS
from ozone_gen.values import (
    ADDRESS_PATTERN,
    DATABASE_PATTERN,
    DAY_PATTERN,
    IMAGE_PATTERN,
    LOCALE_PATTERN,
    MEMORY_PATTERN,
    SITE_ID_PATTERN,
    TIMEZONE_PATTERN,
    ConceptReference,
    Host,
    Line,
    Name,
    NotNull,
    Optional,
    Password,
    Port,
    Text,
    Username,
)


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
    modules: Annotated[tuple[Literal[MODULES], ...], Strict(False)] = Field(  # type: ignore[valid-type]
        default=(), description="Modules of OpenMRS that bring tables of their own: Bahmni's `appointments`."
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


# A form that a value takes by its YAML type. The tags stand in the locations of pydantic's errors, where no
# key of a file may be taken for one.
SHORT_FORM: Final = "\0short"
LONG_FORM: Final = "\0long"


def _form(value: Any) -> str:
    return SHORT_FORM if isinstance(value, str) else LONG_FORM


_References = Annotated[
    tuple[ConceptReference, ...], Strict(False), Field(min_length=1, max_length=20), Tag(LONG_FORM)
]
ConceptReferences = Annotated[
    Annotated[ConceptReference, Tag(SHORT_FORM)] | _References,
    Discriminator(_form),
]
"""One concept, or several."""


class CodeSpec(_Model):
    """An answer by its code in a terminology."""

    code: Line = Field(description="Name of the concept source whose code is written, such as ICD-10-WHO.")


class ColumnSpec(_Model):
    """A column of an own table."""

    concept: ConceptReferences = Field(
        description="A concept; or a list of them, of which the first that has a value in a row wins."
    )
    type: Optional[Annotated[ColumnType, Strict(False)]] = Field(
        default=None, description="What the column holds; the concept's datatype decides when it is left out."
    )
    repeat: Annotated[Repeat, Strict(False)] = Field(
        default=Repeat.LAST, description="What becomes of several observations in one row."
    )
    value: Optional[
        Annotated[
            Annotated[CodedValue, Strict(False), Tag(SHORT_FORM)] | Annotated[CodeSpec, Tag(LONG_FORM)],
            Discriminator(_form),
        ]
    ] = Field(
        default=None,
        description="How an answer is written: its name in the site's locale, its uuid, or {code: SOURCE}.",
    )
    answers: Optional[Annotated[Answers, Strict(False)]] = Field(
        default=None,
        description="`list` for a question that takes several answers: each once, sorted, in one cell.",
    )
    answer: Optional[ConceptReferences] = Field(
        default=None,
        description="A boolean: whether the question was answered by this concept, or by one of these.",
    )
    group: Optional[ConceptReference] = Field(
        default=None, description="Read only observations in an obs group of this concept."
    )
    description: Optional[Text] = Field(default=None, description="The column's comment in the sink.")
    renamed_from: Optional[Name] = Field(
        default=None, description="The column's former name, so that what reads it in the sink goes with it."
    )

    @property
    def concepts(self) -> tuple[str, ...]:
        """The concepts that it reads, best first."""
        return as_tuple(self.concept)


def as_tuple(references: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """One or several references, or none, as a tuple."""
    return (references,) if isinstance(references, str) else references or ()


ColumnDeclaration = Annotated[
    Annotated[ConceptReference, Tag(SHORT_FORM)] | Annotated[ColumnSpec, Tag(LONG_FORM)],
    Discriminator(_form),
]


def _only_for(grain: Grain, key: str) -> dict[str, Any]:
    """A rule of JSON Schema: a key that one grain has, and no other."""
    return {
        "if": {"properties": {"rows": {"const": grain.value}}, "required": ["rows"]},
        "else": {"not": {"required": [key]}},
    }


class TableSpec(_Model):
    """An own table."""

    # For editors; checks/tables.py says the same in words.
    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                {**_only_for(Grain.OBS_GROUP, "group"), "then": {"required": ["group"]}},
                _only_for(Grain.OBS, "concepts"),
                {"anyOf": [{"properties": {"rows": {"const": Grain.OBS.value}}}, {"required": ["columns"]}]},
            ]
        }
    )

    rows: Annotated[Grain, Strict(False)] = Field(description="What a row is: the grain of the table.")
    source: Optional[Name] = Field(default=None, description="The source to read. Left out: the only one.")
    encounter_types: Annotated[tuple[Line, ...], Strict(False)] = Field(
        default=(), description="Names or uuids of encounter types; every type when left out."
    )
    visit_types: Annotated[tuple[Line, ...], Strict(False)] = Field(
        default=(), description="Names or uuids of visit types; every type when left out."
    )
    forms: Annotated[tuple[Line, ...], Strict(False)] = Field(
        default=(), description="Names or uuids of forms; a name stands for all its versions."
    )
    locations: Annotated[tuple[Line, ...], Strict(False)] = Field(
        default=(), description="Names or uuids of locations."
    )
    since: Optional[Annotated[str, Field(pattern=DAY_PATTERN)]] = Field(
        default=None, alias="from", description="The first day, such as 2024-01-31."
    )
    group: Optional[ConceptReference] = Field(
        default=None, description="The concept of the groups that are the rows of `rows: obs_group`."
    )
    concepts: Annotated[tuple[ConceptReference, ...], Strict(False)] = Field(
        default=(), description="The concepts whose observations are the rows of `rows: obs`; left out: all."
    )
    context: Optional[Annotated[tuple[Name, ...], Strict(False)]] = Field(
        default=None,
        description="Which columns say what a row is and hangs on, beside its key; the usual ones when left out.",
    )
    columns: dict[Name, ColumnDeclaration] = Field(
        default_factory=dict,
        description="By name, each a concept such as CIEL:5089, or a mapping of what to read and how.",
    )
    description: Optional[Text] = Field(default=None, description="The table's comment in the sink.")
    renamed_from: Optional[Name] = Field(
        default=None, description="The table's former name, so that what reads it in the sink goes with it."
    )


def long_form(column: str | ColumnSpec) -> ColumnSpec:
    """A column as if it had been declared in its long form."""
    return column if isinstance(column, ColumnSpec) else ColumnSpec(concept=column)


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
    ] = Field(default=(), description="Core tables, or `all` that the source has.")
    tables: dict[Name, TableSpec] = Field(
        default_factory=dict, description="Own tables by name, which becomes the table's name in the sink."
    )
    parallelism: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1, description="Subtasks of the Flink job; more than the machine's cores is of no use."
    )
    state: Annotated[StateStore, Strict(False)] = Field(
        default=StateStore.MEMORY,
        description="Where the Flink job keeps what it knows of the rows: `memory` is faster, `disk` (RocksDB) holds "
        "millions of observations in little memory.",
    )


PUBLISHED_PORTS: Final = {
    "mysql": 3306,
    "postgresql": 5432,
    "connect": 8083,
    "flink": 8084,
    "kafka_ui": 8282,
    "superset": 8088,
    "object_store": 9000,
    "object_store_console": 9001,
    "drill": 8047,
}
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
    "superset": "apache/superset:6.1.0",
    "redis": "redis:7",
    "seaweedfs": "chrislusf/seaweedfs:4.48",
    "minio": "quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z",
    "drill": "apache/drill:1.22.0",
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
    "swap": 128,
    "parquet-export": 1536,
    "redis": 128,
    "superset-init": 768,
    "superset": 640,
    "superset-worker": 768,
    "object-store": 512,
    "object-store-setup": 128,
    "drill-zookeeper": 128,
    "drill": 2048,
    "drill-setup": 384,
}
"""The memory limit of each service in MiB.

Enough for all core tables and some 50,000 observations. For more the task manager needs more memory, or `state: disk`
and 2g (bench/README.md).
"""

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
                Annotated[component.options | None, NotNull()],
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
        default_factory=dict,
        description="The database to read, by a name of your choice; none on a central server.",
    )
    sink: PostgresqlSpec
    flattening: FlatteningSpec = Field(
        default_factory=FlatteningSpec,
        description="Which tables are made; on a central server, which tables the sites export.",
    )
    components: ComponentsSpec = Field(default_factory=ComponentsSpec)
    ports: PortsSpec = Field(default_factory=PortsSpec)
    images: ImagesSpec = Field(default_factory=ImagesSpec)
    memory: MemorySpec = Field(default_factory=MemorySpec)

"""A site as decided: every choice is made here, none in a template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ozone_gen.flattening.declared import TablePlan
from ozone_gen.flattening.job import StateStore
from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.openmrs.tables import Table

ROOT_PASSWORD: Final = "OPENMRS_DB_ROOT_PASSWORD"
ROOT_PASSWORD_MEANING: Final = "password of the root user of the bundled OpenMRS database"


@dataclass(frozen=True)
class Variable:
    """An environment variable that a site reads when it starts.

    Attributes:
        name: its name.
        meaning: what it is, in words; Compose says so when it is missing.
        required: whether Compose refuses to start without it.
        demo_value: what a demo site sets it to in `.env`; None where a person has to.
        default: what is used when an optional one is not set, for the comment in `.env.example`.
    """

    name: str
    meaning: str
    required: bool = True
    demo_value: str | None = None
    default: str = ""


@dataclass(frozen=True)
class Setting:
    """A value that can be overridden when the site starts.

    Attributes:
        override: the environment variable that overrides it.
        value: what ozone.yaml says, where it says it literally.
        variable: the variable that ozone.yaml refers to, else None.
        meaning: what it is, in words.
    """

    override: str
    value: str
    variable: str | None
    meaning: str

    @property
    def compose(self) -> str:
        """The value as Compose interpolates it."""
        if self.variable is None:
            return f"${{{self.override}:-{self.value}}}"
        required = f"${{{self.variable}:?{self.meaning}}}"
        return required if self.variable == self.override else f"${{{self.override}:-{required}}}"


@dataclass(frozen=True)
class Site:
    """Who the site is."""

    id: str
    name: str
    timezone: str
    locales: tuple[str, ...]


@dataclass(frozen=True)
class DemoData:
    """A bundled source database with made-up patients."""

    patients: int
    seed: int


@dataclass(frozen=True)
class SourcePlan:
    """The OpenMRS database that is flattened.

    Attributes:
        name: its key in ozone.yaml, and the name of the connector.
        topic_prefix: begins the names of its topics. It changes with what is captured: the old events lack what
            is new, so another set of tables or columns has to be read into topics of its own. And with their
            partitions, which cannot be changed.
        engine: `mariadb` or `mysql`.
        platform: version of the OpenMRS platform, such as 2.5.
        host, port, username, password: how to reach it.
        database: name of the database.
        server_id: the id under which the connector replicates; unique among all replicas of the server.
        demo: what a bundled database is filled with; None for a database of the clinic's own.
        tables: the source tables that the flattened tables read, as this version has them, sorted by name.
    """

    name: str
    topic_prefix: str
    engine: str
    platform: str
    host: Setting
    port: Setting
    username: Setting
    password: Setting
    database: str
    server_id: int
    demo: DemoData | None
    tables: tuple[Table, ...]

    def topic(self, table: str) -> str:
        """The Kafka topic of a source table."""
        return f"{self.topic_prefix}.{self.database}.{table}"


@dataclass(frozen=True)
class SinkPlan:
    """The PostgreSQL database that holds the flattened tables; `bundled` when the site runs it itself."""

    host: Setting
    port: Setting
    database: Setting
    username: Setting
    password: Setting
    schema: str
    bundled: bool


@dataclass(frozen=True)
class SitePlan:
    """Everything that is decided about a site.

    Attributes:
        sources: what is flattened: one database, or none on a central server.
        tables: the flattened tables, core tables first; on a central server those of the sites.
        declared: what ozone.yaml says of each own table, by its name.
        variables: what the site reads from its environment, in the order in which a person should read it.
        components: the options of the components that ozone.yaml asks for, by their names.
        images: the container image of each part, by the part's name.
        ports: the port of the host for each published part; None where it is closed.
        bind_address: the address of the host on which ports are published.
        memory: the memory limit of each service, in MiB.
        parallelism: subtasks of the Flink job, and slots of its task manager.
        state: where the Flink job keeps what it knows of the rows.
        fingerprint: hash of what the tables are and how they are filled; state of another one is of no use.
    """

    site: Site
    sources: tuple[SourcePlan, ...]
    sink: SinkPlan
    tables: tuple[FlattenedTable, ...]
    declared: Mapping[str, TablePlan]
    variables: tuple[Variable, ...]
    components: Mapping[str, object]
    images: Mapping[str, str]
    ports: Mapping[str, int | None]
    bind_address: str
    memory: Mapping[str, int]
    parallelism: int
    state: StateStore
    fingerprint: str

    @property
    def source(self) -> SourcePlan:
        """The only source; only for parts of a site that flattens."""
        (source,) = self.sources
        return source

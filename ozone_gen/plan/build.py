"""Decide everything about a site: SiteSpec -> SitePlan."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ozone_gen.checks.columns import column_type
from ozone_gen.checks.tables import context_of
from ozone_gen.components.flink import job_settings
from ozone_gen.flattening.columns_read import columns_read
from ozone_gen.flattening.core import CORE_TABLES, core_tables_of
from ozone_gen.flattening.counting import counting
from ozone_gen.flattening.declared import CodedValue, ColumnPlan, ColumnType, Filters, Repeat, TablePlan
from ozone_gen.flattening.flink import EVENT_TYPES, insert_sql, source_tables
from ozone_gen.flattening.job import StateStore
from ozone_gen.flattening.own_table import describe, own_table
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.openmrs.tables import MODULES, PLATFORMS, Table, tables_of
from ozone_gen.plan import (
    ROOT_PASSWORD,
    ROOT_PASSWORD_MEANING,
    DemoData,
    Setting,
    SinkPlan,
    Site,
    SitePlan,
    SourcePlan,
    Variable,
)
from ozone_gen.spec import (
    IMAGES,
    MEMORY,
    PUBLISHED_PORTS,
    CodeSpec,
    ColumnSpec,
    FlatteningSpec,
    OpenmrsSpec,
    OzoneSpec,
    PostgresqlSpec,
    TableSpec,
    as_tuple,
    long_form,
)
from ozone_gen.values import referenced_variable

if TYPE_CHECKING:
    from ozone_gen.openmrs.dictionary import Dictionary

_MEBIBYTES: Final = {"m": 1, "g": 1024}


def build_plan(spec: OzoneSpec, dictionary: Dictionary | None = None, *, locked: bool = False) -> SitePlan:
    """Decide everything about a site.

    Args:
        spec: a file without findings; rules across its fields were checked before.
        dictionary: the concepts of the source, where they are at hand.
        locked: whether the SQL may hold the dictionary's ids, since the site's database has the same.
    """
    site = Site(spec.site.id, spec.site.name, spec.site.timezone, spec.site.locales)
    source_name = next(iter(spec.sources), "openmrs")
    schema = source_schema(spec)

    def subqueries() -> Subqueries:
        return Subqueries(source_name, site.locales, schema)

    core = core_tables_of(schema) if spec.flattening.core == "all" else spec.flattening.core
    tables = [CORE_TABLES[name].build(subqueries()) for name in CORE_TABLES if name in core]
    declared = {plan.name: plan for plan in own_tables(spec, dictionary)}
    tables += (own_table(plan, subqueries(), dictionary if locked else None) for plan in declared.values())
    sources = tuple(
        _source(name, source, site.id, source_tables(tables), spec.flattening.parallelism)
        for name, source in spec.sources.items()
    )
    sink = _sink(spec.sink)
    memory = spec.memory.model_dump(by_alias=True)
    return SitePlan(
        site=site,
        sources=sources,
        sink=sink,
        tables=tuple(tables),
        declared=declared,
        variables=_variables(spec, sources, sink),
        components={name: options for name, options in dict(spec.components).items() if options is not None},
        images={name: getattr(spec.images, name) for name in IMAGES},
        ports={name: getattr(spec.ports, name) for name in PUBLISHED_PORTS},
        bind_address=spec.ports.bind_address,
        memory={name: int(memory[name][:-1]) * _MEBIBYTES[memory[name][-1]] for name in MEMORY},
        parallelism=spec.flattening.parallelism,
        state=StateStore(spec.flattening.state),
        fingerprint=_fingerprint(sources, sink, tables, spec.flattening),
    )


def _source(
    name: str, source: OpenmrsSpec, site: str, tables: tuple[Table, ...], parallelism: int
) -> SourcePlan:
    return SourcePlan(
        name=name,
        topic_prefix=f"{name}-{_captured(tables, parallelism)}",
        engine=source.engine,
        platform=source.platform,
        host=_setting("CONNECT_MYSQL_HOSTNAME", source.host, "host of the OpenMRS database"),
        port=_setting("CONNECT_MYSQL_PORT", str(source.port), "port of the OpenMRS database"),
        username=_setting(
            "CONNECT_MYSQL_USERNAME", source.username, "user under which the connector reads OpenMRS"
        ),
        password=_password(
            "CONNECT_MYSQL_PASSWORD",
            source.password,
            "OPENMRS_DB_PASSWORD",
            "password of the user that reads the OpenMRS database",
        ),
        database=source.database,
        server_id=source.server_id or _derived_server_id(site, name),
        demo=DemoData(source.demo.patients, source.demo.seed) if source.demo else None,
        tables=tables,
    )


def _sink(sink: PostgresqlSpec) -> SinkPlan:
    return SinkPlan(
        host=_setting("ANALYTICS_DB_HOST", sink.host, "host of the analytics database"),
        port=_setting("ANALYTICS_DB_PORT", str(sink.port), "port of the analytics database"),
        database=_setting("ANALYTICS_DB_NAME", sink.database, "name of the analytics database"),
        username=_setting("ANALYTICS_DB_USER", sink.username, "user of the analytics database"),
        password=_password(
            "ANALYTICS_DB_PASSWORD",
            sink.password,
            "ANALYTICS_DB_PASSWORD",
            "password of the user of the analytics database",
        ),
        schema=sink.schema_name,
        bundled=sink.host == "postgresql",
    )


def own_tables(spec: OzoneSpec, dictionary: Dictionary | None = None) -> tuple[TablePlan, ...]:
    """Decide the own tables of a file without findings, in its order."""
    return tuple(
        _table_plan(name, table, spec.site.id, dictionary) for name, table in spec.flattening.tables.items()
    )


def counting_tables(spec: OzoneSpec, plans: Sequence[TablePlan]) -> tuple[FlattenedTable, ...]:
    """For each own table its companion that counts the observations behind each cell (see flattening.counting)."""
    (source, *_) = spec.sources
    schema = source_schema(spec)
    return tuple(own_table(counting(plan), Subqueries(source, spec.site.locales, schema)) for plan in plans)


def source_schema(spec: OzoneSpec) -> Mapping[str, Table]:
    """The tables that the source has, by name; on a central server those that any site's source may have."""
    for source in spec.sources.values():
        return tables_of(source.platform, source.modules)
    return tables_of(PLATFORMS[-1], MODULES)


def _table_plan(name: str, table: TableSpec, site: str, dictionary: Dictionary | None) -> TablePlan:
    """What was declared about an own table, in the terms of its query."""
    filters = Filters(
        table.encounter_types,
        table.visit_types,
        table.forms,
        table.locations,
        table.since or "",
        table.group or "",
        table.concepts,
    )
    columns = tuple(_column_plan(key, long_form(column), dictionary) for key, column in table.columns.items())
    return TablePlan(
        name,
        site,
        table.rows,
        filters,
        context_of(table),
        columns,
        table.description or "",
        table.renamed_from or "",
    )


def _column_plan(name: str, column: ColumnSpec, dictionary: Dictionary | None) -> ColumnPlan:
    kind = column_type(column, dictionary)
    assert kind is not None, f"{name} was checked to have a type"
    made = ColumnPlan(
        name,
        column.concepts,
        kind,
        Repeat.LIST if column.answers else column.repeat,
        column.value if isinstance(column.value, CodedValue) else CodedValue.NAME,
        column.value.code if isinstance(column.value, CodeSpec) else "",
        column.answers is not None,
        as_tuple(column.answer),
        column.group or "",
        column.description or "",
        column.renamed_from or "",
    )
    found = dictionary.find(column.concepts[0]) if dictionary and not made.description else ()
    if len(found) != 1:
        return made
    units = found[0].units if kind in (ColumnType.NUMERIC, ColumnType.INTEGER) else ""
    return replace(made, description=describe(made, found[0].name, units))


def _setting(override: str, value: str, meaning: str) -> Setting:
    return Setting(override, value, referenced_variable(value), meaning)


def _password(override: str, value: str, usual: str, meaning: str) -> Setting:
    """A password never stands in the output: a literal one becomes the usual variable, set in `.env`."""
    return Setting(override, value, referenced_variable(value) or usual, meaning)


def _variables(spec: OzoneSpec, sources: tuple[SourcePlan, ...], sink: SinkPlan) -> tuple[Variable, ...]:
    demo = any(source.demo for source in sources)
    found: dict[str, Variable] = {}

    def add(setting: Setting, demo_value: str | None) -> None:
        if setting.variable is not None:
            found.setdefault(setting.variable, Variable(setting.variable, setting.meaning, True, demo_value))

    def literal(password: str) -> str | None:
        return None if referenced_variable(password) else password

    bundled_source = "demo" if demo else None
    # The passwords of bundled databases are made when they first start; a demo site may carry them.
    bundled_sink = "demo" if demo and sink.bundled else None
    for source in sources:
        for setting in (source.host, source.port, source.username):
            add(setting, None)
        add(source.password, literal(spec.sources[source.name].password) or bundled_source)
    if demo:
        found[ROOT_PASSWORD] = Variable(ROOT_PASSWORD, ROOT_PASSWORD_MEANING, True, "demo")
    for setting in (sink.host, sink.port, sink.database, sink.username):
        add(setting, None)
    add(sink.password, literal(spec.sink.password) or bundled_sink)
    settings = (
        *(each for source in sources for each in (source.host, source.port, source.username, source.password)),
        *(sink.host, sink.port, sink.database, sink.username, sink.password),
    )
    for setting in settings:
        if setting.override not in found:
            default = setting.value if setting.variable is None else f"${setting.variable}"
            found[setting.override] = Variable(
                setting.override, f"overrides the {setting.meaning}", False, None, default
            )
    return tuple(found.values())


def server_id_of(spec: OzoneSpec, source: str) -> int:
    """The id under which the connector of a source replicates."""
    return spec.sources[source].server_id or _derived_server_id(spec.site.id, source)


def _derived_server_id(site: str, source: str) -> int:
    """Derive a replica's id that is stable and differs between sites (two of one id break each other)."""
    digest = hashlib.sha256(f"{site}/{source}".encode()).digest()
    return 100_000 + int.from_bytes(digest[:4]) % 2_000_000_000


def _captured(tables: tuple[Table, ...], partitions: int) -> str:
    """Hash which tables and columns are captured, and into how many partitions: those of a topic cannot be changed,
    as rows already in it would get out of order."""
    columns = [f"{table.name}.{column.name}" for table in tables for column in table.columns]
    columns += [f"{partitions} partitions"] if partitions > 1 else []
    return hashlib.sha256("\n".join(columns).encode()).hexdigest()[:8]


def _fingerprint(
    sources: tuple[SourcePlan, ...], sink: SinkPlan, tables: list[FlattenedTable], flattening: FlatteningSpec
) -> str:
    """Hash what the tables are and how they are filled: all that Flink's state depends on."""
    digest = hashlib.sha256()
    parts = [each for source in sources for each in (source.topic_prefix, source.database)]
    parts += [sink.schema, str(flattening.parallelism), flattening.state]
    parts += (f"{name}={value}" for name, value in sorted(job_settings(flattening.parallelism).items()))
    # What a source table declares decides which columns its events bring into the job.
    for source in sources:
        for read in columns_read(source.name, source.tables, tables):
            parts.append(read.name)
            parts += (f"{column.name} {EVENT_TYPES[column.kind]}" for column in read.columns)
    for table in tables:
        parts.append(insert_sql(table))
        parts += (f"{column.name} {column.type}" for column in table.columns)
    for part in parts:
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:16]

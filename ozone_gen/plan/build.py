"""Decide everything about a site: SiteSpec -> SitePlan."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from ozone_gen.checks import column_type
from ozone_gen.flattening.core import CORE_TABLES
from ozone_gen.flattening.declared import CodedValue, ColumnPlan, TablePlan
from ozone_gen.flattening.encounter_rows import encounter_rows
from ozone_gen.flattening.flink import insert_sql, source_tables
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.openmrs.tables import TABLES
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
from ozone_gen.spec import IMAGES, MEMORY, PUBLISHED_PORTS, ColumnSpec, OzoneSpec, referenced_variable

if TYPE_CHECKING:
    from ozone_gen.openmrs.dictionary import Dictionary

_MEBIBYTES: Final = {"m": 1, "g": 1024}


def build_plan(spec: OzoneSpec, dictionary: Dictionary | None = None) -> SitePlan:
    """Decide everything about a site.

    Args:
        spec: a file without findings; rules across its fields were checked before.
        dictionary: the concepts of the source, where they are at hand.
    """
    (source_name, source), *_ = spec.sources.items()
    site = Site(spec.site.id, spec.site.name, spec.site.timezone, spec.site.locales)

    def subqueries() -> Subqueries:
        return Subqueries(source_name, site.locales)

    core = list(CORE_TABLES) if spec.flattening.core == "all" else spec.flattening.core
    tables = [CORE_TABLES[name](subqueries()) for name in CORE_TABLES if name in core]
    for name, table in spec.flattening.tables.items():
        columns = []
        for column_name, declared in table.columns.items():
            column = declared if isinstance(declared, ColumnSpec) else ColumnSpec(concept=declared)
            kind = column_type(column, dictionary)
            assert kind is not None, f"{name}.{column_name} was checked to have a type"
            columns.append(
                ColumnPlan(
                    column_name,
                    column.concept,
                    kind,
                    column.repeat,
                    column.value or CodedValue.NAME,
                    column.description or "",
                )
            )
        plan = TablePlan(name, site.id, table.encounter_types, tuple(columns), table.description or "")
        tables.append(encounter_rows(plan, subqueries()))

    sink = spec.sink
    captured = source_tables(tables)
    source_plan = SourcePlan(
        name=source_name,
        topic_prefix=f"{source_name}-{_captured(captured)}",
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
        server_id=source.server_id or _server_id(site.id, source_name),
        demo=DemoData(source.demo.patients, source.demo.seed) if source.demo else None,
        tables=captured,
    )
    sink_plan = SinkPlan(
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
    memory = spec.memory.model_dump(by_alias=True)
    return SitePlan(
        site=site,
        source=source_plan,
        sink=sink_plan,
        tables=tuple(tables),
        variables=_variables(spec, source_plan, sink_plan),
        components={name: options for name, options in dict(spec.components).items() if options is not None},
        images={name: getattr(spec.images, name) for name in IMAGES},
        ports={name: getattr(spec.ports, name) for name in PUBLISHED_PORTS},
        bind_address=spec.ports.bind_address,
        memory={name: int(memory[name][:-1]) * _MEBIBYTES[memory[name][-1]] for name in MEMORY},
        parallelism=spec.flattening.parallelism,
        fingerprint=_fingerprint(source_plan, sink_plan, tables, spec.flattening.parallelism),
    )


def _setting(override: str, value: str, meaning: str) -> Setting:
    return Setting(override, value, referenced_variable(value), meaning)


def _password(override: str, value: str, usual: str, meaning: str) -> Setting:
    """A password never stands in the output: a literal one becomes the usual variable, set in `.env`."""
    return Setting(override, value, referenced_variable(value) or usual, meaning)


def _variables(spec: OzoneSpec, source: SourcePlan, sink: SinkPlan) -> tuple[Variable, ...]:
    (source_spec, *_) = spec.sources.values()
    demo = source.demo is not None
    found: dict[str, Variable] = {}

    def add(setting: Setting, demo_value: str | None) -> None:
        if setting.variable is not None:
            found.setdefault(setting.variable, Variable(setting.variable, setting.meaning, True, demo_value))

    def literal(password: str) -> str | None:
        return None if referenced_variable(password) else password

    bundled_source = "demo" if demo else None
    # The passwords of bundled databases are made when they first start; a demo site may carry them.
    bundled_sink = "demo" if demo and sink.bundled else None
    for setting in (source.host, source.port, source.username):
        add(setting, None)
    add(source.password, literal(source_spec.password) or bundled_source)
    if demo:
        found[ROOT_PASSWORD] = Variable(ROOT_PASSWORD, ROOT_PASSWORD_MEANING, True, "demo")
    for setting in (sink.host, sink.port, sink.database, sink.username):
        add(setting, None)
    add(sink.password, literal(spec.sink.password) or bundled_sink)
    settings = (
        *(source.host, source.port, source.username, source.password),
        *(sink.host, sink.port, sink.database, sink.username, sink.password),
    )
    for setting in settings:
        if setting.override not in found:
            default = setting.value if setting.variable is None else f"${setting.variable}"
            found[setting.override] = Variable(
                setting.override, f"overrides the {setting.meaning}", False, None, default
            )
    return tuple(found.values())


def _server_id(site: str, source: str) -> int:
    """Derive a replica's id that is stable and differs between sites (two of one id break each other)."""
    digest = hashlib.sha256(f"{site}/{source}".encode()).digest()
    return 100_000 + int.from_bytes(digest[:4]) % 2_000_000_000


def _captured(tables: tuple[str, ...]) -> str:
    """Hash which tables and columns are captured."""
    columns = (f"{table}.{column.name}" for table in tables for column in TABLES[table].columns)
    return hashlib.sha256("\n".join(columns).encode()).hexdigest()[:8]


def _fingerprint(
    source: SourcePlan, sink: SinkPlan, tables: list[FlattenedTable], parallelism: int
) -> str:
    """Hash what the tables are and how they are filled."""
    digest = hashlib.sha256()
    parts = [source.topic_prefix, source.database, sink.schema, str(parallelism)]
    for table in tables:
        parts.append(insert_sql(table))
        parts += (f"{column.name} {column.type}" for column in table.columns)
    for part in parts:
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:16]

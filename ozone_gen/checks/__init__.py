"""Rules across fields of ozone.yaml: each value has the right shape, but do they go together?

A rule is a function that yields findings; RULES lists them. Rules about own tables are in tables.py and columns.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from ozone_gen.checks.renames import former_columns_are_free, former_names_are_free
from ozone_gen.checks.site import CheckedSite, Rule
from ozone_gen.checks.superset import SUPERSET_RULES
from ozone_gen.checks.tables import TABLE_RULES, context_of
from ozone_gen.components import object_store, parquet_export
from ozone_gen.diagnostics import Diagnostic, Path, codes, did_you_mean, dotted, in_order
from ozone_gen.flattening.core import CORE_TABLES, core_tables_of
from ozone_gen.flattening.flink import SINK_DATABASE
from ozone_gen.flattening.sink_names import KEYWORDS, SYSTEM_COLUMNS
from ozone_gen.openmrs.dictionary import Dictionary
from ozone_gen.openmrs.tables import newest_table, tables_of
from ozone_gen.source import Source
from ozone_gen.spec import PUBLISHED_PORTS, ColumnSpec, OpenmrsSpec, OzoneSpec
from ozone_gen.values import referenced_variable

BUNDLED_SOURCE: Final = ("mysql", 3306)
BUNDLED_SINK: Final = ("postgresql", 5432)
"""Host and port of the databases that a site runs itself, inside its own network."""

SOURCE_OVERRIDES: Final = {
    "host": "CONNECT_MYSQL_HOSTNAME",
    "port": "CONNECT_MYSQL_PORT",
    "username": "CONNECT_MYSQL_USERNAME",
    "password": "CONNECT_MYSQL_PASSWORD",
}
SINK_OVERRIDES: Final = {
    "host": "ANALYTICS_DB_HOST",
    "port": "ANALYTICS_DB_PORT",
    "database": "ANALYTICS_DB_NAME",
    "username": "ANALYTICS_DB_USER",
    "password": "ANALYTICS_DB_PASSWORD",
}
"""The variables that override settings when a site starts."""


_SYSTEM_SCHEMAS: Final = frozenset({"ozone_gen", "information_schema"})
_SYSTEM_DATABASES: Final = frozenset({"mysql", "sys", "information_schema", "performance_schema"})
_FLINK_DATABASES: Final = frozenset({SINK_DATABASE, "default_database", "information_schema"})
_NEED_A_SOURCE: Final = ("high_availability", "kafka_ui", "parquet_export")
_LOOPBACK: Final = re.compile(r"localhost|.*\.localhost|127\.[0-9.]+|::1", re.IGNORECASE)


def check(spec: OzoneSpec, source: Source, dictionary: Dictionary | None) -> tuple[Diagnostic, ...]:
    """Every finding about fields that do not go together, in the order of the file.

    Args:
        spec: what the file says.
        source: the file, for positions.
        dictionary: the concepts of the site's OpenMRS database, where they are at hand.
    """
    site = CheckedSite(spec, source, dictionary)
    return in_order(finding for rule in RULES for finding in rule(site))


def dictionary_of(spec: OzoneSpec) -> Dictionary | None:
    """The dictionary that is at hand for a site: that of the demo data, where it has them."""
    if any(source.demo for source in spec.sources.values()):
        # Imported where it is needed: most sites have a database of their own, and `validate` is to start fast.
        from ozone_gen.openmrs.demo_vocabulary import demo_dictionary

        return demo_dictionary(spec.site.locales)
    return None


# --- the site


def _timezone_exists(site: CheckedSite) -> Iterator[Diagnostic]:
    timezone = site.spec.site.timezone
    if not _is_timezone(timezone):
        message = f"there is no time zone `{timezone}`"
        yield site.value(
            codes.UnknownTimezone, ("site", "timezone"), message, did_you_mean(timezone, _timezones())
        )


def timezone_problem(name: str) -> str:
    """What is wrong with a time zone, on one line; empty where there is one of this name."""
    return "" if _is_timezone(name) else f"there is no time zone `{name}`; {did_you_mean(name, _timezones())}"


@cache
def _is_timezone(name: str) -> bool:
    from zoneinfo import ZoneInfo

    # One look-up is a fraction of a millisecond; the list of them all takes a tenth of a second.
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return not _timezones()  # A machine without the database cannot tell.
    return name not in ("Factory", "localtime", "posixrules") and not name.startswith(("posix/", "right/"))


@cache
def _timezones() -> tuple[str, ...]:
    from zoneinfo import available_timezones

    return tuple(sorted(available_timezones() - {"Factory", "localtime"}))


def _no_repeated_entries(site: CheckedSite) -> Iterator[Diagnostic]:
    lists: list[tuple[Path, Sequence[str]]] = [(("site", "locales"), site.spec.site.locales)]
    core = site.spec.flattening.core
    if core != "all":
        lists.append((("flattening", "core"), core))
    lists += [((*path, "modules"), source.modules) for path, _, source in site.sources]
    for path, _, table in site.tables:
        for key in ("encounter_types", "visit_types", "forms", "locations", "concepts", "context"):
            lists.append(((*path, key), getattr(table, key) or ()))
        for name, column in table.columns.items():
            for key, references in (("concept", column.concept), ("answer", column.answer)) if (
                isinstance(column, ColumnSpec)
            ) else ():
                lists.append(((*path, "columns", name, key), () if isinstance(references, str) else references or ()))
    for path, entries in lists:
        seen: set[str] = set()
        for place, entry in enumerate(entries):
            if entry in seen:
                message = f"`{entry}` stands in this list already"
                yield site.value(codes.RepeatedEntry, (*path, place), message, "remove one of the two")
            seen.add(entry)


# --- sources and sink


def _one_source(site: CheckedSite) -> Iterator[Diagnostic]:
    for path, _, _ in list(site.sources)[1:]:
        message = "a site has one source, and there is another above"
        hint = "make one ozone.yaml for each source; `sink.schema` keeps their tables apart"
        yield site.key(codes.SeveralSources, path, message, hint)


def _bundled_addresses(site: CheckedSite) -> Iterator[Diagnostic]:
    for path, name, source in site.sources:
        if source.demo is not None:
            for key, given, fixed in zip(
                ("host", "port"), (source.host, source.port), BUNDLED_SOURCE, strict=True
            ):
                if given != fixed:
                    message = f"the bundled database of `demo` has the {key} {fixed}"
                    hint = f"remove `{key}`, or remove `demo` to read a database of your own"
                    if key == "port":
                        hint += "; its port on the host is `ports.mysql`"
                    yield site.value(codes.BundledAddress, (*path, key), message, hint)
        elif source.host == BUNDLED_SOURCE[0]:
            message = f"`{source.host}` is the bundled database of `demo`, which `{name}` does not have"
            hint = "set `host` to the clinic's database, or add `demo: {}`"
            yield site.value(codes.NoBundledDatabase, (*path, "host"), message, hint)
    sink = site.spec.sink
    if sink.host == BUNDLED_SINK[0] and sink.port != BUNDLED_SINK[1]:
        message = f"the bundled database `{BUNDLED_SINK[0]}` has the port {BUNDLED_SINK[1]}"
        hint = "remove `port`; its port on the host is `ports.postgresql`"
        yield site.value(codes.BundledAddress, ("sink", "port"), message, hint)


def _hosts_are_reachable(site: CheckedSite) -> Iterator[Diagnostic]:
    hosts = [((*path, "host"), source.host) for path, _, source in site.sources]
    for path, host in [*hosts, (("sink", "host"), site.spec.sink.host)]:
        if _LOOPBACK.fullmatch(host):
            message = f"inside a container `{host}` is the container itself"
            hint = "write the name or address by which other machines reach the database"
            yield site.value(codes.LoopbackHost, path, message, hint)


def _passwords_are_variables(site: CheckedSite) -> Iterator[Diagnostic]:
    passwords: list[tuple[Path, str, str]] = [
        *(((*path, "password"), source.password, "OPENMRS_DB_PASSWORD") for path, _, source in site.sources),
        (("sink", "password"), site.spec.sink.password, "ANALYTICS_DB_PASSWORD"),
    ]
    passwords += ((path, value, f"{path[1]}_{path[2]}".upper()) for path, value in _component_secrets(site))
    for path, password, usual in passwords:
        if referenced_variable(password):
            continue
        hint = f'write "${{{usual}}}", and its value into .env beside the rendered files'
        if re.fullmatch(r"\$[A-Za-z_][A-Za-z0-9_]*", password):
            message = "a reference to a variable has braces"
            hint = f"write ${{{password[1:].upper()}}}"
            yield site.value(codes.BadVariableReference, path, message, hint)
        else:
            yield site.value(codes.LiteralPassword, path, "a password stands in the file as such", hint)


def _component_secrets(site: CheckedSite) -> Iterator[tuple[tuple[str, str, str], str]]:
    """The passwords of optional parts, each with its place."""
    for name, options in dict(site.spec.components).items():
        for key, value in dict(options or {}).items():
            if key.endswith("password"):
                yield ("components", name, key), value


def _variables_have_one_use(site: CheckedSite) -> Iterator[Diagnostic]:
    uses: dict[Path, str] = {("sink", key): override for key, override in SINK_OVERRIDES.items()}
    for path, _, _ in site.sources:
        uses |= {(*path, key): override for key, override in SOURCE_OVERRIDES.items()}
    settings: dict[Path, str] = {
        ("sink", key): getattr(site.spec.sink, key) for key in ("host", "username", "password")
    }
    for path, _, source in site.sources:
        settings |= {(*path, key): getattr(source, key) for key in ("host", "username", "password")}
    settings |= dict(_component_secrets(site))
    for place, value in settings.items():
        variable = referenced_variable(value)
        for owner, override in uses.items():
            if variable == override and uses.get(place) != override:
                message = f"`{variable}` overrides `{dotted(owner)}` when the site starts"
                hint = "use a variable of another name here"
                yield site.value(codes.VariableConflict, place, message, hint)
                break


# --- names


def _names_are_free(site: CheckedSite) -> Iterator[Diagnostic]:
    for path, name, source in site.sources:
        if name in _FLINK_DATABASES:
            message = f"`{name}` is a database of the Flink job itself"
            yield site.key(codes.ReservedName, path, message, "choose another name, such as `openmrs`")
        if source.database.lower() in _SYSTEM_DATABASES:
            message = f"`{source.database}` is a database of the server itself"
            yield site.value(codes.ReservedName, (*path, "database"), message, "name the OpenMRS database")
        if source.demo is not None and source.username == "root":
            message = "`root` is the bundled database's administrator, with a password of its own"
            yield site.value(codes.ReservedName, (*path, "username"), message, "choose another name")
    schema = site.spec.sink.schema_name
    if schema in _SYSTEM_SCHEMAS or schema.startswith("pg_"):
        owner = "ozone-gen" if schema == "ozone_gen" else "PostgreSQL"
        message = f"the schema `{schema}` is kept by {owner} for itself"
        yield site.value(codes.ReservedName, ("sink", "schema"), message, "choose another schema")
    for path, _, table in site.tables:
        context = context_of(table)
        for name in table.columns:
            place = (*path, "columns", name)
            if name in SYSTEM_COLUMNS:
                message = f"every table of PostgreSQL has a column `{name}` of its own"
                yield site.key(codes.ReservedName, place, message, "choose another name")
            if name in KEYWORDS:
                # Flink's connector writes the names of columns without quotes.
                message = f"`{name}` is a word of PostgreSQL's SQL, which cannot name a column without quotes"
                yield site.key(codes.ReservedName, place, message, f"choose another name, such as `{name}_value`")
            if name in context:
                message = f"every table with `rows: {table.rows}` has a column `{name}` by itself"
                hint = "remove it, choose another name, or leave it out of `context`"
                yield site.key(codes.DuplicateName, place, message, hint)


def _core_tables(site: CheckedSite) -> Sequence[str]:
    core: Sequence[str] = site.spec.flattening.core
    if core == "all":
        for _, _, source in site.sources:
            return core_tables_of(tables_of(source.platform, source.modules))
        return tuple(CORE_TABLES)
    return core


def _tables_differ(site: CheckedSite) -> Iterator[Diagnostic]:
    core = _core_tables(site)
    for path, name, _ in site.tables:
        if name in core:
            hint = "choose another name, or leave it out of `core`"
            yield site.key(codes.DuplicateName, path, f"there is a core table `{name}` already", hint)


def _renames_are_possible(site: CheckedSite) -> Iterator[Diagnostic]:
    yield from former_names_are_free(site, _core_tables(site))
    yield from former_columns_are_free(site, {name: context_of(table) for _, name, table in site.tables})


def _source_has_core_tables(site: CheckedSite) -> Iterator[Diagnostic]:
    core: Sequence[str] = () if site.spec.flattening.core == "all" else site.spec.flattening.core
    for source_path, _, source in list(site.sources)[:1]:
        yield from _core_tables_of_source(site, core, source_path, source)


def _core_tables_of_source(
    site: CheckedSite, core: Sequence[str], source_path: Path, source: OpenmrsSpec
) -> Iterator[Diagnostic]:
    schema = tables_of(source.platform, source.modules)
    for place, name in enumerate(core):
        table = newest_table(CORE_TABLES[name].rows_of)
        path = ("flattening", "core", place)
        if table.module is not None and table.module not in source.modules:
            message = f"`{name}` is of the {table.module} module, which the source is not said to have"
            hint = f"add `modules: [{table.module}]` under `{dotted(source_path)}`, or remove it here"
            yield site.value(codes.ModuleNotDeclared, path, message, hint)
        elif table.name not in schema:
            message = f"OpenMRS {source.platform} has no table of {name.replace('_', ' ')}; it came with {table.since}"
            hint = f"remove it, or correct `{dotted((*source_path, 'platform'))}`"
            yield site.value(codes.NotInPlatform, path, message, hint)


def _sources_exist(site: CheckedSite) -> Iterator[Diagnostic]:
    for path, _, table in site.tables:
        if table.source is not None and table.source not in site.spec.sources:
            message = f"there is no source `{table.source}`"
            hint = did_you_mean(table.source, site.spec.sources)
            yield site.value(codes.UnknownReference, (*path, "source"), message, hint)


def _exported_tables_exist(site: CheckedSite) -> Iterator[Diagnostic]:
    options = getattr(site.spec.components, parquet_export.component.name)
    tables = (*_core_tables(site), *site.spec.flattening.tables)
    for place, name in enumerate((options and options.tables) or ()):
        if name not in tables:
            path = ("components", parquet_export.component.name, "tables", place)
            message = f"there is no flattened table `{name}`"
            yield site.value(codes.UnknownReference, path, message, did_you_mean(name, tables))


def _parts_have_what_they_need(site: CheckedSite) -> Iterator[Diagnostic]:
    asked = {name for name, options in dict(site.spec.components).items() if options is not None}
    if not site.spec.sources:
        for name in (name for name in _NEED_A_SOURCE if name in asked):
            message = f"`{name}` is of a site that flattens a database, and this file has no source"
            yield site.key(codes.MissingPart, ("components", name), message, "add the database under `sources`")
        if "drill" not in asked:
            message = "there is no source, and no `drill` that would make this a central server"
            yield site.value(codes.MissingPart, ("sources",), message, "add the OpenMRS database under `sources`")


    if "drill" in asked and "object_store" not in asked:
        message = "`drill` reads an object store, and this file has none"
        yield site.key(codes.MissingPart, ("components", "drill"), message, "add `object_store: {}`")


def _store_has_one_address(site: CheckedSite) -> Iterator[Diagnostic]:
    store = getattr(site.spec.components, object_store.component.name)
    if store is not None and store.type != "s3" and store.endpoint is not None:
        message = f"the {store.type} that this server runs itself has an address of its own"
        hint = "remove `endpoint`, or write `type: s3` to use an existing store"
        path = ("components", object_store.component.name, "endpoint")
        yield site.value(codes.BundledAddress, path, message, hint)


def _something_to_flatten(site: CheckedSite) -> Iterator[Diagnostic]:
    if not site.spec.sources:
        return
    if not site.spec.flattening.core and not site.spec.flattening.tables:
        hint = "add `core: all`, or a table under `tables`"
        yield site.key(codes.NothingToFlatten, ("flattening",), "no table is asked for", hint)


# --- ports


def published_parts(spec: OzoneSpec) -> tuple[str, ...]:
    """The parts of a site that could publish a port on the host."""
    parts = ["connect", "flink"] if spec.sources else []
    if any(source.demo for source in spec.sources.values()):
        parts.append("mysql")
    if spec.sink.host == BUNDLED_SINK[0]:
        parts.append("postgresql")
    parts += (name for name in PUBLISHED_PORTS if getattr(spec.components, name, None) is not None)
    store = getattr(spec.components, object_store.component.name)
    if store is None or store.type == "s3":
        parts = [part for part in parts if part != "object_store"]
    elif store.type == "minio":
        parts.append("object_store_console")
    return tuple(part for part in PUBLISHED_PORTS if part in parts)


def _ports_differ(site: CheckedSite) -> Iterator[Diagnostic]:
    ports = {part: getattr(site.spec.ports, part) for part in published_parts(site.spec)}
    used = Counter(port for port in ports.values() if port is not None)
    for part, port in ports.items():
        path = ("ports", part)
        if used[port] > 1 and site.given(path):
            others = " and ".join(f"`{other}`" for other in ports if other != part and ports[other] == port)
            hint = "give one of them another port, or close it with null"
            yield site.value(codes.PortConflict, path, f"{port} is also the port of {others}", hint)


RULES: Final[tuple[Rule, ...]] = (
    _timezone_exists,
    _no_repeated_entries,
    _one_source,
    _bundled_addresses,
    _hosts_are_reachable,
    _passwords_are_variables,
    _variables_have_one_use,
    _names_are_free,
    _tables_differ,
    _renames_are_possible,
    _source_has_core_tables,
    _sources_exist,
    _exported_tables_exist,
    _parts_have_what_they_need,
    _store_has_one_address,
    _something_to_flatten,
    _ports_differ,
    *TABLE_RULES,
    *SUPERSET_RULES,
)

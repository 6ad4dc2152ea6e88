"""Rules across fields of ozone.yaml: each value has the right shape, but do they go together?

A rule is a function that yields findings; RULES lists them. What a column holds is decided here, too, since
that is half a check (`column_type`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from ozone_gen.diagnostics import Diagnostic, Path, codes, did_you_mean, dotted, in_order
from ozone_gen.flattening.core import CORE_TABLES
from ozone_gen.flattening.declared import DATATYPES, READABLE, REPEATS, ColumnType, Repeat
from ozone_gen.flattening.encounter_rows import CONTEXT
from ozone_gen.flattening.flink import SINK_DATABASE
from ozone_gen.openmrs.dictionary import Concept, Dictionary, demo_dictionary
from ozone_gen.source import Source
from ozone_gen.spec import (
    PUBLISHED_PORTS,
    ColumnSpec,
    EncounterTableSpec,
    OpenmrsSpec,
    OzoneSpec,
    referenced_variable,
)

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

_SYSTEM_COLUMNS: Final = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
"""Columns that every table of PostgreSQL has (its manual, "System Columns")."""

_SYSTEM_SCHEMAS: Final = frozenset({"ozone_gen", "information_schema"})
_SYSTEM_DATABASES: Final = frozenset({"mysql", "sys", "information_schema", "performance_schema"})
_FLINK_DATABASES: Final = frozenset({SINK_DATABASE, "default_database", "information_schema"})
_LOOPBACK: Final = re.compile(r"localhost|.*\.localhost|127\.[0-9.]+|::1", re.IGNORECASE)


def check(spec: OzoneSpec, source: Source, dictionary: Dictionary | None) -> tuple[Diagnostic, ...]:
    """Every finding about fields that do not go together, in the order of the file.

    Args:
        spec: what the file says.
        source: the file, for positions.
        dictionary: the concepts of the site's OpenMRS database, where they are at hand.
    """
    site = _Site(spec, source, dictionary)
    return in_order(finding for rule in RULES for finding in rule(site))


def dictionary_of(spec: OzoneSpec) -> Dictionary | None:
    """The dictionary that is at hand for a site: that of the demo data, where it has them."""
    if any(source.demo for source in spec.sources.values()):
        return demo_dictionary()
    return None


def column_type(column: ColumnSpec, dictionary: Dictionary | None) -> ColumnType | None:
    """What a column holds: as declared, else as its concept's datatype says; None where nothing says it."""
    if column.type is not None:
        return column.type
    if column.value is not None:
        return ColumnType.CODED
    found = dictionary.find(column.concept) if dictionary else ()
    return DATATYPES.get(found[0].datatype) if len(found) == 1 else None


@dataclass(frozen=True)
class _Site:
    """What the rules look at."""

    spec: OzoneSpec
    source: Source
    dictionary: Dictionary | None

    def value(self, code: type[codes.Code], path: Path, message: str, hint: str = "") -> Diagnostic:
        """A finding about a value; about the mapping that lacks it where it has its default."""
        return code.at(self.source.position(path), message, path=path, hint=hint)

    def key(self, code: type[codes.Code], path: Path, message: str, hint: str = "") -> Diagnostic:
        """A finding about a key, which is a name."""
        return code.at(self.source.position(path, key=True), message, path=path, hint=hint)

    def given(self, path: Path) -> bool:
        """Say whether the file has a value at a place, rather than its default."""
        value: Any = self.source.data
        for part in path:
            if not isinstance(value, dict) or part not in value:
                return False
            value = value[part]
        return True

    @property
    def tables(self) -> Iterator[tuple[Path, str, EncounterTableSpec]]:
        """The own tables: place, name, and what was declared."""
        for name, table in self.spec.flattening.tables.items():
            yield ("flattening", "tables", name), name, table

    @property
    def sources(self) -> Iterator[tuple[Path, str, OpenmrsSpec]]:
        """The sources: place, name, and what was declared."""
        for name, source in self.spec.sources.items():
            yield ("sources", name), name, source


Rule = Callable[[_Site], Iterator[Diagnostic]]


# --- the site


def _timezone_exists(site: _Site) -> Iterator[Diagnostic]:
    timezone = site.spec.site.timezone
    if not _is_timezone(timezone):
        message = f"there is no time zone `{timezone}`"
        yield site.value(
            codes.UnknownTimezone, ("site", "timezone"), message, did_you_mean(timezone, _timezones())
        )


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


def _no_repeated_entries(site: _Site) -> Iterator[Diagnostic]:
    lists: list[tuple[Path, Sequence[str]]] = [(("site", "locales"), site.spec.site.locales)]
    core = site.spec.flattening.core
    if core != "all":
        lists.append((("flattening", "core"), core))
    lists += [((*path, "encounter_types"), table.encounter_types) for path, _, table in site.tables]
    for path, entries in lists:
        seen: set[str] = set()
        for place, entry in enumerate(entries):
            if entry in seen:
                message = f"`{entry}` stands in this list already"
                yield site.value(codes.RepeatedEntry, (*path, place), message, "remove one of the two")
            seen.add(entry)


# --- sources and sink


def _one_source(site: _Site) -> Iterator[Diagnostic]:
    for path, _, _ in list(site.sources)[1:]:
        message = "a site has one source, and there is another above"
        hint = "make one ozone.yaml for each source; `sink.schema` keeps their tables apart"
        yield site.key(codes.SeveralSources, path, message, hint)


def _bundled_addresses(site: _Site) -> Iterator[Diagnostic]:
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


def _hosts_are_reachable(site: _Site) -> Iterator[Diagnostic]:
    hosts = [((*path, "host"), source.host) for path, _, source in site.sources]
    for path, host in [*hosts, (("sink", "host"), site.spec.sink.host)]:
        if _LOOPBACK.fullmatch(host):
            message = f"inside a container `{host}` is the container itself"
            hint = "write the name or address by which other machines reach the database"
            yield site.value(codes.LoopbackHost, path, message, hint)


def _passwords_are_variables(site: _Site) -> Iterator[Diagnostic]:
    passwords = [((*path, "password"), source.password, "OPENMRS") for path, _, source in site.sources]
    for path, password, prefix in [
        *passwords,
        (("sink", "password"), site.spec.sink.password, "ANALYTICS"),
    ]:
        if referenced_variable(password):
            continue
        hint = f'write "${{{prefix}_DB_PASSWORD}}", and its value into .env beside the rendered files'
        if re.fullmatch(r"\$[A-Za-z_][A-Za-z0-9_]*", password):
            message = "a reference to a variable has braces"
            hint = f"write ${{{password[1:].upper()}}}"
            yield site.value(codes.BadVariableReference, path, message, hint)
        else:
            yield site.value(codes.LiteralPassword, path, "a password stands in the file as such", hint)


def _variables_have_one_use(site: _Site) -> Iterator[Diagnostic]:
    uses: dict[Path, str] = {("sink", key): override for key, override in SINK_OVERRIDES.items()}
    for path, _, _ in site.sources:
        uses |= {(*path, key): override for key, override in SOURCE_OVERRIDES.items()}
    settings: dict[Path, str] = {
        ("sink", key): getattr(site.spec.sink, key) for key in ("host", "username", "password")
    }
    for path, _, source in site.sources:
        settings |= {(*path, key): getattr(source, key) for key in ("host", "username", "password")}
    for place, value in settings.items():
        variable = referenced_variable(value)
        for owner, override in uses.items():
            if variable == override and uses[place] != override:
                message = f"`{variable}` overrides `{dotted(owner)}` when the site starts"
                hint = "use a variable of another name here"
                yield site.value(codes.VariableConflict, place, message, hint)
                break


# --- names


def _names_are_free(site: _Site) -> Iterator[Diagnostic]:
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
    context = {column for column, *_ in CONTEXT}
    for path, _, table in site.tables:
        for name in table.columns:
            place = (*path, "columns", name)
            if name in _SYSTEM_COLUMNS:
                message = f"every table of PostgreSQL has a column `{name}` of its own"
                yield site.key(codes.ReservedName, place, message, "choose another name")
            if name in context:
                message = f"every table with `rows: {table.rows}` has a column `{name}` by itself"
                yield site.key(codes.DuplicateName, place, message, "remove it, or choose another name")


def _tables_differ(site: _Site) -> Iterator[Diagnostic]:
    core = CORE_TABLES if site.spec.flattening.core == "all" else site.spec.flattening.core
    for path, name, _ in site.tables:
        if name in core:
            hint = "choose another name, or leave it out of `core`"
            yield site.key(codes.DuplicateName, path, f"there is a core table `{name}` already", hint)


def _sources_exist(site: _Site) -> Iterator[Diagnostic]:
    for path, _, table in site.tables:
        if table.source is not None and table.source not in site.spec.sources:
            message = f"there is no source `{table.source}`"
            hint = did_you_mean(table.source, site.spec.sources)
            yield site.value(codes.UnknownReference, (*path, "source"), message, hint)


def _something_to_flatten(site: _Site) -> Iterator[Diagnostic]:
    if not site.spec.flattening.core and not site.spec.flattening.tables:
        hint = "add `core: all`, or a table under `tables`"
        yield site.key(codes.NothingToFlatten, ("flattening",), "no table is asked for", hint)


# --- ports


def published_parts(spec: OzoneSpec) -> tuple[str, ...]:
    """The parts of a site that could publish a port on the host."""
    parts = ["connect", "flink"]
    if any(source.demo for source in spec.sources.values()):
        parts.append("mysql")
    if spec.sink.host == BUNDLED_SINK[0]:
        parts.append("postgresql")
    parts += (name for name in PUBLISHED_PORTS if getattr(spec.components, name, None) is not None)
    return tuple(part for part in PUBLISHED_PORTS if part in parts)


def _ports_differ(site: _Site) -> Iterator[Diagnostic]:
    ports = {part: getattr(site.spec.ports, part) for part in published_parts(site.spec)}
    used = Counter(port for port in ports.values() if port is not None)
    for part, port in ports.items():
        path = ("ports", part)
        if used[port] > 1 and site.given(path):
            others = " and ".join(f"`{other}`" for other in ports if other != part and ports[other] == port)
            hint = "give one of them another port, or close it with null"
            yield site.value(codes.PortConflict, path, f"{port} is also the port of {others}", hint)


# --- columns


def _encounter_types_exist(site: _Site) -> Iterator[Diagnostic]:
    dictionary = site.dictionary
    if dictionary is None:
        return
    for path, _, table in site.tables:
        for place, wanted in enumerate(table.encounter_types):
            if dictionary.encounter_type(wanted) is None:
                message = f"there is no encounter type `{wanted}` in {dictionary.origin}"
                hint = did_you_mean(wanted, (each.name for each in dictionary.encounter_types))
                yield site.value(
                    codes.UnknownEncounterType, (*path, "encounter_types", place), message, hint
                )


def _columns_can_be_read(site: _Site) -> Iterator[Diagnostic]:
    for table_path, _, table in site.tables:
        for name, declared in table.columns.items():
            path: Path = (*table_path, "columns", name)
            if isinstance(declared, ColumnSpec):
                yield from _column(site, path, (*path, "concept"), declared)
            else:
                yield from _column(site, path, path, ColumnSpec(concept=declared))


def _column(site: _Site, path: Path, concept_path: Path, column: ColumnSpec) -> Iterator[Diagnostic]:
    kind = column_type(column, site.dictionary)
    if site.dictionary is not None:
        found = site.dictionary.find(column.concept)
        if len(found) != 1:
            yield _not_one(site, site.dictionary, concept_path, column.concept, found)
        else:
            yield from _datatype(site, path, concept_path, column, found[0])
    elif kind is None:
        message = f"the datatype of {column.concept} is not known here, so it has to be said"
        hint = f"write {{concept: {column.concept}, type: ...}} with one of {', '.join(ColumnType)}"
        yield site.value(codes.UnknownDatatype, concept_path, message, hint)
    if column.value is not None and kind is not ColumnType.CODED:
        message = f"`value` says how a coded answer is written, and the column is {kind}"
        yield site.value(codes.ValueNotPossible, (*path, "value"), message, "remove `value`")
    if kind is not None and column.repeat not in REPEATS[kind]:
        possible = ", ".join(repeat for repeat in Repeat if repeat in REPEATS[kind])
        message = f"`{column.repeat}` is not possible for a column that is {kind}"
        yield site.value(codes.RepeatNotPossible, (*path, "repeat"), message, f"possible are {possible}")


def _not_one(
    site: _Site, dictionary: Dictionary, path: Path, reference: str, found: tuple[Concept, ...]
) -> Diagnostic:
    if found:
        message = f"{reference} is the code of {len(found)} concepts in {dictionary.origin}"
        listed = " or ".join(f"{concept.uuid} ({concept.name})" for concept in found[:3])
        return site.value(codes.AmbiguousConcept, path, message, f"write the uuid: {listed}")
    message = f"there is no concept {reference} in {dictionary.origin}"
    close = " or ".join(f"{known} ({concept.name})" for known, concept in dictionary.close(reference))
    hint = f"did you mean {close}?" if close else "a concept has a uuid, or a SAME-AS mapping to such a code"
    return site.value(codes.UnknownConcept, path, message, hint)


def _datatype(
    site: _Site, path: Path, concept_path: Path, column: ColumnSpec, concept: Concept
) -> Iterator[Diagnostic]:
    readable = READABLE.get(concept.datatype, frozenset())
    wanted = column.type or (ColumnType.CODED if column.value else None)
    if wanted in readable or (wanted is None and concept.datatype in DATATYPES):
        return
    what = f"{column.concept} ({concept.name}) is of datatype {concept.datatype}"
    place = concept_path
    if wanted is not None and readable:
        place = (*path, "type" if column.type else "value")
        message = f"{what} and cannot be read as {wanted}"
        hint = f"it can be read as {' or '.join(each for each in ColumnType if each in readable)}"
    else:
        message = f"{what}, whose observations have no value that a column can hold"
        hint = "use a concept that is a question of a form, not an answer or a group"
    yield site.value(codes.WrongDatatype, place, message, hint)


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
    _sources_exist,
    _something_to_flatten,
    _ports_differ,
    _encounter_types_exist,
    _columns_can_be_read,
)

"""What a site's folder says: its compose files, its variables and its connectors, each value with its place.

The layout is that of Ozone Analytics (github.com/ozone-his/ozone-analytics): `docker-compose-*.yaml` and `.env` in one
folder, often called `docker`; settings of Debezium in JSON files or inside of `setup-connect.sh`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ozone_gen.diagnostics import OutputError, OzoneError, Position, codes

LARGEST: Final = 1024 * 1024
"""Bytes of a file; compose files of hand are of some kilobytes."""
DEEPEST: Final = 4
"""Folders below the site's in which connectors and queries are looked for."""
_SKIPPED: Final = frozenset({".git", "node_modules", "target", "parquet"})
_COMPOSE: Final = ("docker-compose*.y*ml", "compose*.y*ml")
_ENV_LINE: Final = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)")
_REFERENCE: Final = re.compile(r"\$(?:\{(\w+)(?:(:?[-?+])((?:[^{}]|\$\{[^{}]*\})*))?\}|(\w+))")
# A setting of a connector, in JSON of its own or inside a script.
_SETTING: Final = re.compile(r'"([a-z][\w.]*)"\s*:\s*"((?:[^"\\]|\\.)*)"')
_CLASS: Final = "connector.class"
_FILE_PROVIDER: Final = re.compile(r"\$\{file:[^:}]+:([\w.]+)\}")


@dataclass(frozen=True)
class Value:
    """A text and where it stands."""

    text: str
    position: Position


@dataclass(frozen=True)
class Service:
    """A service of a compose file: its image, environment and published ports, and where each stands."""

    name: str
    position: Position
    image: Value | None
    environment: Mapping[str, Value]
    ports: tuple[Value, ...]
    labels: str
    volumes: tuple[str, ...]


@dataclass(frozen=True)
class Connector:
    """A connector's settings; `kind` is the last part of its class, such as MySqlConnector."""

    kind: str
    position: Position
    settings: Mapping[str, Value]


@dataclass(frozen=True)
class Folder:
    """All that a folder says; `queries` are the SQL files that fill tables, by the tables' names."""

    path: Path
    services: Mapping[str, Service]
    variables: Mapping[str, Value]
    connectors: tuple[Connector, ...]
    queries: Mapping[str, Path]

    def resolved(self, text: str) -> str:
        """A text with the variables that it refers to, as Compose would fill them in; those not known stay."""
        return _REFERENCE.sub(self._filled, text)

    def _filled(self, found: re.Match[str]) -> str:
        name, mark, alternative = found[1] or found[4], found[2] or "", found[3] or ""
        value = self.variables.get(name)
        if value is not None and (value.text or not mark.startswith(":")):
            # What refers to itself, in a file made by hand, must not go on for ever.
            return value.text if "$" not in value.text else _REFERENCE.sub("", value.text)
        return self.resolved(alternative) if mark.endswith("-") else found[0] if value is None else ""


def read_folder(path: Path) -> Folder:
    """Read a folder, or the folder `docker` inside of it where the compose files are there.

    Raises:
        OutputError: it is not there or cannot be read.
        OzoneError: no compose file is in it, or one is not YAML.
    """
    if not path.is_dir():
        message = "this is no folder" if path.exists() else "there is no such folder"
        raise OutputError(codes.NothingToImport.at(Position(str(path)), message))
    try:
        top, files = path, _compose_files(path)
        if not files:
            top, files = path / "docker", _compose_files(path / "docker")
        if not files:
            hint = "name the folder that holds docker-compose-*.yaml and .env"
            message = "no compose file is in this folder"
            raise OzoneError(codes.NothingToImport.at(Position(str(path)), message, hint=hint))
        services: dict[str, Service] = {}
        problems: list[OzoneError] = []
        for file in files:
            try:
                for service in _services(file):
                    services[service.name] = _joined(services.get(service.name), service)
            except OzoneError as error:
                problems.append(error)
        if problems:
            raise OzoneError([finding for problem in problems for finding in problem.diagnostics])
        below = sorted(_files_below(path, DEEPEST))
        connectors = [connector for file in below for connector in _connectors(file)]
        return Folder(top, services, _variables(top), tuple(connectors), _queries(below))
    except OSError as error:
        message = f"it cannot be read: {(error.strerror or str(error)).lower()}"
        raise OutputError(codes.NothingToImport.at(Position(str(error.filename or path)), message)) from error


def _compose_files(folder: Path) -> list[Path]:
    return sorted({file for pattern in _COMPOSE for file in folder.glob(pattern) if file.is_file()})


def _files_below(folder: Path, depth: int) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink() or entry.name in _SKIPPED:
            continue
        if entry.is_dir() and depth:
            yield from _files_below(entry, depth - 1)
        elif entry.suffix in (".json", ".sh", ".sql") and entry.stat().st_size <= LARGEST:
            yield entry


def _text(file: Path) -> str:
    return file.read_bytes()[:LARGEST].decode("utf-8-sig", errors="replace")


# --- compose files


def _services(file: Path) -> Iterator[Service]:
    try:
        document = YAML(typ="rt", pure=True).load(_text(file))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Position(str(file), mark.line + 1, mark.column + 1) if mark else Position(str(file))
        raise OzoneError(codes.YamlSyntax.at(place, f"this is not YAML: {error.problem or error.context}")) from error
    except (YAMLError, RecursionError) as error:
        raise OzoneError(codes.YamlSyntax.at(Position(str(file)), "this is not YAML")) from error
    services = document.get("services") if isinstance(document, CommentedMap) else None
    if not isinstance(services, CommentedMap):
        return
    for name, service in services.items():
        if isinstance(service, CommentedMap):
            yield _service(str(file), services, str(name), service)


def _service(file: str, services: CommentedMap, name: str, service: CommentedMap) -> Service:
    image = service.get("image")
    return Service(
        name=name,
        position=_key(file, services, name),
        image=Value(str(image), _key(file, service, "image")) if image is not None else None,
        environment=dict(_environment(file, service)),
        ports=tuple(_ports(file, service)),
        labels=str(service.get("labels") or ""),
        volumes=tuple(str(volume) for volume in service.get("volumes") or ()),
    )


def _key(file: str, mapping: CommentedMap, key: str) -> Position:
    try:
        line, column = mapping.lc.key(key)
    except (KeyError, TypeError, AttributeError):  # it came by a merge key
        line, column = mapping.lc.line, mapping.lc.col
    return Position(file, line + 1, column + 1)


def _item(file: str, sequence: Any, index: int) -> Position:
    try:
        line, column = sequence.lc.item(index)
    except (KeyError, TypeError, AttributeError):
        return Position(file)
    return Position(file, line + 1, column + 1)


def _environment(file: str, service: CommentedMap) -> Iterator[tuple[str, Value]]:
    environment = service.get("environment")
    if isinstance(environment, CommentedMap):
        for name, value in environment.items():
            yield str(name), Value("" if value is None else str(value), _key(file, environment, name))
    elif isinstance(environment, list):
        for index, entry in enumerate(environment):
            name, _, value = str(entry).partition("=")
            yield name, Value(value, _item(file, environment, index))


def _ports(file: str, service: CommentedMap) -> Iterator[Value]:
    ports = service.get("ports")
    for index, port in enumerate(ports if isinstance(ports, list) else ()):
        if isinstance(port, CommentedMap):
            port = f"{port.get('host_ip', '')}:{port.get('published', '')}:{port.get('target', '')}".lstrip(":")
        yield Value(str(port), _item(file, ports, index))


def _joined(first: Service | None, second: Service) -> Service:
    """A service that stands in two files, as Compose joins them."""
    if first is None:
        return second
    return Service(
        name=first.name,
        position=first.position,
        image=second.image or first.image,
        environment={**first.environment, **second.environment},
        ports=(*first.ports, *second.ports),
        labels=f"{first.labels} {second.labels}",
        volumes=(*first.volumes, *second.volumes),
    )


# --- other files


def _variables(folder: Path) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for file in (*sorted(folder.glob("*.env")), folder / ".env"):
        if not file.is_file():
            continue
        for number, line in enumerate(_text(file).splitlines(), 1):
            entry = _ENV_LINE.fullmatch(line)
            if entry:
                found[entry[1]] = Value(_unquoted(entry[2].strip()), Position(str(file), number, 1))
    return found


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return re.split(r"\s#", text, maxsplit=1)[0].strip()


def _connectors(file: Path) -> Iterator[Connector]:
    if file.suffix not in (".json", ".sh"):
        return
    text = _text(file)
    starts = [found.start() for found in re.finditer(rf'"{re.escape(_CLASS)}"', text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=False):
        settings: dict[str, Value] = {}
        for found in _SETTING.finditer(text, start, end):
            settings.setdefault(found[1], Value(found[2], _at(file, text, found.start())))
        kind = settings[_CLASS].text.rpartition(".")[2] if _CLASS in settings else ""
        yield Connector(kind, _at(file, text, start), settings)


def _at(file: Path, text: str, offset: int) -> Position:
    line = text.count("\n", 0, offset) + 1
    return Position(str(file), line, offset - text.rfind("\n", 0, offset))


def provided(text: str) -> str:
    """The variable of Connect's environment that a setting refers to: `mysql.hostname` is CONNECT_MYSQL_HOSTNAME."""
    found = _FILE_PROVIDER.fullmatch(text)
    return f"CONNECT_{found[1].replace('.', '_').upper()}" if found else ""


def _queries(files: list[Path]) -> dict[str, Path]:
    """SQL files in folders called `queries`, but those of exports, which only copy a table."""
    found = {}
    for file in files:
        folders = file.parts[:-1]
        if file.suffix == ".sql" and "queries" in folders and not {"export", "parquet"} & set(folders):
            found[file.stem.lstrip("_")] = file
    return found

"""What differs between the compose files of two trees, as Compose sees it: services, images, ports, variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Final

from ozone_gen.compare import Kind
from ozone_gen.render.emitted import read_emitted
from ozone_gen.render.tree import File
from ozone_gen.review.model import ImageChange, PortChange, ServiceChange, ServiceFate, VariableChange

# `${NAME}`, `${NAME:-default}`, `${NAME:?what it is}`; `$$` is a dollar sign.
_VARIABLE: Final = re.compile(r"(?<!\$)\$\{(\w+)(?::(\?)([^${}]*))?")
_WORDS: Final = {
    "command": "another command",
    "entrypoint": "another command",
    "healthcheck": "another health check",
    "restart": "another restart policy",
    "ports": "other ports",
}
_COMPOSE_FILE: Final = re.compile(r"docker-compose-[a-z-]+\.yaml")
_ON_DEMAND: Final = "docker-compose-export.yaml"
"""Its services are commands that end, also in folders that older versions rendered."""
_FINGERPRINT: Final = "OZONE_FINGERPRINT"
_COPY: Final = re.compile(r"^COPY (.+)$", re.MULTILINE)
# Compose leaves these out when it decides whether a container is to be made anew.
_NO_RESTART: Final = frozenset({"build", "depends_on", "image", "labels"})


@dataclass(frozen=True)
class Service:
    """A service as it stands in a compose file.

    `builds` says whether it builds its image itself; of several with one image the first does it for all, and its
    `build` stands in the definitions of the others here, too.
    """

    name: str
    on_demand: bool
    definition: Mapping[str, Any]
    builds: bool = False

    @property
    def is_step(self) -> bool:
        """Whether it is a command that ends."""
        return self.definition.get("restart") == "no"

    @property
    def context(self) -> str:
        """The folder that its image is built from; empty where it is not built."""
        return str(self.definition.get("build", {}).get("context", "")).removeprefix("./")

    @property
    def images(self) -> dict[str, str]:
        """The public images that it runs or is built on, by what they are."""
        build = self.definition.get("build")
        if build is None:
            return {"image": str(self.definition.get("image", ""))}
        return {name: str(image) for name, image in build.get("args", {}).items() if name.endswith("_IMAGE")}

    @property
    def volumes(self) -> tuple[str, ...]:
        """Its named volumes."""
        names = (str(volume).split(":")[0] for volume in self.definition.get("volumes", ()))
        return tuple(name for name in names if not name.startswith((".", "/", "~", "$")))

    @property
    def mounts(self) -> tuple[str, ...]:
        """The rendered files and folders that it mounts."""
        names = (str(volume).split(":")[0] for volume in self.definition.get("volumes", ()))
        return tuple(name.removeprefix("./") for name in names if name.startswith("./"))


@dataclass(frozen=True)
class Project:
    """All compose files of a site.

    Attributes:
        name: Compose's name of it.
        services: by name.
        variables: what Compose refuses to start without, each with what it is.
        built_from: the files that go into an image, by the folder that it is built from.
    """

    name: str
    services: Mapping[str, Service]
    variables: Mapping[str, str]
    built_from: Mapping[str, frozenset[str]]


def project(tree: Mapping[str, File]) -> Project:
    """Read the compose files of a tree."""
    name, services, variables = "", {}, {}
    for path in tree:
        if _COMPOSE_FILE.fullmatch(path):
            named, read, required = _read(tree[path].content)
            name = named or name
            variables.update(required)
            read = {key: value for key, value in read.items() if isinstance(value, dict)}
            built = {value.get("image"): value["build"] for value in read.values() if "build" in value}
            for key, value in read.items():
                build = built.get(value.get("image"))
                definition = {**value, "build": build} if build else value
                services[key] = Service(key, path == _ON_DEMAND, definition, builds="build" in value)
    contexts = {service.context for service in services.values()} - {""}
    return Project(name, services, variables, {context: _built_from(tree, context) for context in contexts})


def _built_from(tree: Mapping[str, File], context: str) -> frozenset[str]:
    """The Dockerfile of a folder and the files that it copies from there."""
    dockerfile = f"{context}/Dockerfile"
    if dockerfile not in tree:
        return frozenset()
    copies = _COPY.findall(tree[dockerfile].content.decode("utf-8", errors="replace"))
    patterns = [f"{context}/{source}" for copy in copies if "--from" not in copy for source in copy.split()[:-1]]
    return frozenset(
        path for path in tree if path == dockerfile or any(fnmatchcase(path, pattern) for pattern in patterns)
    )


@lru_cache(maxsize=64)
def _read(content: bytes) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Name, services and required variables of a compose file; many sites of a fleet have the same ones."""
    text = content.decode("utf-8", errors="replace")
    try:
        document = read_emitted(text)
    except ValueError:  # edited, or with texts of several lines
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError

        try:
            document = YAML(typ="safe").load(text)
        except YAMLError:
            document = None
    if not isinstance(document, dict) or not isinstance(document.get("services"), dict):
        return "", {}, {}
    required = {name: meaning for name, mark, meaning in _VARIABLE.findall(text) if mark}
    return str(document.get("name", "")), document["services"], required


def service_changes(old: Project, new: Project, changed: frozenset[str]) -> Iterator[ServiceChange]:
    """What becomes of each service; `changed` are the paths of files that differ."""
    for name in _names(old.services, new.services):
        before, after = old.services.get(name), new.services.get(name)
        if before is None or after is None:
            present = before or after
            assert present is not None
            fate = ServiceFate.ON_DEMAND if present.on_demand else ServiceFate.ADDED
            if after is None and not present.on_demand:
                fate = ServiceFate.REMOVED
            yield ServiceChange(name, fate, volumes=present.volumes)
            continue
        built = old.built_from.get(before.context, frozenset()) | new.built_from.get(after.context, frozenset())
        reasons = tuple(_reasons(before, after, changed, built & changed))
        if not reasons:
            continue
        fate = (
            ServiceFate.ON_DEMAND
            if after.on_demand
            else ServiceFate.RUN_AGAIN if after.is_step else ServiceFate.RESTARTED
        )
        yield ServiceChange(name, fate, reasons, after.volumes)


def _reasons(
    before: Service, after: Service, changed: frozenset[str], built: frozenset[str]
) -> Iterator[str]:
    """What is other about a service, as far as its container is made anew for it."""
    yield from (f"image {was} becomes {now}" for was, now in _images(before, after))
    files = sorted(path for path in changed if _under(path, after.mounts) or _under(path, before.mounts))
    if files:
        yield f"its files {_listed(files)}" if len(files) > 1 else f"its file {files[0]}"
    if built:
        yield f"its image is built from other files, {_listed(sorted(built))}"
    for key in _names(before.definition, after.definition):
        was, now = before.definition.get(key), after.definition.get(key)
        if was == now or key in _NO_RESTART:
            continue
        yield from _of_key(key, was, now)


def _of_key(key: str, was: Any, now: Any) -> Iterator[str]:
    if key == "environment" and isinstance(was or {}, dict) and isinstance(now or {}, dict):
        names = [name for name in _names(was or {}, now or {}) if (was or {}).get(name) != (now or {}).get(name)]
        if _FINGERPRINT in names:
            names.remove(_FINGERPRINT)
            yield "another plan of the tables"
        if names:
            yield f"its setting{'s' if len(names) > 1 else ''} {_listed(names)}"
    elif key == "mem_limit":
        yield f"memory limit {was or 'none'} becomes {now or 'none'}"
    elif key == "volumes":
        yield "other volumes or mounted files"
    else:
        yield _WORDS.get(key, f"another `{key}`")


def _images(before: Service, after: Service) -> list[tuple[str, str]]:
    was, now = before.images, after.images
    pairs = [(was.get(name, ""), now.get(name, "")) for name in _names(was, now)]
    return [(one or "none", other or "none") for one, other in pairs if one != other]


def image_changes(old: Project, new: Project) -> tuple[ImageChange, ...]:
    """Images that are replaced, each once, with the services that it is about."""
    found: dict[tuple[str, str], list[str]] = {}
    before = {image for service in old.services.values() for image in service.images.values()}
    after = {image for service in new.services.values() for image in service.images.values()}
    for name in _names(old.services, new.services):
        was, now = old.services.get(name), new.services.get(name)
        if was and now:
            for pair in _images(was, now):
                found.setdefault(pair, []).append(name)
        elif now:
            for image in now.images.values():
                if image not in before:
                    found.setdefault(("", image), []).append(name)
        elif was:
            for image in was.images.values():
                if image not in after:
                    found.setdefault((image, ""), []).append(name)
    return tuple(ImageChange(was, now, tuple(services)) for (was, now), services in found.items())


def port_changes(old: Project, new: Project) -> tuple[PortChange, ...]:
    """Ports of the host that are opened, closed or moved."""
    before, after = _ports(old), _ports(new)
    return tuple(
        PortChange(service, before.get((service, inner), ""), after.get((service, inner), ""))
        for service, inner in _names(before, after)
        if before.get((service, inner)) != after.get((service, inner))
    )


def _ports(read: Project) -> dict[tuple[str, str], str]:
    found = {}
    for service in read.services.values():
        for port in service.definition.get("ports", ()):
            outer, _, inner = str(port).rpartition(":")
            found[service.name, inner] = outer or inner
    return found


def variable_changes(old: Project, new: Project) -> tuple[VariableChange, ...]:
    """Variables without which Compose starts nothing that are newly needed, or no longer."""
    return (
        *(
            VariableChange(name, meaning, Kind.ADDED)
            for name, meaning in new.variables.items()
            if name not in old.variables
        ),
        *(
            VariableChange(name, meaning, Kind.REMOVED)
            for name, meaning in old.variables.items()
            if name not in new.variables
        ),
    )


def setting(read: Project, service: str, name: str) -> str | None:
    """What a service reads from its environment under a name; None where there is no such service or name."""
    found = read.services.get(service)
    value = (found.definition.get("environment") or {}).get(name) if found else None
    return None if value is None else str(value)


def _names(first: Mapping[Any, Any], second: Mapping[Any, Any]) -> list[Any]:
    """The keys of both in order, those of the first before what only the second has."""
    return list(dict.fromkeys((*first, *second)))


def _under(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder.rstrip('/')}/") for folder in folders)


_FEW: Final = 3


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW} more" if len(names) > _FEW else "")

"""The lock of images: an override file for Compose that names every image by tag and digest.

It holds the services of certain compose files, for a service that is in none of the files that are started would
become one of the site through it. Images that the site builds are locked by the arguments of their builds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ozone_gen.diagnostics import Diagnostic, OutputError, Position, codes
from ozone_gen.render.emit import yaml_bytes
from ozone_gen.render.emitted import read_emitted
from ozone_gen.supply.inventory import Inventory, Running
from ozone_gen.supply.reference import Reference, parse_reference

LOCK_FILE: Final = "docker-compose.images.lock.yaml"
"""Its usual name, beside the compose files."""

_OURS: Final = "x-ozone-gen-images"
_VERSION: Final = 1
_IMAGE: Final = ""
LOCK_AGAIN: Final = "run `ozone-gen lock-images` again"


@dataclass(frozen=True)
class ImageLock:
    """A lock.

    Attributes:
        path: its file.
        files: the compose files whose services it locks.
        images: the locked images by service, and by the argument of its build; "" is the image that it runs.
    """

    path: Path
    files: tuple[str, ...]
    images: Mapping[tuple[str, str], Reference]


def lock_bytes(found: Inventory, digests: Mapping[str, str]) -> bytes:
    """The lock of an inventory's services; `digests` are those of its images by name and tag."""
    files = found.files
    command = " ".join(f"-f {file}" for file in files)
    services: dict[str, Any] = {}
    for service in sorted(found.services, key=lambda each: each.name):
        images = {key: _locked(image, digests).written for key, image in _of(service)}
        if not images:
            continue
        own = images.pop(_IMAGE, None)
        services[service.name] = {"image": own} if own else {"build": {"args": images}}
    document = {_OURS: {"version": _VERSION, "site": found.site, "files": list(files)}, "services": services}
    comment = (
        "Every image by tag and digest, as the registries had them. Written by `ozone-gen lock-images`: commit it and\n"
        "look at its changes, but never edit it. Start the site with it as the last file:\n"
        f"  docker compose {command} -f {LOCK_FILE} up -d --build"
    )
    return yaml_bytes(document, comment=comment)


def _of(service: Running) -> Iterator[tuple[str, str]]:
    """The images that can be locked: its own, or those that are arguments of its build; none where another builds."""
    if service.recipe is None:
        yield _IMAGE, service.image
    elif service.builds:
        yield from sorted(service.arguments.items())


def _locked(image: str, digests: Mapping[str, str]) -> Reference:
    reference = parse_reference(image)
    return reference if reference.digest else reference.at(digests[reference.tagged])


def wanted(found: Inventory) -> dict[tuple[str, str], str]:
    """The images of an inventory that a lock has to hold, as in `ImageLock.images`."""
    return {(service.name, key): image for service in found.services for key, image in _of(service)}


def lock_of(found: Inventory, path: Path | None) -> ImageLock | None:
    """The lock at a path, or the one in a rendered folder, where there is one. Raises as `read_image_lock`."""
    if path is not None:
        return read_image_lock(path)
    own = Path(found.given, LOCK_FILE)
    return read_image_lock(own) if found.source is None and own.exists() else None


def read_image_lock(path: Path) -> ImageLock:
    """Read a lock.

    Raises:
        OutputError: it is not there, cannot be read, or is none.
    """
    try:
        text = path.read_bytes().decode("utf-8").replace("\r\n", "\n")
    except OSError as error:
        raise _broken(path, f"it cannot be read: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise _broken(path, "it is not UTF-8 text") from None
    try:
        document = read_emitted(text)
        ours = document[_OURS]
        if ours["version"] != _VERSION:
            raise _broken(path, f"it is of format {ours['version']}, and this ozone-gen knows format {_VERSION}")
        files = tuple(str(file) for file in ours["files"])
        images = {}
        for name, service in document["services"].items():
            parts = {_IMAGE: service["image"]} if "image" in service else service["build"]["args"]
            for key, image in parts.items():
                images[name, key] = parse_reference(image)
                if not images[name, key].digest:
                    raise _broken(path, f"{image} has no digest")
    except (AttributeError, KeyError, TypeError, ValueError, IndexError):
        raise _broken(path, "it is not as `lock-images` writes one") from None
    return ImageLock(path, files, images)


def _broken(path: Path, why: str) -> OutputError:
    return OutputError(codes.BrokenImageLock.at(Position(str(path)), f"this is no lock: {why}", hint=LOCK_AGAIN))


def digests(found: Inventory, lock: ImageLock | None) -> tuple[dict[str, str], list[Diagnostic]]:
    """The digests of the images of a site, by name and tag, and a finding where the lock is not that of the site."""
    if lock is None:
        return {}, []
    known: dict[str, str] = {}
    other = []
    for place, image in wanted(found).items():
        locked = lock.images.get(place)
        if locked is None:
            continue
        if _tagged(image) == locked.tagged:
            known[locked.tagged] = locked.digest
        else:
            other.append(f"{place[0]} has {image}, and the lock {locked.tagged}")
    findings = [codes.StaleImageLock.at(Position(str(lock.path)), words, hint=LOCK_AGAIN) for words in other]
    return known, findings


def _tagged(image: str) -> str:
    try:
        return parse_reference(image).tagged
    except ValueError:  # a compose file that was edited
        return ""


@dataclass(frozen=True)
class Move:
    """A difference between a lock and what the registries have now.

    Attributes:
        image: the image, by name and tag.
        was, now: its digests; empty where it is not locked yet, or no longer needed.
    """

    image: str
    was: str
    now: str


def moves(found: Inventory, lock: ImageLock | None, digests: Mapping[str, str]) -> list[Move]:
    """What a new lock would change, by image."""
    present = lock.images if lock else {}
    needed = {place: _locked(image, digests) for place, image in wanted(found).items()}
    differences = {}
    for place, now in needed.items():
        was = present.get(place)
        if was is None or was.tagged != now.tagged:
            differences[now.tagged, ""] = Move(now.tagged, "", now.digest)
        elif was.digest != now.digest:
            differences[now.tagged, was.digest] = Move(now.tagged, was.digest, now.digest)
    kept = {reference.tagged for reference in needed.values()}
    for was in present.values():
        if was.tagged not in kept:
            differences[was.tagged, was.digest] = Move(was.tagged, was.digest, "")
    return [differences[key] for key in sorted(differences)]

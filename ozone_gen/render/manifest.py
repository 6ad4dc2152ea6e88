"""manifest.json: what ozone-gen wrote into a folder, so that it knows later what is its own and what was
edited.

Its form is `schemas/manifest.schema.json`. It is read by hand here, since it is read at every render and
importing jsonschema would take a quarter of a render's time; a test keeps the two alike.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ozone_gen import __version__
from ozone_gen.render.emit import json_bytes
from ozone_gen.render.tree import File, FileTree, path_problem

MANIFEST = "manifest.json"

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Entry:
    """How a file looked when it was written; `sha256` in hexadecimal."""

    sha256: str
    executable: bool

    @classmethod
    def of(cls, file: File) -> Entry:
        """The entry of a file to be written."""
        return cls(hashlib.sha256(file.content).hexdigest(), file.executable)


@dataclass(frozen=True)
class Manifest:
    """The version that wrote a folder, the hash of what it was made from, and the files that belong to the
    tool."""

    ozone_gen: str
    input_sha256: str
    files: Mapping[str, Entry]


def with_manifest(tree: FileTree, *, input_sha256: str) -> FileTree:
    """The tree and its manifest, which lists all files but itself and the seeds."""
    files = {
        path: {"sha256": entry.sha256, "executable": entry.executable}
        for path, entry in ((path, Entry.of(file)) for path, file in tree.items() if not file.seed)
    }
    content = json_bytes({"ozone_gen": __version__, "input_sha256": input_sha256, "files": files})
    return FileTree.merge([("the site", tree.values()), ("the manifest", [File(MANIFEST, content)])])


def parse_manifest(content: bytes) -> Manifest:
    """Read a manifest. One that is not of the known form is a ValueError that says what is wrong with it."""
    try:
        data = json.loads(content.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except ValueError as error:
        raise ValueError("it is not JSON") from error
    _require_keys(data, ("ozone_gen", "input_sha256", "files"), "it")
    if not isinstance(data["ozone_gen"], str) or not data["ozone_gen"]:
        raise ValueError("its ozone_gen is not a version")
    if not _is_sha256(data["input_sha256"]):
        raise ValueError("its input_sha256 is not a hash")
    if not isinstance(data["files"], dict):
        raise ValueError("its files are not a mapping")
    files: dict[str, Entry] = {}
    for path, entry in data["files"].items():
        # What is listed may be removed, so a path that leads out of the folder must never pass.
        if path_problem(path) or path == MANIFEST:
            raise ValueError(f"it lists the path {path!r}")
        _require_keys(entry, ("sha256", "executable"), path)
        if not _is_sha256(entry["sha256"]) or not isinstance(entry["executable"], bool):
            raise ValueError(f"its entry of {path} is not one")
        files[path] = Entry(entry["sha256"], entry["executable"])
    return Manifest(data["ozone_gen"], data["input_sha256"], files)


def _require_keys(value: object, keys: tuple[str, ...], name: str) -> None:
    if not isinstance(value, dict) or set(value) != set(keys):
        raise ValueError(f"{name} is not a mapping of {', '.join(keys)}")


def _is_sha256(value: object) -> bool:
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None

"""SitePlan -> FileTree: every file of a site, from what its components contribute. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ozone_gen.components import COMPONENTS
from ozone_gen.components.base import ComposeFile, Contribution
from ozone_gen.plan import SitePlan
from ozone_gen.render.emit import yaml_bytes
from ozone_gen.render.text import render_text
from ozone_gen.render.tree import File, FileTree
from ozone_gen.resources import templates

CONTENT_LABEL = "ozone-gen.content"


def generate(plan: SitePlan) -> FileTree:
    """Make every file of a site.

    Raises:
        ValueError: two components use one service name or write one file; that is our fault.
    """
    contributions = [component.contribute(plan) for component in COMPONENTS]
    files = {file.path: file for file in _setup_files()}
    for contribution in contributions:
        for file in contribution.files:
            if file.path in files:
                raise ValueError(f"two components write {file.path}")
            files[file.path] = file
    compose_files = _compose_files(plan, contributions, files)
    return FileTree([*files.values(), *compose_files, *_site_files(plan, compose_files)])


def _setup_files() -> list[File]:
    """The site's setup image: programs that are the same for every site."""
    folder = templates() / "setup"
    return [
        File(f"setup/{path.name}", path.read_bytes())
        for path in sorted(folder.iterdir())
        if path.is_file() and path.suffix in {"", ".py", ".txt"}
    ]


def _compose_files(
    plan: SitePlan, contributions: list[Contribution], files: Mapping[str, File]
) -> list[File]:
    made = []
    seen: dict[str, ComposeFile] = {}
    for name in ComposeFile:
        services: dict[str, Any] = {}
        volumes: dict[str, Any] = {}
        for contribution in contributions:
            for service, definition in contribution.services.get(name, {}).items():
                if service in seen:
                    raise ValueError(f"two components add the service {service}")
                seen[service] = name
                services[service] = _finished(definition, files)
            volumes.update({volume: {} for volume in contribution.volumes.get(name, ())})
        if services:
            document = {"name": f"ozone-{plan.site.id}", "services": services}
            if volumes:
                document["volumes"] = volumes
            made.append(File(name, yaml_bytes(document)))
    return made


def _finished(service: Mapping[str, Any], files: Mapping[str, File]) -> dict[str, Any]:
    """Leave out what is empty, and label the service with the content of the files that it mounts.

    Compose sees a changed path but not a changed file; with the label it starts the service anew.
    """
    finished = {key: value for key, value in service.items() if value not in ([], {}, None)}
    digest = hashlib.sha256()
    mounted = [volume.split(":")[0].removeprefix("./") for volume in service.get("volumes", ())]
    for path in sorted(files):
        if any(path == mount or path.startswith(f"{mount}/") for mount in mounted):
            digest.update(path.encode() + b"\0" + files[path].content + b"\0")
    finished["labels"] = {CONTENT_LABEL: digest.hexdigest()[:16]}
    return finished


def _site_files(plan: SitePlan, compose_files: list[File]) -> list[File]:
    """The files that people read: what to set, and how to start the site."""
    names = [file.path for file in compose_files]
    files = [
        File(".env.example", render_text("site/env.example.j2", plan=plan)),
        File(".gitignore", b"# Secrets stay on the machine.\n.env\n"),
        File("README.md", render_text("site/README.md.j2", plan=plan, compose_files=names)),
    ]
    if any(variable.demo_value is not None for variable in plan.variables):
        files.append(File(".env", render_text("site/env.j2", plan=plan), seed=True))
    return files

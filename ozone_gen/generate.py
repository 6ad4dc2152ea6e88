"""SitePlan -> FileTree: every file of a site, from what its components contribute. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
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
    contributions = {component.name: component.contribute(plan) for component in COMPONENTS}
    parts: dict[str, tuple[File, ...]] = {
        "setup": (
            *_setup_files(),
            _setup_packages(contribution.packages for contribution in contributions.values()),
        ),
        **{name: contribution.files for name, contribution in contributions.items()},
    }
    mounted = FileTree.merge(parts.items())
    compose_files = _compose_files(plan, contributions, mounted)
    parts["compose files"] = compose_files
    parts["site"] = _site_files(plan, [file.path for file in compose_files], contributions.values())
    return FileTree.merge(parts.items())


@cache
def _setup_files() -> tuple[File, ...]:
    """The site's setup image without its packages: programs that are the same for every site."""
    folder = templates() / "setup"
    return tuple(
        File(f"setup/{path.name}", path.read_bytes())
        for path in sorted(folder.iterdir())
        if path.suffix == ".py" or path.name == "Dockerfile"
    )


def _setup_packages(more: Iterable[bytes]) -> File:
    """What the setup image installs: the same for every site, and what only some components need."""
    return File("setup/requirements.txt", b"".join(((templates() / "setup" / "requirements.txt").read_bytes(), *more)))


def _compose_files(
    plan: SitePlan, contributions: Mapping[str, Contribution], files: Mapping[str, File]
) -> tuple[File, ...]:
    made = []
    owners: dict[str, str] = {}
    for name in ComposeFile:
        services: dict[str, Any] = {}
        volumes: dict[str, Any] = {}
        for owner, contribution in contributions.items():
            for service, definition in contribution.services.get(name, {}).items():
                if service in owners:
                    raise ValueError(f"{owners[service]} and {owner} both add the service {service}")
                owners[service] = owner
                services[service] = _finished(definition, files)
            volumes.update({volume: {} for volume in contribution.volumes.get(name, ())})
        if services:
            _build_once(services)
            document = {"name": f"ozone-{plan.site.id}", "services": services}
            if volumes:
                document["volumes"] = volumes
            made.append(File(name, yaml_bytes(document)))
    return tuple(made)


def _build_once(services: Mapping[str, dict[str, Any]]) -> None:
    """Leave an image that several services run to the first of them to build.

    Compose waits for it, and pulls nothing. Without BuildKit two builds of one image at the same time end as two
    images, and whichever is called so changes from one `up --build` to the next: containers start anew for nothing.
    """
    built: set[str] = set()
    for service in services.values():
        if "build" in service and service["image"] in built:
            del service["build"]
        elif "build" in service:
            built.add(service["image"])


def _finished(service: Mapping[str, Any], files: Mapping[str, File]) -> dict[str, Any]:
    """Leave out what is empty, and label the service with the content of the files that it mounts.

    Compose sees a changed path but not a changed file; with the label it starts the service anew.
    """
    finished = {key: value for key, value in service.items() if value not in ([], {}, None)}
    mounts = [volume.split(":")[0].removeprefix("./") for volume in service.get("volumes", ())]
    finished["labels"] = {CONTENT_LABEL: _content(mounts, files)}
    return finished


def _content(mounts: Iterable[str], files: Mapping[str, File]) -> str:
    digest = hashlib.sha256()
    for mount in mounts:
        inside = f"{mount}/"
        for path in files:
            if path == mount or path.startswith(inside):
                digest.update(path.encode() + b"\0" + files[path].content + b"\0")
    return digest.hexdigest()[:16]


def _site_files(
    plan: SitePlan, compose_files: list[str], contributions: Iterable[Contribution]
) -> tuple[File, ...]:
    """The files that people read: what to set, and how to start the site."""
    contributions = list(contributions)
    variables = [*plan.variables, *(variable for each in contributions for variable in each.variables)]
    required = [variable for variable in variables if variable.required]
    optional = [variable for variable in variables if not variable.required]
    tables = [(table.name, _markdown_cell(table.description), len(table.columns)) for table in plan.tables]
    files = [
        File(".env.example", render_text("site/env.example.j2", required=required, optional=optional)),
        File(".gitignore", b"# Secrets and data of patients stay on the machine.\n.env\n/parquet/\n"),
        File(
            "README.md",
            render_text(
                "site/README.md.j2",
                plan=plan,
                tables=tables,
                files=" ".join(f"-f {name}" for name in compose_files if not ComposeFile(name).runs_on_demand),
                notes=[note for contribution in contributions for note in contribution.notes],
                addresses=[
                    (address.what, f"{address.before}{plan.bind_address}:{plan.ports[address.part]}{address.after}")
                    for each in contributions
                    for address in each.addresses
                    if plan.ports[address.part] is not None
                ],
                unset=[variable for variable in required if variable.demo_value is None],
            ),
        ),
    ]
    demo = {variable.name: variable.demo_value for variable in required if variable.demo_value is not None}
    if demo:
        lines = [f"{name}={_env_value(value)}" for name, value in demo.items()]
        files.append(File(".env", render_text("site/env.j2", lines=lines), seed=True))
    return tuple(files)


def _markdown_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _env_value(value: str) -> str:
    """Write a value into an env file: within single quotes Compose takes everything but the quote as it is."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

"""What a site runs: the services of its rendered compose files, their images, and what is put into them.

It is read from the rendered files, for these are what is built and started: nothing can be in a site and not in here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from ozone_gen.diagnostics import Diagnostic, OutputError, Position, codes
from ozone_gen.load import Site, load
from ozone_gen.render.manifest import MANIFEST, Manifest, parse_manifest
from ozone_gen.render.tree import File
from ozone_gen.rendering import site_tree
from ozone_gen.review.compose import Service, project
from ozone_gen.supply.packages import Recipe, recipe
from ozone_gen.write import read_tree

_COMPOSE: Final = "docker-compose-"


@dataclass(frozen=True)
class Running:
    """A service of a site.

    Attributes:
        name: its name.
        file: the compose file that it stands in.
        on_demand: whether it is a command that people run, rather than a part of the site that goes on.
        image: the image that it runs: a public one, or the name of one that the site builds.
        arguments: the public images that its own image is built from, by the names of the build's arguments.
        recipe: how its image is built; None for a public one.
        builds: whether it is the service that builds its image.
    """

    name: str
    file: str
    on_demand: bool
    image: str
    arguments: Mapping[str, str]
    recipe: Recipe | None
    builds: bool = False

    @property
    def public(self) -> tuple[str, ...]:
        """The public images that it needs."""
        if self.recipe is None:
            return (self.image,)
        return tuple(dict.fromkeys((self.recipe.base, *self.recipe.stages, *self.arguments.values())))


@dataclass(frozen=True)
class Inventory:
    """All that a site runs.

    Attributes:
        given: the ozone.yaml or the rendered folder, as it was named.
        site: the site's id.
        manifest: what the tool says of the files: its version, the hash of its input.
        services: in the order of the compose files and of what stands in them.
        source: what was read, where an ozone.yaml was.
        tree: the rendered files.
    """

    given: str
    site: str
    manifest: Manifest
    services: tuple[Running, ...]
    source: Site | None
    tree: Mapping[str, File]

    @cached_property
    def images(self) -> tuple[str, ...]:
        """Every public image that the site runs or builds on, each once, sorted."""
        return tuple(sorted({image for service in self.services for image in service.public if image}))

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The compose files, those that people start by themselves last."""
        return tuple(dict.fromkeys(each.file for each in sorted(self.services, key=lambda each: each.on_demand)))

    @property
    def started(self) -> tuple[str, ...]:
        """The compose files that make up the running site."""
        return tuple(file for file in self.files if not any(s.on_demand for s in self.services if s.file == file))

    def only(self, files: tuple[str, ...]) -> Inventory:
        """The same with the services of these compose files alone."""
        return replace(self, services=tuple(each for each in self.services if each.file in files))

    def position(self, image: str) -> Position:
        """Where an image is named: in ozone.yaml, where it says so; else in the compose file of a folder."""
        if self.source is not None:
            key = next((key for key, named in self.source.spec.images if named == image), None)
            if key is not None and key in self.source.spec.images.model_fields_set:
                return self.source.source.position(("images", key))
            return Position(self.given)
        for file in self.files:
            lines = self.tree[file].content.decode("utf-8", errors="replace").splitlines()
            for number, line in enumerate(lines, 1):
                if line.rstrip().rstrip("\"'").endswith(image):
                    return Position(str(Path(self.given, file)), number, line.index(image) + 1)
        return Position(self.given)


def inventory(given: str) -> Inventory:
    """Read what a site runs from its ozone.yaml or from the folder that it was rendered into.

    Raises:
        OzoneError: the file has errors.
        OutputError: the folder was not rendered by ozone-gen.
    """
    path = Path(given)
    if not path.is_dir():
        site = load(given)
        return _of_tree(given, site_tree(site)[1], site)
    tree = read_tree(path)
    if MANIFEST not in tree:
        raise OutputError(_not_rendered(given, f"there is no {MANIFEST} in it"))
    return _of_tree(given, tree, None)


def _of_tree(given: str, tree: Mapping[str, File], site: Site | None) -> Inventory:
    services = []
    for path in tree:
        if path.startswith(_COMPOSE) and path.endswith(".yaml"):
            read = project({path: tree[path]})
            services += [_running(tree, str(path), each) for each in read.services.values() if _is_service(each)]
    if not services:
        raise OutputError(_not_rendered(given, "there is no compose file in it"))
    name = project(tree).name.removeprefix("ozone-")
    return Inventory(given, name, parse_manifest(tree[MANIFEST].content), tuple(services), site, tree)


def _is_service(service: Service) -> bool:
    # An edited file may hold anything.
    return isinstance(service.definition, dict) and isinstance(service.definition.get("build") or {}, dict)


def _running(tree: Mapping[str, File], file: str, service: Service) -> Running:
    image = str(service.definition.get("image") or "")
    if not service.context:
        return Running(service.name, file, service.on_demand, image, {}, None)
    arguments = service.images
    built = recipe(tree, service.context, arguments) or Recipe(arguments.get("BASE_IMAGE", ""), (), ())
    return Running(service.name, file, service.on_demand, image, arguments, built, service.builds)


def _not_rendered(folder: str, why: str) -> Diagnostic:
    hint = "name an ozone.yaml, or a folder that `ozone-gen render` wrote"
    return codes.NotARenderedFolder.at(Position(folder), f"this is no rendered site: {why}", hint=hint)

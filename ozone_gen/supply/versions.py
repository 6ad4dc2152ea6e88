"""Which of what a site runs is what this ozone-gen was tested with: `spec.IMAGES` for images, the templates for the
packages of the site's own images."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from ozone_gen import __version__
from ozone_gen.render.text import render_text
from ozone_gen.render.tree import File
from ozone_gen.resources import templates
from ozone_gen.spec import IMAGES
from ozone_gen.supply.inventory import Inventory
from ozone_gen.supply.packages import Kind, Package, recipe
from ozone_gen.supply.reference import Reference, parse_reference

_OVERRIDDEN: Final = "images"
_NUMBERS: Final = re.compile(r"(?:v|RELEASE\.)?([0-9]+(?:[.-][0-9]+)*)(.*)", re.DOTALL)


class Standing(StrEnum):
    """How a version compares with the tested one."""

    TESTED = "tested"
    OLDER = "older"
    NEWER = "newer"
    OTHER = "other"
    """Another image or variant, or one whose tag does not say its version."""


@dataclass(frozen=True)
class Part:
    """A part of a site, and the version that it has.

    Attributes:
        name: what people know it by: a key of `images`, a package, or `ozone-gen`.
        kind: `image`, `package` or `tool`.
        present: what the site has.
        tested: what was tested; empty where nothing of the kind was.
        standing: how they compare.
        where: the file and line that say so, where they do.
        advice: what to do; empty where there is nothing to do.
    """

    name: str
    kind: str
    present: str
    tested: str
    standing: Standing
    where: str = ""
    advice: str = ""


def parts(found: Inventory) -> tuple[Part, ...]:
    """All images of a site, and of its tool and packages those that are not as tested."""
    return (*_tool(found), *_images(found), *_packages(found))


def _tool(found: Inventory) -> Iterator[Part]:
    """The ozone-gen that rendered a folder."""
    version = found.manifest.ozone_gen
    if version == __version__:
        return
    standing = _compared_numbers(version, __version__)
    advice = "render again with this one: see docs/upgrade.md"
    if standing is Standing.NEWER:
        advice = "look with the newer ozone-gen that rendered it"
    yield Part("ozone-gen", "tool", version, __version__, standing, advice=advice)


def _images(found: Inventory) -> Iterator[Part]:
    named = _named(found)
    keys = {image: key for key, image in named}
    missing = [(_key_of(image), image) for image in found.images if image not in keys]
    for key, image in sorted({*named, *missing}):
        tested = IMAGES.get(key, "")
        standing = compared(image, tested)
        position = found.position(image)
        where = f"{position.file}:{position.line}" if position.line else ""
        yield Part(key, "image", image, tested, standing, where, _advice(found, key, tested, standing))


def _named(found: Inventory) -> list[tuple[str, str]]:
    """The images of an ozone.yaml by key: those that are in use, and those that it says."""
    if found.source is None:
        return []
    images = found.source.spec.images
    return [(key, image) for key, image in images if image in found.images or key in images.model_fields_set]


def _key_of(image: str) -> str:
    """The key of `images` that an image of a rendered folder is of, as far as its name tells; else its name."""
    try:
        name = parse_reference(image).short_name
    except ValueError:
        return image
    return next((key for key, tested in IMAGES.items() if parse_reference(tested).short_name == name), name)


def compared(image: str, tested: str) -> Standing:
    """How an image compares with the tested one. A mirror's is the same, and so is 16.4 where 16 was tested."""
    try:
        one, other = parse_reference(image), parse_reference(tested)
    except ValueError:
        return Standing.OTHER
    return _compared_numbers(one.tag, other.tag) if _same_program(one, other) else Standing.OTHER


def _same_program(one: Reference, other: Reference) -> bool:
    return one.short_name == other.short_name


def _compared_numbers(one: str, other: str) -> Standing:
    if one == other:
        return Standing.TESTED
    first, second = _NUMBERS.fullmatch(one), _NUMBERS.fullmatch(other)
    if first is None or second is None:
        return Standing.OTHER
    numbers = [tuple(int(number) for number in re.split("[.-]", each[1])) for each in (first, second)]
    length = min(map(len, numbers))
    if numbers[0][:length] != numbers[1][:length]:
        return Standing.OLDER if numbers[0] < numbers[1] else Standing.NEWER
    # The same version as far as both say it: as tested where it is more exact, and not of another variant.
    same_variant = _variant(first[2]) == _variant(second[2])
    return Standing.TESTED if same_variant and len(numbers[0]) >= len(numbers[1]) else Standing.OTHER


def _variant(rest: str) -> str:
    return rest.removeprefix(".Final")


def _advice(found: Inventory, key: str, tested: str, standing: Standing) -> str:
    if standing is Standing.TESTED:
        return ""
    if not tested:
        return "nothing of the kind was tested: it is yours to look after"
    if found.source is None:
        return "render again with this ozone-gen" if standing is Standing.OLDER else f"tested is {tested}"
    if standing is Standing.NEWER:
        return f"go back to {parse_reference(tested).tag}, or try it on a demo site first"
    return f"remove `{key}` under `{_OVERRIDDEN}`, or name {tested} there"


def _packages(found: Inventory) -> Iterator[Part]:
    """Packages of the site's own images that this ozone-gen puts into them in another version, or not at all."""
    tested = _tested_packages()
    seen = set()
    for service in found.services:
        context = service.image.rpartition("-")[2]
        if service.recipe is None or context not in tested or context in seen:
            continue
        seen.add(context)
        for package in service.recipe.packages:
            version = tested[context].get((package.kind, package.shown))
            if version == package.version or not package.version:
                continue
            standing = Standing.OTHER if version is None else _compared_numbers(package.version, version)
            standing = Standing.OTHER if standing is Standing.TESTED else standing
            name, advice = f"{package.shown} ({context})", "render again with this ozone-gen"
            yield Part(name, "package", package.version, version or "", standing, advice=advice)


@cache
def _tested_packages() -> Mapping[str, Mapping[tuple[Kind, str], str]]:
    """The versions of packages by image, named by the end of its name."""
    made = {
        "flink": {name: render_text(f"flink/{name}.j2") for name in ("Dockerfile", "pom.xml")},
        "export": {name: render_text(f"export/{name}.j2") for name in ("Dockerfile", "pom.xml")},
        **{
            folder: {name: (templates() / folder / name).read_bytes() for name in ("Dockerfile", "requirements.txt")}
            for folder in ("setup", "superset")
        },
    }
    made["setup"]["requirements.txt"] += (templates() / "drill" / "requirements.txt").read_bytes()
    found: dict[str, dict[tuple[Kind, str], str]] = {}
    for context, files in made.items():
        tree = {f"{context}/{name}": File(f"{context}/{name}", content) for name, content in files.items()}
        read = recipe(tree, context, {})
        packages: tuple[Package, ...] = read.packages if read else ()
        found[context] = {(package.kind, package.shown): package.version for package in packages}
    return found

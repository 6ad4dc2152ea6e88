"""What is put into an image that a site builds itself: read from its Dockerfile and the lists that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from xml.etree import ElementTree

from ozone_gen.render.tree import File

_POM: Final = "{http://maven.apache.org/POM/4.0.0}"
_REQUIREMENT: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?(?:==([^\s;,]+))?")
_ARGUMENT: Final = re.compile(r"\$\{(\w+)\}|\$(\w+)")


class Kind(StrEnum):
    """Where a package comes from; the values are the types of package URLs."""

    MAVEN = "maven"
    PYPI = "pypi"
    DEBIAN = "deb"


@dataclass(frozen=True, order=True)
class Package:
    """A package of an image.

    Attributes:
        group: Maven's group; else empty.
        version: empty where the distribution decides.
        builds: whether it only builds the image, and is not in it.
    """

    kind: Kind
    group: str
    name: str
    version: str
    builds: bool = False

    @property
    def shown(self) -> str:
        """Its name as people know it."""
        return f"{self.group}:{self.name}" if self.group else self.name


@dataclass(frozen=True)
class Recipe:
    """How an image is built.

    Attributes:
        base: the image that it is built on.
        stages: images that only take part in building it.
        packages: what is put into it, sorted.
    """

    base: str
    stages: tuple[str, ...]
    packages: tuple[Package, ...]


def recipe(tree: Mapping[str, File], context: str, arguments: Mapping[str, str]) -> Recipe | None:
    """Read how the image of a folder is built; None where the folder has no Dockerfile."""
    dockerfile = tree.get(f"{context}/Dockerfile")
    if dockerfile is None:
        return None
    known: dict[str, str] = {}
    images: list[str] = []
    stages: dict[str, str] = {}
    packages: set[Package] = set()
    for instruction, rest in _instructions(dockerfile.content.decode("utf-8", errors="replace")):
        if instruction == "ARG":
            name, _, default = rest.partition("=")
            known[name] = arguments.get(name, default)
        elif instruction == "FROM":
            words = [word for word in rest.split() if not word.startswith("--")]
            image = _filled(words[0], known) if words else ""
            images.append(stages.get(image, image))
            if len(words) > 2:
                stages[words[2]] = images[-1]
        elif instruction == "RUN":
            packages.update(_installed(tree, context, rest))
    base = images[-1] if images else ""
    return Recipe(base, tuple(dict.fromkeys(image for image in images[:-1] if image != base)), tuple(sorted(packages)))


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        instruction, _, rest = line.strip().partition(" ")
        yield instruction.upper(), rest.strip()


def _filled(text: str, known: Mapping[str, str]) -> str:
    return _ARGUMENT.sub(lambda found: known.get(found[1] or found[2], ""), text)


def _installed(tree: Mapping[str, File], context: str, shell: str) -> Iterator[Package]:
    for command in re.split(r"&&|;|\|\|?", shell):
        words = command.split()
        if "mvn" in words[:1] and f"{context}/pom.xml" in tree:
            yield from maven_packages(tree[f"{context}/pom.xml"].content)
        elif "pip" in words[:2] and "install" in words:
            yield from _by_pip(tree, context, words[words.index("install") + 1 :])
        elif "apt-get" in words[:1] and "install" in words:
            names = words[words.index("install") + 1 :]
            for name, _, version in (word.partition("=") for word in names if not word.startswith("-")):
                yield Package(Kind.DEBIAN, "", name, version)


def _by_pip(tree: Mapping[str, File], context: str, words: list[str]) -> Iterator[Package]:
    wanted = iter(words)
    for word in wanted:
        if word in ("-r", "--requirement"):
            file = f"{context}/{next(wanted, '').rpartition('/')[2]}"
            if file in tree:
                yield from python_packages(tree[file].content.decode("utf-8", errors="replace"))
        elif word in ("--python", "--target", "-t"):
            next(wanted, None)
        elif not word.startswith("-"):
            yield from python_packages(word)


def python_packages(requirements: str) -> Iterator[Package]:
    """The packages of a list of requirements; `typing_extensions` and `typing-extensions` are one."""
    for line in requirements.splitlines():
        found = _REQUIREMENT.match(line.split("#")[0].strip())
        if found:
            yield Package(Kind.PYPI, "", found[1].replace("_", "-").lower(), found[2] or "")


def maven_packages(pom: bytes) -> Iterator[Package]:
    """The jars that a pom.xml asks for, and the plugins that fetch them. None where it is no XML."""
    try:
        project = ElementTree.fromstring(pom)
    except ElementTree.ParseError:
        return
    for tag, builds in (("dependency", False), ("plugin", True)):
        for each in project.iter(f"{_POM}{tag}"):
            group, name, version = (each.findtext(f"{_POM}{key}", "") for key in ("groupId", "artifactId", "version"))
            yield Package(Kind.MAVEN, group, name, version, builds)

"""From the images of a site to their digests, and a finding for each that there is none of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ozone_gen.diagnostics import Diagnostic, OutputError, Position, codes
from ozone_gen.supply.image_lock import wanted
from ozone_gen.supply.inventory import Inventory
from ozone_gen.supply.reference import Reference, parse_reference
from ozone_gen.supply.registry import Digest, RegistryError


class Asked(Protocol):
    """Where digests come from."""

    def digest(self, image: Reference) -> Digest:
        """The digest of an image's tag now. Raises RegistryError."""
        ...


def images_to_lock(found: Inventory) -> list[str]:
    """The images that a lock names, each once."""
    return sorted(set(wanted(found).values()))


def ask(found: Inventory, registries: Asked, advance: Callable[[int], None]) -> dict[str, Digest]:
    """The digest of each image of an inventory, by name and tag; one that has a digest already is not asked for.

    Raises:
        OutputError: with a finding for each image, or each silent registry, that a digest is missing of.
    """
    digests: dict[str, Digest] = {}
    findings: list[Diagnostic] = []
    silent: dict[str, tuple[RegistryError, Position, list[str]]] = {}
    for image in images_to_lock(found):
        position = found.position(image)
        try:
            reference = parse_reference(image)
            if not reference.digest:
                digests[reference.tagged] = registries.digest(reference)
        except ValueError as error:
            hint = "look at `images` in ozone.yaml"
            findings.append(codes.ImageNotFound.at(position, f"`{image}` is no image: {error}", hint=hint))
        except RegistryError as error:
            if error.code is codes.RegistryUnreachable:
                silent.setdefault(reference.registry, (error, position, []))[2].append(image)
            else:
                findings.append(error.code.at(position, f"{image}: {error.message}", hint=error.hint))
        advance(1)
    for silence, position, images in silent.values():
        more = f" and {len(images) - 1} more" if len(images) > 1 else ""
        message = f"{silence.message} (asked for {images[0]}{more})"
        findings.append(silence.code.at(position, message, hint=silence.hint))
    if findings:
        raise OutputError(findings)
    return digests

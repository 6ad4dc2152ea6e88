"""The bill of materials of a site, as CycloneDX 1.6 in JSON.

The site depends on its services, a service on its image, an image that the site builds on the image below it and on
what is put into it. What public images hold inside is not listed, and the document says so (`compositions`): a scanner
looks into them, by the digests that are here where they are locked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from ozone_gen.render.emit import json_bytes
from ozone_gen.supply.inventory import Inventory, Running
from ozone_gen.supply.licences import OWN, licence_of_image, licence_of_package
from ozone_gen.supply.packages import Kind, Package
from ozone_gen.supply.reference import DOCKER_HUB, Reference, parse_reference

_NAMESPACE: Final = "https://ozone-gen/sbom/"
_UBUNTU: Final = "flink"
"""The image whose distribution is Ubuntu; that of the others is Debian."""

_SCOPE: Final = "scope"
_REQUIRED: Final = "required"
_OPTIONAL: Final = "optional"
_EXCLUDED: Final = "excluded"
_STRENGTH: Final = (_EXCLUDED, _OPTIONAL, _REQUIRED)


def sbom(found: Inventory, digests: Mapping[str, str], *, made_at: int | None = None) -> bytes:
    """The document; the same for the same site.

    Args:
        digests: of images, by name and tag, where they are locked.
        made_at: seconds since 1970, for its timestamp; None for a document without one.
    """
    parts = _Parts(digests)
    site = f"site:{found.site}"
    for service in found.services:
        parts.service(service)
    parts.depends(site, [f"service:{service.name}" for service in found.services])
    document: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "pre-build"}],
            "tools": {"components": [_tool(found.manifest.ozone_gen)]},
            "component": {
                "type": "application",
                "bom-ref": site,
                "name": found.site,
                "properties": [_property("input-sha256", found.manifest.input_sha256)],
            },
        },
        "components": [parts.components[ref] for ref in sorted(parts.components)],
        "services": [parts.services[ref] for ref in sorted(parts.services)],
        "dependencies": [
            {"ref": ref, **({"dependsOn": sorted(parts.edges[ref])} if parts.edges[ref] else {})}
            for ref in sorted(parts.edges)
        ],
        "compositions": [{"aggregate": "incomplete", "assemblies": sorted(parts.public)}],
    }
    content = json.dumps(document, sort_keys=True)
    numbered = {"serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, _NAMESPACE + content)}"}
    if made_at is not None:
        moment = datetime.fromtimestamp(made_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        document["metadata"] = {"timestamp": moment, **document["metadata"]}
    first = ("$schema", "bomFormat", "specVersion")
    return json_bytes({key: document[key] for key in first} | numbered | document)


def _tool(version: str) -> dict[str, Any]:
    """The ozone-gen that made the files, which may be an older one than this."""
    described = "Wrote the compose files, and the programs of the site's own images."
    return {
        "type": "application",
        "name": "ozone-gen",
        "version": version,
        "description": described,
        "licenses": _licences(OWN),
        "purl": f"pkg:pypi/ozone-gen@{_quoted(version)}",
    }


class _Parts:
    """Components, services and dependencies, as they are found."""

    def __init__(self, digests: Mapping[str, str]) -> None:
        self.components: dict[str, dict[str, Any]] = {}
        self.services: dict[str, dict[str, Any]] = {}
        self.edges: dict[str, set[str]] = {}
        self.public: set[str] = set()
        self._digests = digests

    def depends(self, ref: str, on: Iterable[str]) -> None:
        self.edges.setdefault(ref, set()).update(on)

    def service(self, service: Running) -> None:
        ref = f"service:{service.name}"
        scope = _OPTIONAL if service.on_demand else _REQUIRED
        self.services[ref] = {
            "bom-ref": ref,
            "name": service.name,
            "properties": [
                _property("compose-file", service.file),
                _property("runs", "on demand" if service.on_demand else "always"),
            ],
        }
        image = self._image(service.image, scope) if service.recipe is None else self._built(service, scope)
        self.depends(ref, [image])

    def _built(self, service: Running, scope: str) -> str:
        assert service.recipe is not None
        ref = f"image:{service.image}"
        described = "Built on the site's own machine."
        self._add(ref, {"type": "container", "name": service.image, "description": described}, scope)
        recipe = service.recipe
        below = parse_reference(recipe.base).short_name if recipe.base else ""
        images = [self._image(recipe.base, scope)] if recipe.base else []
        others = [image for image in dict.fromkeys((*recipe.stages, *service.arguments.values())) if image]
        images += [self._image(image, _EXCLUDED) for image in others if image != recipe.base]
        packages = [self._package(package, below, scope) for package in recipe.packages]
        self.depends(ref, [*images, *packages])
        return ref

    def _image(self, image: str, scope: str) -> str:
        try:
            reference = parse_reference(image)
        except ValueError:  # a compose file that was edited
            ref = f"image:{image}"
            self._add(ref, {"type": "container", "name": image}, scope)
            self.public.add(ref)
            self.depends(ref, [])
            return ref
        digest = reference.digest or self._digests.get(reference.tagged, "")
        reference = reference.at(digest)
        ref = f"image:{reference.tagged}"
        described: dict[str, Any] = {"type": "container", "name": reference.name, "version": reference.tag or digest}
        if digest:
            described["hashes"] = [{"alg": "SHA-256", "content": digest.removeprefix("sha256:")}]
        described["licenses"] = _licences(licence_of_image(reference))
        described["purl"] = _image_url(reference)
        self._add(ref, described, scope)
        self.public.add(ref)
        self.depends(ref, [])
        return ref

    def _package(self, package: Package, below: str, scope: str) -> str:
        url = _package_url(package, "ubuntu" if below == _UBUNTU else "debian")
        described = {
            "type": "library",
            "group": package.group,
            "name": package.name,
            "version": package.version,
            "licenses": _licences(licence_of_package(package)),
            "purl": url,
        }
        self._add(url, described, _EXCLUDED if package.builds else scope)
        self.depends(url, [])
        return url

    def _add(self, ref: str, described: Mapping[str, Any], scope: str) -> None:
        """Note a component; of several uses of it the strongest counts."""
        known = self.components.get(ref, {}).get(_SCOPE, _EXCLUDED)
        strongest = max(known, scope, key=_STRENGTH.index)
        filled = {key: value for key, value in described.items() if value}
        self.components[ref] = {"type": filled.pop("type"), "bom-ref": ref, **filled, _SCOPE: strongest}


def _image_url(image: Reference) -> str:
    """By digest where it is known: the type `docker` has no place for both a digest and a tag."""
    if image.digest:
        place = _quoted(f"{image.registry}/{image.repository}", "/")
        tag = f"&tag={_quoted(image.tag)}" if image.tag else ""
        return f"pkg:oci/{image.short_name}@{_quoted(image.digest)}?repository_url={place}{tag}"
    registry = "" if image.registry == DOCKER_HUB else f"?repository_url={_quoted(image.registry)}"
    return f"pkg:docker/{image.repository}@{_quoted(image.tag)}{registry}"


def _package_url(package: Package, distribution: str) -> str:
    group = {Kind.MAVEN: package.group, Kind.DEBIAN: distribution, Kind.PYPI: ""}[package.kind]
    name = "/".join(_quoted(part) for part in (package.kind.value, group, package.name) if part)
    version = f"@{_quoted(package.version)}" if package.version else ""
    return f"pkg:{name}{version}" + ("?type=jar" if package.kind is Kind.MAVEN else "")


def _quoted(text: str, safe: str = "") -> str:
    return quote(text, safe=safe)


def _licences(expression: str) -> list[dict[str, Any]]:
    if not expression:
        return []
    if expression.startswith("LicenseRef-") and " " not in expression:
        return [{"license": {"name": expression.removeprefix("LicenseRef-")}}]
    return [{"expression": expression} if " " in expression else {"license": {"id": expression}}]


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": f"ozone-gen:{name}", "value": value}



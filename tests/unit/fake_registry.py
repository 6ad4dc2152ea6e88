"""A registry of container images that speaks the distribution API, with the faults that real ones have."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass
class Registry:
    """What the server has, and what it has been asked.

    Attributes:
        images: manifests by `repository:tag`.
        kinds: content types that are not that of an index, by `repository:tag`.
        faults: what is answered in place of the next requests for manifests: a status with headers.
        private: repositories for which no token is given.
    """

    images: dict[str, bytes] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    faults: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    private: set[str] = field(default_factory=set)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    host: str = ""
    with_auth: bool = True
    realm: str = ""
    token: str | None = "t0k3n"
    delay: float = 0.0
    trickle: float = 0.0
    head: bool = True
    digest_header: bool = True
    lies: bool = False
    redirect: str = ""

    def put(self, name: str, content: str = "", kind: str = INDEX) -> str:
        """Add an image; its digest."""
        self.images[name] = content.encode() or json.dumps({"schemaVersion": 2, "name": name}).encode()
        self.kinds[name] = kind
        return self.digest(name)

    def digest(self, name: str) -> str:
        return f"sha256:{hashlib.sha256(self.images[name]).hexdigest()}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: Registry

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        registry = self.registry
        place = urlsplit(self.path)
        registry.asked.append((self.command, self.path, self.headers.get("Authorization", "")))
        time.sleep(registry.delay)
        if place.path == "/token":
            self._give_token(parse_qs(place.query))
            return
        if registry.faults:
            status, headers = registry.faults.pop(0)
            self._send(status, headers, b"no")
            return
        if registry.redirect:
            target, registry.redirect = registry.redirect, ""
            self._send(307, {"Location": target}, b"")
            return
        repository, _, tag = place.path.removeprefix("/v2/").partition("/manifests/")
        expected = f"Bearer {registry.token}-{repository}"
        if registry.with_auth and self.headers.get("Authorization") != expected:
            realm = registry.realm or f"http://{registry.host}/token"
            challenge = f'Bearer realm="{realm}",service="fake",scope="repository:{repository}:pull"'
            self._send(401, {"WWW-Authenticate": challenge}, b"{}")
            return
        if self.command == "HEAD" and not registry.head:
            self._send(405, {}, b"")
            return
        self._send_manifest(f"{repository}:{tag}")

    def _give_token(self, query: dict[str, list[str]]) -> None:
        repository = query["scope"][0].split(":")[1]
        assert query["service"] == ["fake"]
        assert "Authorization" not in self.headers
        if repository in self.registry.private:
            self._send(401, {}, b"{}")
        elif self.registry.token is None:
            self._send(200, {}, b"<html>")
        else:
            self._send(200, {}, json.dumps({"token": f"{self.registry.token}-{repository}"}).encode())

    def _send_manifest(self, name: str) -> None:
        registry = self.registry
        if name not in registry.images:
            self._send(404, {}, b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}')
            return
        assert INDEX in self.headers["Accept"]
        headers = {"Content-Type": registry.kinds[name]}
        if registry.digest_header:
            headers["Docker-Content-Digest"] = f"sha256:{'0' * 64}" if registry.lies else registry.digest(name)
        self._send(200, headers, registry.images[name])

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for header, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        for part in (bytes([byte]) for byte in body) if self.registry.trickle else (body,):
            time.sleep(self.registry.trickle)
            self.wfile.write(part)
            self.wfile.flush()


@contextmanager
def serving() -> Iterator[Registry]:
    """A registry on the loopback interface."""
    registry = Registry()
    handler = type("Handler", (_Handler,), {"registry": registry})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    registry.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

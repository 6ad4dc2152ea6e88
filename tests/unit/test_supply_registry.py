"""Digests are asked of a real server that speaks the registries' API, with all that goes wrong there."""

from __future__ import annotations

import email.utils
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from ozone_gen.diagnostics import codes
from ozone_gen.supply.reference import parse_reference
from ozone_gen.supply.registry import Digest, Registries, RegistryError
from tests.unit.fake_registry import MANIFEST, Registry, serving


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serving() as served:
        yield served


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def registries(slept: list[float]) -> Registries:
    return Registries(timeout=2, sleep=slept.append)


def digest(registries: Registries, registry: Registry, image: str) -> Digest:
    return registries.digest(parse_reference(f"{registry.host}/{image}"))


def refused(registries: Registries, registry: Registry, image: str = "a/b:1") -> RegistryError:
    with pytest.raises(RegistryError) as caught:
        digest(registries, registry, image)
    return caught.value


def test_the_digest_is_that_of_the_index(registry: Registry, registries: Registries) -> None:
    wanted = registry.put("a/b:1")
    assert digest(registries, registry, "a/b:1") == Digest(wanted, True)
    methods = [(method, path.partition("?")[0]) for method, path, _ in registry.asked]
    # Docker Hub counts what is fetched, not what is asked for by HEAD.
    assert methods == [("HEAD", "/v2/a/b/manifests/1"), ("GET", "/token"), ("HEAD", "/v2/a/b/manifests/1")]


def test_a_token_is_asked_for_once_a_repository(registry: Registry, registries: Registries) -> None:
    for name in ("a/b:1", "a/b:2", "c:1"):
        wanted = registry.put(name)
        assert digest(registries, registry, name).value == wanted
    assert [path for _, path, _ in registry.asked if path.startswith("/token")] == [
        "/token?service=fake&scope=repository%3Aa%2Fb%3Apull",
        "/token?service=fake&scope=repository%3Ac%3Apull",
    ]


def test_a_registry_without_tokens(registry: Registry, registries: Registries) -> None:
    wanted = registry.put("a/b:1")
    registry.with_auth = False
    assert digest(registries, registry, "a/b:1").value == wanted
    assert len(registry.asked) == 1


def test_an_image_for_one_kind_of_machine(registry: Registry, registries: Registries) -> None:
    wanted = registry.put("a/b:1", kind=MANIFEST)
    assert digest(registries, registry, "a/b:1") == Digest(wanted, False)


@pytest.mark.parametrize("lack", ["head", "digest_header"])
def test_without_head_or_header_the_digest_is_counted(lack: str, registry: Registry, registries: Registries) -> None:
    wanted = registry.put("a/b:1")
    setattr(registry, lack, False)
    assert digest(registries, registry, "a/b:1") == Digest(wanted, True)


def test_a_digest_that_is_not_that_of_the_content(registry: Registry, registries: Registries) -> None:
    registry.put("a/b:1")
    registry.lies, registry.head = True, False
    error = refused(registries, registry)
    assert error.code is codes.RegistryRefused
    assert "does not have the digest that it says" in error.message


def test_what_is_not_there(registry: Registry, registries: Registries) -> None:
    error = refused(registries, registry)
    assert error.code is codes.ImageNotFound
    assert error.message == f"{registry.host} has no image a/b:1"


def test_what_wants_a_login(registry: Registry, registries: Registries) -> None:
    registry.private.add("a/b")
    error = refused(registries, registry)
    assert error.code is codes.RegistryRefused
    assert error.message == f"{registry.host} does not show a/b without a login: it is private, or not there"
    for headers in ({"WWW-Authenticate": 'Basic realm="here"'}, {}):
        registry.faults.append((401, headers))
        assert "without a login" in refused(registries, registry, "c/d:1").message
    registry.faults.append((403, {}))
    assert "without a login" in refused(registries, registry, "c/d:1").message


def test_a_token_that_is_refused(registry: Registry, registries: Registries) -> None:
    registry.put("a/b:1")
    challenge = {"WWW-Authenticate": f'Bearer realm="http://{registry.host}/token",service="fake"'}
    registry.faults += [(401, challenge), (401, challenge)]
    assert "without a login" in refused(registries, registry).message


def test_something_else_than_a_token(registry: Registry, registries: Registries) -> None:
    registry.token = None
    assert "gives no token, but something else" in refused(registries, registry).message
    registry.token = "two\r\nlines: 1"
    assert "gives no token, but something else" in refused(registries, registry).message


@pytest.mark.parametrize(
    "realm", ["http://auth.example.org/token", "file:///etc/passwd", "ftp://x/", "https://me@x/", "https://[", "", "x"]
)
def test_a_token_is_not_fetched_from_anywhere(realm: str, registry: Registry, registries: Registries) -> None:
    challenge = {"WWW-Authenticate": f'Bearer realm="{realm}",service="fake"'}
    registry.faults.append((401, challenge))
    error = refused(registries, registry)
    assert error.code is codes.RegistryRefused
    assert "which is not HTTPS" in error.message


def test_a_busy_registry_is_waited_for(registry: Registry, registries: Registries, slept: list[float]) -> None:
    wanted = registry.put("a/b:1")
    registry.faults += [(429, {"Retry-After": "7"}), (503, {}), (429, {"Retry-After": "soon"})]
    assert digest(registries, registry, "a/b:1").value == wanted
    assert slept == [7, 2, 4]


def test_a_moment_to_come_back_at(registry: Registry, registries: Registries, slept: list[float]) -> None:
    registry.put("a/b:1")
    # By the registry's clock, which is the test's here.
    registry.faults.append((429, {"Retry-After": email.utils.formatdate(time.time() + 20, usegmt=True)}))
    digest(registries, registry, "a/b:1")
    assert 17 <= slept[0] <= 21


def test_too_long_a_wait(registry: Registry, registries: Registries, slept: list[float]) -> None:
    registry.faults.append((429, {"Retry-After": "3600"}))
    error = refused(registries, registry)
    assert error.code is codes.RegistryRefused
    assert error.message == f"{registry.host} has been asked too often, and asks to wait for 3600 seconds"
    assert slept == []


def test_a_registry_that_stays_busy(registry: Registry, registries: Registries, slept: list[float]) -> None:
    registry.faults += [(429, {})] * 4
    assert refused(registries, registry).message == f"{registry.host} has been asked too often"
    assert slept == [1, 2, 4]
    registry.faults += [(502, {})] * 4
    assert refused(registries, registry).message == f"{registry.host} gives an answer of status 502"


def test_an_answer_of_another_kind(registry: Registry, registries: Registries) -> None:
    """Such as the page of a network that wants a login, which answers everything with 200."""
    registry.put("a/b:1", "<html>", kind="text/html; charset=utf-8")
    error = refused(registries, registry)
    assert error.code is codes.RegistryRefused
    assert "answers with text/html, which is no image" in error.message
    registry.put("a/b:1", kind="application/vnd.docker.distribution.manifest.v1+prettyjws")
    assert "which is no image" in refused(registries, registry).message


def test_redirects_are_followed_to_safe_places_only(registry: Registry, registries: Registries) -> None:
    wanted = registry.put("a/b:1")
    registry.with_auth = False
    registry.redirect = f"http://{registry.host}/v2/a/b/manifests/1"
    assert digest(registries, registry, "a/b:1").value == wanted
    assert [method for method, _, _ in registry.asked] == ["HEAD", "HEAD"]
    registry.redirect = "http://login.example.org/"
    error = refused(registries, registry)
    assert error.code is codes.RegistryRefused
    assert "sends on to http://login.example.org/, which is not HTTPS" in error.message


def test_a_token_stays_with_its_host(registry: Registry, registries: Registries) -> None:
    registry.put("a/b:1")
    digest(registries, registry, "a/b:1")
    with serving() as other:
        other.put("a/b:1")
        other.with_auth = False
        registry.redirect = f"http://{other.host}/v2/a/b/manifests/1"
        registry.with_auth = False
        digest(registries, registry, "a/b:1")
        assert registry.asked[-1][2]
        assert [token for _, _, token in other.asked] == [""]


def test_a_slow_answer(registry: Registry, slept: list[float]) -> None:
    registry.put("a/b:1")
    registry.delay = 0.5
    impatient = Registries(timeout=0.2, sleep=slept.append)
    error = refused(impatient, registry)
    assert error.code is codes.RegistryUnreachable
    assert error.message == f"{registry.host} does not answer: timed out"
    asked = len(registry.asked)
    assert refused(impatient, registry, "c:1").message == error.message
    assert len(registry.asked) == asked, "a silent registry is asked once, not for every image"


def test_an_answer_that_never_ends(registry: Registry, slept: list[float]) -> None:
    registry.put("a/b:1", "x" * 1000)
    registry.with_auth, registry.head, registry.trickle = False, False, 0.02
    start = time.monotonic()
    error = refused(Registries(timeout=0.1, sleep=slept.append), registry)
    assert error.code is codes.RegistryUnreachable
    assert "timed out" in error.message
    assert time.monotonic() - start < 5


def test_an_answer_that_is_too_large(registry: Registry, registries: Registries) -> None:
    registry.put("a/b:1", "x" * (4 * 1024 * 1024 + 1))
    registry.digest_header = False
    assert "larger than 4 MiB" in refused(registries, registry).message


def test_nobody_there(registries: Registries, slept: list[float]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(RegistryError) as caught:
            registries.digest(parse_reference(f"localhost:{port}/a/b:1"))
    assert caught.value.code is codes.RegistryUnreachable
    assert caught.value.message == f"localhost:{port} does not answer: connection refused"
    assert slept == [1]


def test_something_that_does_not_speak_http(registries: Registries) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        port = server.getsockname()[1]
        def answer() -> None:
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(RegistryError) as caught:
            registries.digest(parse_reference(f"localhost:{port}/a/b:1"))
        thread.join()
    assert caught.value.code is codes.RegistryUnreachable


def test_other_machines_are_asked_by_https_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def send(self: Registries, method: str, url: str, *_: object) -> None:
        asked.append(url)
        raise RegistryError(codes.RegistryRefused, "enough")

    monkeypatch.setattr(Registries, "_send", send)
    for image in ("redis:7", "quay.io/minio/minio:1", "mirror.example.org:5000/x:1", "localhost/x:1", "127.0.0.2:80/x"):
        with pytest.raises(RegistryError):
            Registries().digest(parse_reference(image))
    assert asked == [
        "https://registry-1.docker.io/v2/library/redis/manifests/7",
        "https://quay.io/v2/minio/minio/manifests/1",
        "https://mirror.example.org:5000/v2/x/manifests/1",
        "http://localhost/v2/x/manifests/1",
        "http://127.0.0.2:80/v2/x/manifests/latest",
    ]

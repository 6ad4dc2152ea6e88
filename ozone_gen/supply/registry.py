"""Asks registries of container images for digests, by the HTTP API that all of them speak (OCI distribution, v2).

Nothing but the standard library; without a login; by HTTPS, or by HTTP from a registry on this machine. Proxies and
authorities are those of the environment.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ozone_gen import __version__
from ozone_gen.diagnostics import codes
from ozone_gen.supply.reference import DOCKER_HUB, Reference

_INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_ACCEPTED: Final = ", ".join((*_INDEXES, *_MANIFESTS))
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_PARAMETER: Final = re.compile(r'(\w+)="([^"]*)"')

TIMEOUT: Final = 15.0
"""Seconds without a byte after which a registry counts as silent; and for a whole answer, four times as many."""
_LARGEST: Final = 4 * 1024 * 1024
"""Bytes of a manifest, as registries limit it."""
_PAUSES: Final = (1.0, 2.0, 4.0)
"""Seconds between tries."""
_LONGEST_PAUSE: Final = 60.0
"""Seconds that a registry may ask to wait; with more, another time is better."""
_AGAIN: Final = frozenset({429, 500, 502, 503, 504})

Sleep = Callable[[float], None]


class RegistryError(Exception):
    """A registry does not say a digest; `code` is what kind of finding that is."""

    def __init__(self, code: type[codes.Code], message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Digest:
    """The digest of a tag; `platforms` is whether it is that of a list of images for several kinds of machines."""

    value: str
    platforms: bool


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Message
    body: bytes


class _Silent(Exception):
    """Nothing came, or not all of it."""


class Registries:
    """All registries; what one of them has told is not asked for again."""

    def __init__(self, *, timeout: float = TIMEOUT, sleep: Sleep = time.sleep) -> None:
        self._timeout = timeout
        self._sleep = sleep
        self._tokens: dict[tuple[str, str], str] = {}
        self._silent: dict[str, RegistryError] = {}
        self._opener = build_opener(_Redirects())

    def digest(self, image: Reference) -> Digest:
        """The digest of an image's tag now. Raises RegistryError."""
        if image.registry in self._silent:
            raise self._silent[image.registry]
        host = "registry-1.docker.io" if image.registry == DOCKER_HUB else image.registry
        url = f"{'http' if _is_here(_name(host)) else 'https'}://{host}/v2/{image.repository}/manifests/{image.tag}"
        try:
            # Docker Hub counts what is fetched, and not what is asked for by HEAD.
            answer = self._authorized("HEAD", url, image)
            told = answer.headers.get("Docker-Content-Digest", "")
            if answer.status == 405 or (answer.status == 200 and not _DIGEST.fullmatch(told)):
                answer = self._authorized("GET", url, image)
        except _Silent as silence:
            hint = "run it where the registry can be reached, or name a mirror under `images` in ozone.yaml"
            error = RegistryError(codes.RegistryUnreachable, f"{image.registry} does not answer: {silence}", hint)
            self._silent[image.registry] = error
            raise error from None
        return _digest(answer, image)

    def _authorized(self, method: str, url: str, image: Reference) -> _Answer:
        """An answer to a request with a token, which the registry says how to get."""
        key = (image.registry, image.repository)
        headers = {"Accept": _ACCEPTED}
        if key in self._tokens:
            headers["Authorization"] = f"Bearer {self._tokens[key]}"
        answer = self._patient(method, url, headers, image)
        if answer.status != 401:
            return answer
        self._tokens[key] = self._token(answer.headers, image)
        headers["Authorization"] = f"Bearer {self._tokens[key]}"
        return self._patient(method, url, headers, image)

    def _token(self, headers: Message, image: Reference) -> str:
        challenges = [each for each in headers.get_all("WWW-Authenticate", []) if each.lower().startswith("bearer ")]
        if not challenges:
            raise _wants_a_login(image)
        asked = dict(_PARAMETER.findall(challenges[0]))
        realm = asked.get("realm", "")
        if not _is_safe(realm):
            raise _refused(image, f"sends for a token to `{realm}`, which is not HTTPS")
        wanted = {"service": asked.get("service"), "scope": asked.get("scope") or f"repository:{image.repository}:pull"}
        query = urlencode({name: value for name, value in wanted.items() if value})
        url = f"{realm}{'&' if '?' in realm else '?'}{query}"
        answer = self._patient("GET", url, {"Accept": "application/json"}, image)
        if answer.status in (400, 401, 403, 404):
            raise _wants_a_login(image)
        if answer.status != 200:
            raise _refused(image, f"gives no token, but an answer of status {answer.status}")
        with suppress(ValueError, RecursionError):
            document = json.loads(answer.body)
            token = document.get("token") or document.get("access_token") if isinstance(document, dict) else None
            # It goes into a header, where a line break would begin another one.
            if isinstance(token, str) and re.fullmatch(r"[\x21-\x7e]+", token):
                return token
        raise _refused(image, "gives no token, but something else")

    def _patient(self, method: str, url: str, headers: Mapping[str, str], image: Reference) -> _Answer:
        """An answer after as many tries as are worth it: a broken line, a busy registry, and one that says to wait."""
        for pause in (*_PAUSES, None):
            try:
                answer = self._send(method, url, headers, image)
            except _Silent:
                # Once more, not four times: each may take as long as the timeout.
                if pause != _PAUSES[0]:
                    raise
                self._sleep(pause)
                continue
            if answer.status not in _AGAIN:
                return answer
            asked = _retry_after(answer.headers)
            if pause is None or asked > _LONGEST_PAUSE:
                if answer.status != 429:
                    return answer
                wait = f", and asks to wait for {round(asked)} seconds" if asked else ""
                hint = "wait, or name a mirror under `images` in ozone.yaml"
                raise _refused(image, f"has been asked too often{wait}", hint)
            self._sleep(max(pause, asked))
        raise AssertionError("the last try returns or raises")

    def _send(self, method: str, url: str, headers: Mapping[str, str], image: Reference) -> _Answer:
        request = Request(url, method=method, headers={"User-Agent": f"ozone-gen/{__version__}", **headers})
        ends = time.monotonic() + 4 * self._timeout
        try:
            try:
                response = self._opener.open(request, timeout=self._timeout)
            except HTTPError as error:
                response = error
            with response:
                body = _read(response, ends) if method == "GET" else b""
                return _Answer(response.status, response.headers, body)
        except _NotSafe as error:
            message = f"sends on to {error}, which is not HTTPS: something in between may have answered"
            raise _refused(image, message) from None
        except (OSError, HTTPException, ValueError) as error:
            raise _Silent(_reason(error)) from None


def _read(response: Any, ends: float) -> bytes:
    """The body of an answer, which must not be endless, nor come a byte at a time for ever."""
    parts: list[bytes] = []
    size = 0
    while part := response.read1(65536):
        parts.append(part)
        size += len(part)
        if size > _LARGEST:
            raise OSError(f"the answer is larger than {_LARGEST // 1024 // 1024} MiB")
        if time.monotonic() > ends:
            raise TimeoutError("timed out")
    return b"".join(parts)


def _digest(answer: _Answer, image: Reference) -> Digest:
    if answer.status in (400, 404):
        message = f"{image.registry} has no image {image.repository}:{image.tag}"
        raise RegistryError(codes.ImageNotFound, message, "look at its name and tag under `images` in ozone.yaml")
    if answer.status in (401, 403):
        raise _wants_a_login(image)
    if answer.status != 200:
        raise _refused(image, f"gives an answer of status {answer.status}")
    kind = answer.headers.get_content_type()
    if kind not in (*_INDEXES, *_MANIFESTS):
        raise _refused(image, f"answers with {kind}, which is no image: something in between may have answered")
    told = answer.headers.get("Docker-Content-Digest", "")
    if not answer.body:
        if not _DIGEST.fullmatch(told):
            raise _refused(image, "gives an empty answer")
        return Digest(told, kind in _INDEXES)
    counted = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
    if _DIGEST.fullmatch(told) and told != counted:
        raise _refused(image, "gives an answer that does not have the digest that it says")
    return Digest(counted, kind in _INDEXES)


def _wants_a_login(image: Reference) -> RegistryError:
    message = f"does not show {image.repository} without a login: it is private, or not there"
    return _refused(image, message, "look at the name, or name a mirror that needs none under `images` in ozone.yaml")


_ELSEWHERE: Final = "try again where the registry itself answers"


def _refused(image: Reference, message: str, hint: str = _ELSEWHERE) -> RegistryError:
    return RegistryError(codes.RegistryRefused, f"{image.registry} {message}", hint)


def _retry_after(headers: Message) -> float:
    """Seconds that a registry asks to wait; 0 where it does not say."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    with suppress(ValueError, TypeError):
        then = parsedate_to_datetime(text)
        # By the registry's own clock, where it tells it: this machine's may be wrong.
        now = headers.get("Date")
        base = parsedate_to_datetime(now).timestamp() if now else time.time()
        return max(0.0, then.timestamp() - base)
    return 0.0


def _reason(error: BaseException) -> str:
    """What went wrong on the way, in few words."""
    if isinstance(error, URLError) and isinstance(error.reason, BaseException):
        error = error.reason
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return "it does not speak TLS"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return (str(error).splitlines() or [""])[0] or type(error).__name__


# --- which addresses are asked


class _NotSafe(Exception):
    """An address that is not asked."""


class _Redirects(HTTPRedirectHandler):
    """Follows by the same method, to HTTPS only, and takes the token along to the same host only."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        """The request to go on with."""
        if not _is_safe(newurl):
            fp.close()
            raise _NotSafe(newurl)
        same = urlsplit(newurl).netloc == urlsplit(req.full_url).netloc
        kept = {name: value for name, value in req.header_items() if same or name.lower() != "authorization"}
        kept = {name: value for name, value in kept.items() if name.lower() != "host"}
        return Request(newurl, headers=kept, method=req.get_method(), unverifiable=True)


def _is_safe(url: str) -> bool:
    try:
        place = urlsplit(url)
        port = place.port
    except ValueError:
        return False
    if not place.hostname or place.username is not None or port == 0:
        return False
    return place.scheme == "https" or (place.scheme == "http" and _is_here(place.hostname))


def _name(host: str) -> str:
    return host.partition(":")[0]


def _is_here(host: str) -> bool:
    """Whether it is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

"""How the parts of a running site are reached from this machine: addresses, passwords, plain HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ozone_gen.plan import Setting, SitePlan

_TIMEOUT_S: Final = 10
ANYWHERE: Final = "0.0.0.0"


class UnreachableError(Exception):
    """A part did not answer, or not as it should; the text says how, `status` is HTTP's where anything did."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Surroundings:
    """What the site's values are here.

    Attributes:
        plan: the site as decided.
        environment: variables of the process, and those of the site's `.env` that it does not set.
    """

    plan: SitePlan
    environment: Mapping[str, str]

    def value(self, setting: Setting) -> str | None:
        """A setting as Compose would fill it in; None where its variable is not set."""
        if overriding := self.environment.get(setting.override):
            return overriding
        if setting.variable is None:
            return setting.value
        return self.environment.get(setting.variable) or None

    def published(self, part: str) -> tuple[str, int] | None:
        """Where a part of the site listens on this machine; None where its port is closed."""
        port = self.plan.ports.get(part)
        if port is None:
            return None
        address = self.plan.bind_address
        return ("127.0.0.1" if address == ANYWHERE else address), port

    def get(self, part: str, path: str) -> Any:
        """Fetch JSON (or text, where it is none) from a part's published port. Raises UnreachableError."""
        where = self.published(part)
        if where is None:
            raise UnreachableError("its port is closed in ozone.yaml")
        return fetch(f"http://{where[0]}:{where[1]}{path}")


def fetch(url: str) -> Any:
    """Fetch JSON, or text where it is none. Raises UnreachableError."""
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
            body = answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        raise UnreachableError(f"{url} answers {error.code} {error.reason}", error.code) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise UnreachableError(f"{url} does not answer: {reason}") from error
    try:
        return json.loads(body)
    except ValueError:
        return body


def environment(process: Mapping[str, str], file: Path | None) -> Mapping[str, str]:
    """The variables that Compose would see: those of the process before those of the site's `.env`."""
    if file is None or not file.is_file():
        return dict(process)
    from dotenv import dotenv_values

    of_file = dotenv_values(file, interpolate=False)
    return {**{name: value for name, value in of_file.items() if value is not None}, **process}


def innermost_cause(trace: str) -> str:
    """The line of a Java stack trace that says why."""
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return (causes or lines[:1] or [""])[-1]

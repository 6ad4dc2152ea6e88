"""Kafka Connect's REST API, as far as it is used here (its documentation, "REST API").

The worker answers 409 while it shares out connectors anew, and 404 or 500 in its first seconds: these pass.
"""

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from .waiting import NotReadyError, Problem, RefusedError, unreachable

Config = dict[str, str]

TIMEOUT_S = 60
"""Debezium's validation waits for the database by itself."""


@dataclass(frozen=True)
class Status:
    """The state of a connector and of its tasks in Connect's words (RUNNING, FAILED, PAUSED, ...).

    `traces` are the Java stack traces of what failed.
    """

    connector: str
    tasks: tuple[str, ...]
    traces: tuple[str, ...]


class ConnectWorker:
    """One worker. Each method raises NotReadyError where the worker is down or busy."""

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RefusedError(
                Problem(f"CONNECT_URL is {url!r}, which is no address.", "Write it as http://connect:8083.")
            )
        self._url = url.rstrip("/")
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)

    def configs(self) -> dict[str, Config]:
        """The configuration of every connector there is, by name."""
        connectors = self._call("GET", "/connectors?expand=info")
        return {name: connector["info"]["config"] for name, connector in connectors.items()}

    def has_plugin(self, connector_class: str) -> bool:
        """Whether the worker can run connectors of this class."""
        return any(plugin["class"] == connector_class for plugin in self._call("GET", "/connector-plugins"))

    def validate(self, config: Config) -> dict[str, list[str]]:
        """What the plugin has against a configuration, by field; empty where it is good."""
        plugin = urllib.parse.quote(config["connector.class"], safe="")
        answer = self._call("PUT", f"/connector-plugins/{plugin}/config/validate", config)
        values = [field["value"] for field in answer["configs"]]
        return {value["name"]: value["errors"] for value in values if value["errors"]}

    def put(self, name: str, config: Config) -> None:
        """Register a connector, or give it a new configuration."""
        self._call("PUT", f"{_path(name)}/config", config)

    def remove(self, name: str) -> None:
        """Remove a connector; its topics and offsets stay."""
        self._call("DELETE", _path(name))

    def status(self, name: str) -> Status | None:
        """How a connector fares; None while the worker knows nothing of it."""
        answer = self._call("GET", f"{_path(name)}/status", absent=404)
        if answer is None:
            return None
        parts = [answer["connector"], *answer["tasks"]]
        return Status(
            connector=answer["connector"]["state"],
            tasks=tuple(task["state"] for task in answer["tasks"]),
            traces=tuple(part["trace"] for part in parts if part.get("trace")),
        )

    def offsets(self, name: str) -> list[dict[str, Any]]:
        """How far a connector has come, as it was last stored: `partition` and `offset` in the connector's words."""
        answer = self._call("GET", f"{_path(name)}/offsets", absent=404)
        offsets: list[dict[str, Any]] = answer["offsets"] if answer else []
        return offsets

    def restart(self, name: str, *, only_failed: bool) -> None:
        """Restart a connector with its tasks, or only what has failed of it."""
        query = f"includeTasks=true&onlyFailed={str(only_failed).lower()}"
        self._call("POST", f"{_path(name)}/restart?{query}")

    def _call(self, method: str, path: str, body: Config | None = None, *, absent: int | None = None) -> Any:
        """The answer's JSON; None for an answer without one, or with the status `absent`."""
        request = urllib.request.Request(
            self._url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            with error:
                if error.code == absent:
                    return None
                raise NotReadyError(_problem(error)) from None
        except urllib.error.URLError as error:
            cause = error.reason if isinstance(error.reason, BaseException) else error
            raise NotReadyError(self._down(cause)) from None
        except OSError as error:  # the connection broke while the answer was read
            raise NotReadyError(self._down(error)) from None
        except ValueError:
            raise NotReadyError(
                Problem(f"What answers at {self._url} is not Kafka Connect.", "Correct CONNECT_URL.")
            ) from None

    def _down(self, cause: BaseException) -> Problem:
        return unreachable("Kafka Connect", self._host, self._port, cause, "CONNECT_URL")


def _path(name: str) -> str:
    return f"/connectors/{urllib.parse.quote(name, safe='')}"


def _problem(error: urllib.error.HTTPError) -> Problem:
    if error.code == 409:
        return Problem("Kafka Connect is sharing out its work anew and takes no orders for a moment.")
    try:
        message = str(json.loads(error.read())["message"])
    except (OSError, ValueError, KeyError, TypeError):
        return Problem(f"Kafka Connect is still starting (it answers with status {error.code}).")
    return Problem(f"Kafka Connect answers with status {error.code}: {first_line(message).rstrip('.')}.")


def first_line(text: str) -> str:
    """The first line that is not empty."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")

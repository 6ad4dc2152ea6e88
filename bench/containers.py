"""What the containers of a compose project use, and when each of them became ready."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any


@dataclass(frozen=True)
class Usage:
    """What a container has used: `cpu` in seconds since its start, `memory` in MiB without the file cache."""

    cpu: float
    memory: float


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over the socket of a Docker engine."""

    def __init__(self, path: str) -> None:
        super().__init__("docker")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def _ask(engine: Mapping[str, str], path: str) -> Any:
    address = engine.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    connection = _SocketConnection(urllib.parse.urlparse(address).path)
    try:
        connection.request("GET", path)
        return json.load(connection.getresponse())
    finally:
        connection.close()


def containers(engine: Mapping[str, str], project: str) -> dict[str, str]:
    """Return the id of each running container of a compose project by its service."""
    wanted = urllib.parse.quote(json.dumps({"label": [f"com.docker.compose.project={project}"]}))
    return {
        container["Labels"]["com.docker.compose.service"]: container["Id"]
        for container in _ask(engine, f"/containers/json?filters={wanted}")
    }


def usage(engine: Mapping[str, str], project: str) -> dict[str, Usage]:
    """Read what each running container of a compose project has used, as `docker stats` counts it."""
    found = containers(engine, project)
    # The engine takes a second for each container, asleep.
    with ThreadPoolExecutor(len(found) or 1) as pool:
        return dict(zip(found, pool.map(lambda container: _usage(engine, container), found.values()), strict=True))


def _usage(engine: Mapping[str, str], container: str) -> Usage:
    stats = _ask(engine, f"/containers/{container}/stats?stream=false&one-shot=true")
    memory = stats["memory_stats"]
    cache = memory["stats"].get("inactive_file", memory["stats"].get("total_inactive_file", 0))
    return Usage(stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9, (memory["usage"] - cache) / 2**20)


def process_id(engine: Mapping[str, str], project: str, service: str) -> int:
    """Return the process id, on the engine's host, of a service's first process."""
    container = containers(engine, project)[service]
    number: int = _ask(engine, f"/containers/{container}/json")["State"]["Pid"]
    return number


class Timeline:
    """Records when the containers of a project start, become healthy and end, without asking them."""

    def __init__(self, engine: Mapping[str, str], project: str) -> None:
        """Begin; times count from here."""
        self.started = time.time()
        self.events: list[tuple[float, str, str]] = []
        self._process = subprocess.Popen(
            [
                *("docker", "events", "--format", "{{json .}}"),
                *("--filter", f"label=com.docker.compose.project={project}"),
            ],
            env=dict(engine),
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Timeline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
        self._reader.join(timeout=5)

    def note(self, what: str, which: str = "") -> float:
        """Add something that was seen now, and return its seconds."""
        seconds = time.time() - self.started
        self.events.append((seconds, which, what))
        return seconds

    def rows(self) -> list[list[str | float]]:
        """Return the seconds, service and event of all that happened, in order."""
        return [[seconds, service, what] for seconds, service, what in sorted(self.events)]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = json.loads(line)
            status = event.get("status", "")
            service = event["Actor"]["Attributes"].get("com.docker.compose.service", "")
            if status == "die":
                status = f"ended ({event['Actor']['Attributes'].get('exitCode')})"
            elif status in ("start", "health_status: healthy", "health_status: unhealthy"):
                status = status.removeprefix("health_status: ")
            else:
                continue
            self.events.append((event["timeNano"] / 1e9 - self.started, service, status))

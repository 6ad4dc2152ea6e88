"""What the container engine says of the site's services."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ozone_gen.doctor.findings import Finding, State
from ozone_gen.doctor.reach import Surroundings

_PART: Final = "Services"
_TIMEOUT_S: Final = 60
_LAST_LINES: Final = 3


def examine(site: Surroundings) -> Iterator[Finding]:
    """Look at each container of the site's Compose project."""
    project = f"ozone-{site.plan.site.id}"
    if shutil.which("docker") is None:
        yield Finding(_PART, State.UNKNOWN, "there is no docker here", "run this on the site's machine")
        return
    mine = f"label=com.docker.compose.project={project}"
    listed = _docker(site, "ps", "--all", "--no-trunc", "--format", "{{json .}}", "--filter", mine)
    if listed.returncode:
        yield Finding(_PART, State.UNKNOWN, _first_line(listed.stderr), "is the container engine running?")
        return
    containers = [json.loads(line) for line in listed.stdout.splitlines()]
    if not containers:
        yield Finding(_PART, State.ILL, f"no container of the project {project} is there", "docker compose up -d")
        return
    ill = 0
    for container in sorted(containers, key=_service):
        if problem := _problem(container):
            ill += 1
            name = _service(container)
            said = _last_words(site, container["ID"])
            yield Finding(f"Service {name}", State.ILL, problem + said, f"docker compose logs {name}")
    if not ill:
        yield Finding(_PART, State.WELL, f"{len(containers)} containers are up, healthy, or done")


def _docker(site: Surroundings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S, env=dict(site.environment)
    )


def _service(container: Mapping[str, Any]) -> str:
    labels = dict(label.partition("=")[::2] for label in container["Labels"].split(","))
    return labels.get("com.docker.compose.service") or str(container["Names"])


def _problem(container: Mapping[str, Any]) -> str:
    """What is wrong with a container, in words; empty for nothing."""
    state, status = container["State"], container["Status"]
    if state == "exited":
        return "" if "(0)" in status else f"it has ended: {status}"
    if state != "running":
        return f"it is {state}: {status}"
    return "it is unhealthy" if "(unhealthy)" in status else ""


def _last_words(site: Surroundings, container: str) -> str:
    logs = _docker(site, "logs", "--tail", str(_LAST_LINES), container)
    lines = [line.strip() for line in (logs.stdout + logs.stderr).splitlines() if line.strip()]
    return f"; it said last: {' | '.join(lines[-_LAST_LINES:])}" if lines else ""


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "docker does not answer")


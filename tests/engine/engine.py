"""The Docker engine of the end-to-end tests: the machine's own, or else the throw-away one of this folder.

    env = ensure_engine()
    files = compose_files(env, site, ["docker-compose-db.yaml"], scratch)
    subprocess.run(["docker", "compose", *files, "up", "-d", "--build", "--wait"], cwd=site, env=env)
    stop_engine()

With the machine's own engine, images are pulled as for anybody. With the throw-away one they are stand-ins,
built here under the public names (see README.md), and nothing is pulled.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from threading import Thread
from typing import Any, TextIO

HERE = Path(__file__).resolve().parent
REFUSED = 3
"""What engine.sh exits with when this machine cannot have a throw-away engine."""

_started = False
_ahead: Thread | None = None


class EngineUnavailable(Exception):
    """There is no usable engine, and this machine cannot have the throw-away one; the text says why."""


def prepare_ahead() -> None:
    """Begin `ensure_engine()` beside what is done meanwhile: its first time is minutes of downloads."""
    global _ahead
    if _ahead is None:
        _ahead = Thread(target=_prepare, daemon=True)
        _ahead.start()


def _prepare() -> None:
    # Whoever needs the engine asks for it again, and is told then what is wrong.
    with contextlib.suppress(EngineUnavailable, subprocess.CalledProcessError), open(os.devnull, "w") as nowhere:
        _ensured((), nowhere)


def ensure_engine(images: Sequence[str] = ()) -> dict[str, str]:
    """Find or start an engine, and build the stand-ins that it needs.

    `images` are names of folders in images/; none means all. Progress goes to stdout, because the first time
    takes minutes. Returns the environment for subprocesses, in which `docker` and `docker compose` use that
    engine.

    Raises EngineUnavailable, or CalledProcessError when an engine or an image that should come up did not.
    """
    if _ahead is not None:
        _ahead.join()
    return _ensured(images, sys.stdout)


def _ensured(images: Sequence[str], output: TextIO) -> dict[str, str]:
    global _started
    own = dict(os.environ)
    root = _output(["docker", "info", "--format", "{{.DockerRootDir}}"], own)
    foreign = root and Path(root).resolve().parent != _home()
    if foreign and _output(["docker", "compose", "version", "--short"], own):
        print(f"engine: using the one that runs here ({root})", file=output, flush=True)
        return own
    streamed = None if output is sys.stdout else output
    was_up = _script("engine.sh", "status") == 0
    if not was_up:
        begin = "engine: starting a throw-away one; with its images, the first time takes minutes"
        print(begin, file=output, flush=True)
        # Before it is up: whoever prepares it ahead may be ended meanwhile.
        _started = True
        atexit.register(stop_engine)
    up = subprocess.run([HERE / "engine.sh", "up"], stdout=streamed, stderr=subprocess.PIPE, text=True)
    if up.returncode == REFUSED:
        raise EngineUnavailable(up.stderr.strip().removeprefix("engine: "))
    if up.returncode:
        print(up.stderr, file=output, flush=True)
        raise subprocess.CalledProcessError(up.returncode, up.args)
    subprocess.run([HERE / "images.sh", *images], check=True, stdout=streamed)
    return _environment()


def stop_engine() -> None:
    """End the throw-away engine if this process started it, also by itself at exit; others' keep running."""
    global _started
    if _started:
        _script("engine.sh", "stop")
        _started = False


def compose_files(env: Mapping[str, str], site: Path, files: Sequence[str], scratch: Path) -> list[str]:
    """The `-f` arguments for these Compose files of `site`, run with `env`.

    On the throw-away engine they end with an override, written to the folder `scratch`, that forbids pulling
    and leaves out the services whose image has no stand-in.
    """
    arguments = [argument for file in files for argument in ("-f", file)]
    if not _is_throw_away(env):
        return arguments
    command = ["docker", "compose", *arguments, "config", "--format", "json"]
    config = subprocess.run(command, cwd=site, env=env, check=True, stdout=subprocess.PIPE)
    project = json.loads(config.stdout)
    present = _output(["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"], env).split()
    override = without_pulling(project, present)
    for name, service in override["services"].items():
        if "profiles" in service:
            image = project["services"][name]["image"]
            print(f"engine: {name} is left out, there is no stand-in for {image}", flush=True)
    path = scratch / "without-pulling.yaml"
    path.write_text(json.dumps(override, indent=2), encoding="utf-8")  # JSON is YAML
    return [*arguments, "-f", str(path)]


def without_pulling(project: Mapping[str, Any], present: Collection[str]) -> dict[str, Any]:
    """The Compose override under which `project`, as `docker compose config` prints it, needs no registry.

    A service whose image is among `present` is never pulled. One whose image is not gets a profile that
    nobody asks for, so that it is not started. Services that are built are left as they are: the builder
    takes what is there for their FROM lines.
    """
    services: dict[str, Any] = {}
    # One service builds an image that several run.
    built = {service.get("image") for service in project["services"].values() if "build" in service}
    for name, service in project["services"].items():
        if "build" in service or service["image"] in built:
            continue
        there = service["image"].removeprefix("docker.io/").removeprefix("library/") in present
        services[name] = {"pull_policy": "never"} if there else {"profiles": ["no-stand-in"]}
    return {"services": services}


def _home() -> Path:
    return Path(os.environ.get("OZONE_ENGINE_HOME") or Path.home() / ".cache" / "ozone-engine").resolve()


def _environment() -> dict[str, str]:
    home = _home()
    disturbing = {"DOCKER_CONTEXT", "DOCKER_BUILDKIT"}
    return {name: value for name, value in os.environ.items() if name not in disturbing} | {
        "DOCKER_HOST": f"unix://{home}/docker.sock",
        "DOCKER_CONFIG": f"{home}/docker-config",
        "PATH": f"{home}/bin{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }


def _is_throw_away(env: Mapping[str, str]) -> bool:
    return env.get("DOCKER_HOST") == _environment()["DOCKER_HOST"]


def _script(name: str, command: str) -> int:
    return subprocess.run([HERE / name, command], stderr=subprocess.DEVNULL).returncode


def _output(command: Sequence[str], env: Mapping[str, str]) -> str:
    """What the command prints, or nothing when it fails or is not there."""
    try:
        result = subprocess.run(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    except FileNotFoundError:
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""

"""The Docker engine of the end-to-end tests: the machine's own, or else the throw-away one of this folder.

    env = ensure_engine()
    files = compose_files(env, site, ["docker-compose-db.yaml"], scratch)
    subprocess.run(["docker", "compose", *files, "up", "-d", "--build", "--wait"], cwd=site, env=env)
    stop_engine()

As a program it runs a command, beside which it prepares the engine, and ends it afterwards:

    python -m tests.engine.engine make check

With the machine's own engine, images are pulled as for anybody. With the throw-away one they are stand-ins,
built here under the public names (see README.md), and nothing is pulled.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from threading import Thread
from typing import Any, Final, TextIO

HERE = Path(__file__).resolve().parent
REFUSED = 3
"""What engine.sh exits with when this machine cannot have a throw-away engine."""

FOR_TESTS: Final = "for-tests"
"""A file beside the engine while it is one that tests have started, and that the last of them ends."""

_used: TextIO | None = None
"""What this process holds a shared lock of, while it uses the throw-away engine."""
_ahead: Thread | None = None
_coming_up: subprocess.Popen[str] | None = None


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

    `images` are names of folders in images/; none means all. Progress is told, because the first time takes
    minutes. Returns the environment for subprocesses, in which `docker` and `docker compose` use that
    engine.

    Raises EngineUnavailable, or CalledProcessError when an engine or an image that should come up did not.
    """
    if _ahead is not None:
        _ahead.join()
    # What a worker of pytest-xdist writes to stdout nobody sees.
    return _ensured(images, sys.stderr if "PYTEST_XDIST_WORKER" in os.environ else sys.stdout)


def _ensured(images: Sequence[str], output: TextIO) -> dict[str, str]:
    global _coming_up
    own = dict(os.environ)
    root = _output(["docker", "info", "--format", "{{.DockerRootDir}}"], own)
    foreign = root and Path(root).resolve().parent != _home()
    if foreign and _output(["docker", "compose", "version", "--short"], own):
        print(f"engine: using the one that runs here ({root})", file=output, flush=True)
        return own
    streamed = None if output is sys.stdout else output
    _use()
    if _script("engine.sh", "status"):
        begin = "engine: starting a throw-away one; with its images, the first time takes minutes"
        print(begin, file=output, flush=True)
        # Before it is up: whoever prepares it ahead may be ended meanwhile.
        (_home() / FOR_TESTS).touch()
    for_tests = {**own, "OZONE_ENGINE_FOR_TESTS": "yes"}
    with subprocess.Popen(
        [HERE / "engine.sh", "up"], env=for_tests, stdout=streamed, stderr=subprocess.PIPE, text=True
    ) as up:
        _coming_up = up
        _, wrong = up.communicate()
    _coming_up = None
    if up.returncode == REFUSED:
        raise EngineUnavailable(wrong.strip().removeprefix("engine: "))
    if up.returncode:
        print(wrong, file=output, flush=True)
        raise subprocess.CalledProcessError(up.returncode, up.args)
    subprocess.run([HERE / "images.sh", *images], check=True, stdout=streamed)
    return _environment()


def _use() -> None:
    """Keep the engine from being stopped by another process until this one does not need it any more."""
    global _used
    if _used is None:
        _used = _users()
        fcntl.flock(_used, fcntl.LOCK_SH)
        atexit.register(stop_engine)


def _users() -> TextIO:
    _home().mkdir(parents=True, exist_ok=True)
    return open(_home() / "users", "w")


def stop_engine(patience: float = 0) -> None:
    """End the throw-away engine if tests started it and none uses it any more; one started by hand keeps running.

    Processes that are ending may still use it for `patience` seconds.
    """
    global _used
    if not (_home() / FOR_TESTS).exists():
        return
    with _used or _users() as users:
        _used = None
        if not _alone(users, patience):
            return  # the last one ends it
        _script("engine.sh", "stop")
        (_home() / FOR_TESTS).unlink(missing_ok=True)


def _alone(users: TextIO, patience: float) -> bool:
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
        time.sleep(0.2)


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


def main(command: Sequence[str]) -> int:
    """Prepare the engine beside a command, and end it after that; the command's exit code."""
    prepare_ahead()
    try:
        return subprocess.run(command).returncode
    finally:
        if _coming_up is not None:
            _coming_up.terminate()  # nobody needs it any more
        stop_engine(patience=10)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

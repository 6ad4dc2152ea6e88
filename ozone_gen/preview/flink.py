"""Run the job of a preview as a child process: start, watch, and never leave it behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from ozone_gen.diagnostics import OutputError, Position, codes
from ozone_gen.preview.java import Java
from ozone_gen.preview.job import JOB, WORK_VARIABLE

_SMALL: Final = 256 << 20  # bytes of events
_POLL: Final = 0.1  # seconds
_PATIENCE: Final = 5.0  # seconds from asking the child to end until it is made to
_LOGGING: Final = """\
rootLogger.level = WARN
rootLogger.appenderRef.file.ref = File
appender.file.name = File
appender.file.type = FILE
appender.file.append = true
appender.file.fileName = ${env:OZONE_PREVIEW_LOG}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{HH:mm:ss,SSS} %-5p %c{1} - %m%n
"""


def run_flink(
    program: Path, work: Path, log: Path, java: Java, *, input_bytes: int, started: Callable[[], object]
) -> None:
    """Fill the tables of the job in the folder `work` and wait for the end.

    What the child writes goes into `log`, which stays only where it fails. `input_bytes` is the size of the
    events, which decides how much Java invests in its own speed. `started` is called once when rows begin
    to be worked on. The child ends with this call, also by Ctrl-C. Raises OutputError where it fails.
    """
    (work / "tmp").mkdir(exist_ok=True)
    (work / "log4j.properties").write_text(_LOGGING, encoding="utf-8")
    environment = child_environment(os.environ, work, log, java, small=input_bytes < _SMALL)
    command = [sys.executable, str(program), "--job", str(work / JOB), "--mode", "batch"]
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=work,
            # A group of its own, so that Ctrl-C reaches us alone and we end the child and its Java together.
            start_new_session=True,
        )
        code = 0
        try:
            code = _wait(child, work / "result", started)
        finally:
            _end(child)
            if code == 0:  # also where Ctrl-C came first
                log.unlink()
    if code != 0:
        message = f"Flink could not flatten the data: {last_cause(log)}"
        raise OutputError(codes.PreviewFailed.at(Position(str(log)), message, hint=f"see {log}"))


def _wait(child: subprocess.Popen[bytes], result: Path, started: Callable[[], object]) -> int:
    running = False
    while True:
        try:
            return child.wait(_POLL)
        except subprocess.TimeoutExpired:
            if not running and result.exists():  # Flink's sinks make it when the first of them opens
                running = True
                started()


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child's whole group, and wait for that: Java may still write into the folder that is to go."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + _PATIENCE
        try:
            os.killpg(child.pid, how)
            while time.monotonic() < deadline:
                child.poll()  # collects it
                os.killpg(child.pid, 0)
                time.sleep(0.02)
        except (ProcessLookupError, PermissionError):  # the latter on macOS, where a zombie is left
            return


def child_environment(
    environment: Mapping[str, str], work: Path, log: Path, java: Java, *, small: bool
) -> dict[str, str]:
    """What the child finds in its environment: ours, and where its Java, folders and logs are."""
    options = ["-XX:+UseSerialGC", f'-Djava.io.tmpdir="{work / "tmp"}"', "-Duser.timezone=UTC"]
    if small:
        # A job of seconds ends before the optimising compiler pays off: without it, half of the time.
        options.append("-XX:TieredStopAtLevel=1")
    return {
        **environment,
        WORK_VARIABLE: f"file://{work}",
        "OZONE_PREVIEW_LOG": str(log.absolute()),
        "JAVA_HOME": str(java.home),
        # Last, so that what the user asks for wins.
        "JDK_JAVA_OPTIONS": " ".join([*options, environment.get("JDK_JAVA_OPTIONS", "")]).strip(),
        "LOG4J_PROPERTIES": str(work / "log4j.properties"),
        "FLINK_LOG_DIR": str(work),
        "TMPDIR": str(work / "tmp"),
        "PYTHONUNBUFFERED": "1",
        "TZ": "UTC",
    }


def last_cause(log: Path) -> str:
    """The last line of a log that says why, else its last line."""
    text = log.read_text(encoding="utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for start in ("flatten: ", "Caused by: "):
        if said := [line for line in lines if line.startswith(start)]:
            return said[-1].removeprefix(start)
    return lines[-1] if lines else "it said nothing"

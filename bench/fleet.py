"""A thousand sites that share a base: `validate`, `render` and `diff`, each in one call.

    python -m bench.fleet [--sites 1000] [--runs 3] [--folder /dev/shm]

Each site extends one base and says its id, its host, and in every tenth a column of its own. `render` writes into new
folders and then into folders that are up to date; `diff` compares the sites before and after a change of the base that
is one of every site. Memory is that of all processes together, pages that they share counted once, looked at ten times
a second.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.render import COMMAND
from bench.report import machine, middle, repository, show, wait_until_quiet

LIMITS = "10 s, 400 MB"


@dataclass(frozen=True)
class Run:
    """A finished command and its processes: `wall` and `cpu` in seconds, `memory` in MiB."""

    wall: float
    cpu: float
    memory: float


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--wait", type=float, default=0, help="minutes to wait for a quiet machine")
    parser.add_argument("--folder", type=Path, help="where to write; else the system's temporary folder")
    given = parser.parse_args()
    wait_until_quiet(given.wait)
    print(f"{machine()}, Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        files = _write_sites(folder / "before", given.sites)
        _write_sites(folder / "after", given.sites)
        base = folder / "after" / "defaults" / "ozone.tables.yaml"
        base.write_text(base.read_text().replace("repeat: max", "repeat: min"))
        sites = [f"before/{file}" for file in files]
        cases: list[tuple[str, list[str], int, bool]] = [
            ("validate", ["validate", *sites], 0, False),
            ("render, new folders", ["render", *sites, "-o", "out"], 0, True),
            ("render, folders up to date", ["render", *sites, "-o", "out"], 0, False),
            ("diff, a changed base", ["diff", "before", "after"], 1, False),
        ]
        rows: list[list[str | float]] = []
        for title, command, code, fresh in cases:
            runs = []
            for number in range(given.runs):
                if fresh and (folder / "out").exists():
                    # Moved, not removed: see bench/render.py.
                    (folder / "out").rename(folder / f"out-{number}")
                runs.append(_run(command, folder, code))
            cpu = statistics.median(each.cpu for each in runs)
            memory = max(each.memory for each in runs)
            rows.append([title, middle([each.wall for each in runs]), cpu, f"{memory:.0f}", LIMITS])
    show(f"{given.sites} sites, {given.runs} runs", ["command", "wall s", "cpu s", "MiB", "limit"], rows)


def _write_sites(folder: Path, number: int) -> list[str]:
    defaults = folder / "defaults"
    defaults.mkdir(parents=True)
    for file in (repository() / "examples" / "fleet" / "defaults").iterdir():
        (defaults / file.name).write_text(file.read_text())
    files = []
    for index in range(number):
        own = "" if index % 10 else "flattening: {tables: {vitals: {columns: {pulse: CIEL:5087}}}}\n"
        own = own.replace("CIEL:5087", "{concept: CIEL:5087, type: integer}")
        path = folder / "sites" / f"site-{index:04}" / "ozone.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(
            "extends: ../../defaults/ozone.base.yaml\n"
            f"site: {{id: site-{index:04}, name: Site {index}}}\n"
            f"sources: {{openmrs: {{host: db-{index}.example.org}}}}\n{own}"
        )
        files.append(str(path.relative_to(folder)))
    return files


def _run(command: Sequence[str], folder: Path, code: int) -> Run:
    before = os.times()
    started = time.perf_counter()
    process = subprocess.Popen([str(COMMAND), *command], cwd=folder, stdout=subprocess.DEVNULL, process_group=0)
    most = [0.0]
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, most, ended))
    watcher.start()
    process.wait()
    wall = time.perf_counter() - started
    ended.set()
    watcher.join()
    if process.returncode != code:
        raise SystemExit(f"ozone-gen {command[0]} ended with {process.returncode}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(wall, cpu, most[0])


def _watch(group: int, most: list[float], ended: threading.Event) -> None:
    while not ended.wait(0.1):
        total = 0
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if os.getpgid(int(entry.name)) == group:
                        lines = (entry / "smaps_rollup").read_text().splitlines()
                        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
                except (OSError, StopIteration):
                    continue
        most[0] = max(most[0], total / 1024)


if __name__ == "__main__":
    main()

"""How long the command line takes, and how much memory: whole processes, as a person starts them.

    python -m bench.render [--runs 11] [--sites 500] [--folder /dev/shm]

Needs nothing but the installed package. Prints the median wall time and the greatest memory of `ozone-gen --help`,
`validate` and `render` of the demo site, and the time for each of many sites in one call. Writing thousands of
files is mostly the file system's time: `--folder` says where (a folder in memory shows what the rest takes).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.report import machine, middle, repository, show, wait_until_quiet

COMMAND = Path(sysconfig.get_path("scripts")) / "ozone-gen"
DEMO = repository() / "examples" / "demo" / "ozone.yaml"

VITALS = {
    "weight_kg": "{concept: CIEL:5089, type: numeric}",
    "height_cm": "{concept: CIEL:5090, type: numeric}",
    "systolic": "{concept: CIEL:5085, type: integer}",
    "diastolic": "{concept: CIEL:5086, type: integer}",
    "pulse": "{concept: CIEL:5087, type: integer}",
    "temperature_c": "{concept: CIEL:5088, type: numeric, repeat: max}",
    "respiratory_rate": "{concept: CIEL:5242, type: integer}",
    "oxygen_saturation": "{concept: CIEL:5092, type: numeric}",
}


@dataclass(frozen=True)
class Run:
    """One finished process: `wall` and `cpu` in seconds, `memory` in MiB (its greatest resident size)."""

    wall: float
    cpu: float
    memory: float


def run(arguments: Sequence[str], folder: Path) -> Run:
    """Run the command line in a folder; a failure of it ends the benchmark."""
    # With this variable Python compiles every module at every start, which nobody's installation does.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with open(os.devnull, "wb") as nothing:
        started = time.perf_counter()
        process = subprocess.Popen([str(COMMAND), *arguments], cwd=folder, stdout=nothing, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"ozone-gen {' '.join(arguments[:3])} ended with {process.returncode}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def repeat(arguments: Sequence[str], folder: Path, runs: int, fresh: bool = False) -> list[Run]:
    """Run a command once to warm the disk's cache, then `runs` times; `fresh` finds its output folder moved away.

    Moved, not removed: ext4 looks long for a free inode where thousands were freed in the last seconds.
    """
    results = []
    for _ in range(runs + 1):
        out = folder / arguments[-1]
        if fresh and out.exists():
            out.rename(folder / f"{out.name}-{time.monotonic_ns()}")
        results.append(run(arguments, folder))
    return results[1:]


def site_file(number: int) -> str:
    """Write a site that differs from the others in names, tables and columns and has no demo data."""
    names = list(VITALS)
    tables = []
    for place in range(1 + number % 3):
        chosen = [names[(number + place + step) % len(names)] for step in range(3 + (number + place) % 6)]
        columns = "".join(f"        {name}: {VITALS[name]}\n" for name in chosen)
        tables.append(
            f"    vitals_{place}:\n      rows: encounter\n      encounter_types: [Vitals]\n      columns:\n{columns}"
        )
    core = "all" if number % 4 else "[patients, visits, encounters]"
    engine = "mysql" if number % 5 == 0 else "mariadb"
    return (
        "version: 1\n"
        f"site: {{id: site-{number:04}, name: Site {number}, timezone: Africa/Nairobi, locales: [en, fr]}}\n"
        "sources:\n"
        f"  openmrs: {{type: openmrs, engine: {engine}, host: db-{number}.example.org,\n"
        "    password: '${OPENMRS_DB_PASSWORD}'}\n"
        "sink: {type: postgresql, password: '${ANALYTICS_DB_PASSWORD}'}\n"
        f"flattening:\n  core: {core}\n  tables:\n{''.join(tables)}"
        "components:\n  high_availability: {type: zookeeper}\n"
    )


def single(runs: int, folder: Path) -> None:
    """Measure the commands on one file."""
    external = folder / "ozone.yaml"
    external.write_text(site_file(2), encoding="utf-8")
    cases: list[tuple[str, list[str], bool, str]] = [
        ("--help", ["--help"], False, ""),
        ("validate, one file", ["validate", str(external)], False, ""),
        ("render, a site without demo data, new folder", ["render", str(external), "-o", "out"], True, ""),
        ("render examples/demo, new folder", ["render", str(DEMO), "-o", "out"], True, "0.5 s, 120 MB"),
        ("render examples/demo, unchanged folder", ["render", str(DEMO), "-o", "out"], False, "0.5 s, 120 MB"),
    ]
    rows: list[list[str | float]] = []
    for name, arguments, fresh, target in cases:
        results = repeat(arguments, folder, runs, fresh)
        memory = max(result.memory for result in results)
        cpu = statistics.median(result.cpu for result in results)
        rows.append([name, middle([result.wall for result in results], 3), cpu, f"{memory:.0f}", target])
    show(f"Whole process, {runs} runs", ["command", "wall s", "cpu s", "MiB", "target"], rows)


def many(sites: int, runs: int, folder: Path) -> None:
    """Measure many sites in one call; what one site takes in the same call is start-up and is taken off."""
    files = []
    for number in range(1, sites + 1):
        path = folder / "sites" / f"{number:04}" / "ozone.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(site_file(number), encoding="utf-8")
        files.append(str(path.relative_to(folder)))
    rows: list[list[str | float]] = []
    first = statistics.median(r.wall for r in repeat(["render", files[0], "-o", "one"], folder, runs))
    for name, fresh in (("new folder", True), ("unchanged folder", False)):
        results = repeat(["render", *files, "-o", "all"], folder, runs, fresh)
        each = [(result.wall - first) / (sites - 1) * 1000 for result in results]
        memory = max(result.memory for result in results)
        cpu = statistics.median(result.cpu for result in results)
        rows.append([name, middle([r.wall for r in results], 2), cpu, middle(each, 1), f"{memory:.0f}", "20 ms"])
    written = sum(1 for path in (folder / "all").rglob("*") if path.is_file())
    show(
        f"{sites} sites in one call ({written} files; start-up and one site are {first:.2f} s), {runs} runs",
        ["run", "wall s", "cpu s", "ms a site", "MiB", "target"],
        rows,
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--sites", type=int, default=500)
    parser.add_argument("--wait", type=float, default=0, help="minutes to wait for a quiet machine")
    parser.add_argument("--folder", type=Path, help="where to write; else the system's temporary folder")
    arguments = parser.parse_args()
    wait_until_quiet(arguments.wait)
    print(f"{machine()}, Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        single(arguments.runs, folder)
        many(arguments.sites, max(3, arguments.runs // 3), folder)


if __name__ == "__main__":
    main()

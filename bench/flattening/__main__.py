"""How fast observations become tables, how much state that takes, and what one would do instead.

    python -m bench.flattening [--patients 9600] [--runs 3] [--only NAME,...] [--folder DIR]
        [--memory 1536m] [--state disk]

The made-up database of the demo generator (9,600 patients are 1,016,026 observations) is put into Kafka as Debezium
would, then the SQL and settings of a rendered site fill PostgreSQL from it. Every run has new processes: a first load
meets code that is not compiled yet, as it does at a clinic. Needs Java, Maven, PostgreSQL and, for `views`, MariaDB.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench.flattening.alternatives import (
    NAIVE_SETTINGS,
    MariaDB,
    naive_insert,
    naive_observations,
    seconds_of_view,
)
from bench.flattening.events import Events
from bench.flattening.jobs import Bench, Outcome, Variant, site_plan
from bench.flattening.servers import Flink, Kafka, PostgreSQL
from bench.report import machine, middle, processors_used, show
from ozone_gen.components.flink import cluster_config
from ozone_gen.flattening.job import StateStore
from ozone_gen.load import load
from ozone_gen.plan import SitePlan

SITE: Final = Path(__file__).with_name("ozone.yaml")
VARIANTS: Final = (
    Variant("vitals, locked", ("vitals",)),
    Variant("vitals, not locked", ("vitals",)),
    Variant("observations", ("observations",)),
    # One run each: whoever has not ended then takes long enough to tell, by the rows that are there.
    Variant("vitals, naive", ("vitals",), settings=NAIVE_SETTINGS, envelopes=True, give_up=480),
    Variant("observations, naive", ("observations",), settings=NAIVE_SETTINGS, envelopes=True, give_up=480),
)


def plans(folder: Path) -> tuple[SitePlan, SitePlan]:
    """Decide the site without a lock and with one."""
    made = []
    for name in ("streamed", "locked"):
        file = folder / name / "ozone.yaml"
        file.parent.mkdir(exist_ok=True)
        shutil.copy(SITE, file)
        if name == "locked":
            command = [sys.executable, "-m", "ozone_gen", "resolve", str(file)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        made.append(site_plan(file))
    return made[0], made[1]


def concepts(file: Path) -> dict[str, tuple[int, str]]:
    """Return id and uuid of the concept of each column of `vitals`."""
    site = load(str(file))
    assert site.dictionary is not None
    columns = site.spec.flattening.tables["vitals"].columns
    return {
        name: (found[0].id, found[0].uuid)
        for name, reference in columns.items()
        if (found := site.dictionary.find(str(reference)))
    }


class Measurement:
    """Runs variants again and again and keeps what came of them."""

    def __init__(self, memory: str, state: StateStore, runs: int) -> None:
        """`memory` is the task manager's, as Flink writes it."""
        self._state = state
        self._config = {"taskmanager.memory.process.size": memory}
        self._runs = runs
        self.outcomes: dict[str, list[Outcome]] = {}

    def run(self, bench: Bench, variant: Variant) -> None:
        """Measure one variant."""
        for _ in range(1 if variant.envelopes else self._runs):
            site = cluster_config(replace(bench.plan, state=self._state, parallelism=variant.parallelism))
            with bench.flink.running({**site, **self._config, **variant.config}):
                busy = processors_used()
                outcome = bench.run(variant)
                others = processors_used() - busy - outcome.cpu
                self.outcomes.setdefault(variant.name, []).append(outcome)
                print(
                    f"{variant.name}: {outcome.seconds:.1f} s, task manager {outcome.cpu:.1f} s of processor,"
                    f" everything else on this machine {others:.1f} s, rows {dict(outcome.rows)}",
                    flush=True,
                )

    def report(self, observations: int) -> None:
        """Print the medians, and where the time of the last run of each variant went."""
        rows: list[Sequence[str | float]] = []
        for name, outcomes in self.outcomes.items():
            seconds = [outcome.seconds for outcome in outcomes]
            state = outcomes[-1].state
            rows.append(
                [
                    name if outcomes[-1].complete else f"{name} (not complete)",
                    middle(seconds),
                    f"{observations / statistics.median(seconds):,.0f}",
                    middle([outcome.cpu for outcome in outcomes]),
                    f"{state / 1e6:.0f}",
                    f"{state / observations:.0f}",
                ]
            )
        headers = ["job", "s", "observations/s", "task manager cpu s", "checkpoint MB", "bytes/observation"]
        show(f"{observations:,} observations", headers, rows)
        for name, outcomes in self.outcomes.items():
            show(f"Tasks of: {name}", ["task", "busy s", "waiting s", "in", "out", "state MB"], _tasks(outcomes[-1]))


def _tasks(outcome: Outcome) -> list[list[str]]:
    found = []
    for vertex in outcome.vertices:
        metrics = vertex["metrics"]
        found.append(
            [
                vertex["name"][:90],
                f"{metrics['accumulated-busy-time'] / 1000:.1f}",
                f"{metrics['accumulated-backpressured-time'] / 1000:.1f}",
                str(metrics["read-records"]),
                str(metrics["write-records"]),
                f"{outcome.state_of.get(vertex['id'], 0) / 1e6:.1f}",
            ]
        )
    return found


def main() -> None:
    """Run the benchmark."""
    names = [*(variant.name for variant in VARIANTS), "views"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=9600)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default=";".join(names), help=f"separated by ';', of: {'; '.join(names)}")
    parser.add_argument("--folder", type=Path, default=Path.home() / ".cache" / "ozone-bench")
    parser.add_argument("--memory", default="1536m", help="of the task manager's process")
    parser.add_argument("--state", choices=list(StateStore), default="memory", help="where Flink's state is kept")
    parser.add_argument("--parallelism", type=int, default=1)
    arguments = parser.parse_args()
    wanted = [name.strip() for name in arguments.only.split(";")]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    streamed, locked = plans(folder)
    found = concepts(folder / "locked" / "ozone.yaml")
    ids: Mapping[str, int] = {name: concept for name, (concept, _) in found.items()}
    events = Events(folder, arguments.patients)
    print(f"{machine()}; {events.rows['obs']:,} observations, {events.rows['encounter']:,} encounters")
    measurement = Measurement(arguments.memory, StateStore(arguments.state), arguments.runs)
    kafka, sink, flink = Kafka(folder), PostgreSQL(folder), Flink(folder)
    with kafka.running(), sink.running():
        for variant in VARIANTS:
            if variant.name not in wanted:
                continue
            events.load(kafka, arguments.parallelism, variant.envelopes)
            plan = locked if variant.name == "vitals, locked" else streamed
            if variant.envelopes:
                naive = {"vitals": naive_insert(ids, dict(found.values())), "observations": naive_observations()}
                variant = replace(variant, inserts={name: naive[name] for name in variant.tables})
            bench = Bench(folder, plan, events, kafka, sink, flink)
            measurement.run(bench, replace(variant, parallelism=arguments.parallelism))
    measurement.report(events.rows["obs"])
    if "views" in wanted:
        with MariaDB(folder).running(events.dump) as connection:
            taken = [seconds_of_view(connection, ids) for _ in range(arguments.runs)]
        show("A view that pivots inside MariaDB, read once", ["s"], [[middle(taken, 2)]])


if __name__ == "__main__":
    main()

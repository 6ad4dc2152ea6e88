"""Which events should Kafka hold: Debezium's envelopes, or unwrapped rows of the columns that are read?

    python -m bench.event_format [--patients 9000] [--runs 3] [--only speed,correctness]

The same made-up database is captured in several ways by real connectors, and the product's own SQL of the table
`vitals` (eight signs and a count) is run over each. Speed: bytes in Kafka, seconds of the snapshot, seconds from the
start of the job to the complete table in PostgreSQL. Correctness: after updates, voids, deletes, events that come
twice, a second snapshot, and a job that begins anew, each table is compared with a batch query over the source.

Needs an engine as the end-to-end tests do (tests/engine); a compose project and ports of its own.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from bench.containers import usage
from bench.event_format import captures, jobs
from bench.event_format.captures import CAPTURES, Topics
from bench.event_format.jobs import VARIANTS, Variant
from bench.event_format.project import SITE, EventsProject
from bench.report import machine, middle, show, wait_until_quiet
from tests.e2e.changes import HISTORIES
from tests.engine.engine import ensure_engine, stop_engine
from tests.oracle.comparing import ORACLE, Rows, batch_rows, by_key, difference

QUERY = (ORACLE / "demo" / "vitals.sql").read_text().replace("'demo' AS site", f"'{SITE}' AS site")
DELETE = (
    "DELETE FROM obs WHERE value_numeric IS NOT NULL AND obs_id % 5 = 1"
    " AND obs_id NOT IN (SELECT * FROM (SELECT obs_group_id FROM obs WHERE obs_group_id IS NOT NULL) g)"
    " AND obs_id NOT IN (SELECT * FROM (SELECT previous_version FROM obs WHERE previous_version IS NOT NULL) p)"
)


class Comparison:
    """The measurements on one running project."""

    def __init__(self, project: EventsProject, engine: Mapping[str, str]) -> None:
        """`project` is running on `engine`."""
        self.project = project
        self.engine = engine
        self.topics = Topics(project)
        with project.source() as source, source.cursor() as cursor:
            counts = []
            for table in project.tables:
                cursor.execute(f"SELECT COUNT(*) FROM `{table}`")
                counts.append(int(cursor.fetchall()[0][0]))
        self.rows = sum(counts)
        self.sizes = dict(zip(project.tables, counts, strict=True))

    def expected(self) -> Rows:
        """Ask the source by a batch query what the table has to hold."""
        with self.project.source() as source:
            return by_key(batch_rows(source, QUERY), "encounter_id")

    def found(self, variant: Variant) -> Rows:
        """Read the table of a variant."""
        with self.project.sink() as sink:
            return by_key(sink.execute(f'SELECT * FROM "{variant.sink}"').fetchall(), "encounter_id")

    def cpu(self) -> dict[str, float]:
        """Return the processor seconds of each service so far."""
        return {service: used.cpu for service, used in usage(self.engine, f"ozone-{SITE}").items()}

    def speed(self, runs: int) -> None:
        """Capture and flatten in each way, `runs` times."""
        seconds: dict[str, list[float]] = {capture.name: [] for capture in CAPTURES}
        work: dict[str, list[float]] = {capture.name: [] for capture in CAPTURES}
        sizes: dict[str, int] = {}
        for run in range(runs):
            for capture in CAPTURES:
                if run:
                    captures.unregister(self.project, capture)
                    self.topics.remove(capture)
                before = self.cpu()["connect"]
                taken, sizes[capture.name] = captures.snapshot(self.project, self.topics, capture, self.rows)
                seconds[capture.name].append(taken)
                work[capture.name].append(self.cpu()["connect"] - before)
        show(
            f"Capture of {self.rows} rows, {runs} runs",
            ["events", "MB in Kafka", "snapshot s", "Connect cpu s"],
            [
                [name, f"{sizes[name] / 1e6:.0f}", middle(seconds[name]), statistics.median(work[name])]
                for name in seconds
            ],
        )
        self._flatten(runs)

    def _flatten(self, runs: int) -> None:
        expected = self.expected()
        wanted: tuple[int, int] | None = None
        taken: dict[str, list[float]] = {variant.name: [] for variant in VARIANTS}
        work: dict[str, list[float]] = {variant.name: [] for variant in VARIANTS}
        # One run more, which is not counted: it meets code that is not compiled yet.
        for run in range(runs + 1):
            for variant in VARIANTS:
                jobs.write(self.project, variant)
                before = self.cpu()["taskmanager"]
                job, started = jobs.submit(self.project, variant)
                if wanted is None:
                    self.settle([variant], expected)
                    wanted = jobs.fingerprint(self.project, variant.sink)
                until_complete = jobs.complete(self.project, variant, wanted, started)
                if run:
                    taken[variant.name].append(until_complete)
                    work[variant.name].append(self.cpu()["taskmanager"] - before)
                jobs.cancel(self.project, job)
        show(
            f"From the start of the job to all {wanted[0] if wanted else 0} rows, {runs} runs",
            ["events and how they are read", "s", "task manager cpu s"],
            [[v.title, middle(taken[v.name]), statistics.median(work[v.name])] for v in VARIANTS],
        )

    def settle(self, variants: Sequence[Variant], expected: Rows) -> dict[str, str]:
        """Wait until tables are as expected or nothing changes any more; say where they differ."""
        quiet_since = time.monotonic()
        prints: dict[str, tuple[int, int]] = {}
        problems = dict.fromkeys((variant.name for variant in variants), "not compared")
        while any(problems.values()) and time.monotonic() - quiet_since < 40:
            for variant in variants:
                now = jobs.fingerprint(self.project, variant.sink)
                if prints.get(variant.name) != now:
                    prints[variant.name], quiet_since = now, time.monotonic()
                    problems[variant.name] = difference(expected, self.found(variant), limit=1)
            time.sleep(2)
        return problems

    def correctness(self) -> None:
        """Let the same history run through envelopes, envelopes that are normalised, and our events."""
        variants = [variant for variant in VARIANTS if variant.name in ("plain", "normalised", "narrow")]
        used = list({variant.capture.name: variant.capture for variant in variants}.values())
        for capture in used:
            if not self.topics.there(capture):
                captures.snapshot(self.project, self.topics, capture, self.rows)
        running = {}
        for variant in variants:
            jobs.write(self.project, variant)
            running[variant.name], _ = jobs.submit(self.project, variant)
        rows: list[list[str | float]] = []

        def after(what: str, step: Callable[[], object]) -> None:
            step()
            problems = self.settle(variants, self.expected())
            rows.append([what, *(problems[variant.name] or "equal" for variant in variants)])
            print(*rows[-1], sep=" | ", flush=True)

        def begin_anew() -> None:
            for variant in variants:
                jobs.cancel(self.project, running[variant.name])
                jobs.empty(self.project, variant)
                running[variant.name], _ = jobs.submit(self.project, variant)

        def snapshot_again() -> None:
            for capture in used:
                captures.forget(self.project, capture)
                captures.resume(self.project, capture)

        def delete_unseen() -> None:
            for capture in used:
                captures.forget(self.project, capture)
            self.project.change(DELETE)
            for capture in used:
                captures.resume(self.project, capture)

        after("the first load", lambda: None)
        for name, statements in HISTORIES.items():
            after(f"history of {name}", partial(self.project.change, *statements))
        after("deletes", lambda: self.project.change(DELETE.replace("% 5 = 1", "% 5 = 0")))
        after("every event produced once more", lambda: self._repeat(used))
        after("the connector's offsets reset: a second snapshot", snapshot_again)
        after("the job begun anew from the topics", begin_anew)
        after("deletes that the connector never saw, then a snapshot", delete_unseen)
        show("Equal to the batch query?", ["after", *(variant.title for variant in variants)], rows)
        for job in running.values():
            jobs.cancel(self.project, job)

    def _repeat(self, used: Sequence[captures.Capture]) -> None:
        for capture in used:
            self.topics.repeat([capture.topic(self.project, table) for table in self.project.tables])


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=9000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="speed,correctness")
    parser.add_argument("--wait", type=float, default=0, help="minutes to wait for a quiet machine")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    engine = ensure_engine()
    with tempfile.TemporaryDirectory() as name:
        project = EventsProject(Path(name), engine, arguments.patients)
        project.down()
        try:
            project.up()
            wait_until_quiet(arguments.wait)
            comparison = Comparison(project, engine)
            print(f"{machine()}; {comparison.sizes['obs']} observations, {comparison.sizes['encounter']} encounters")
            if "speed" in arguments.only:
                comparison.speed(arguments.runs)
            if "correctness" in arguments.only:
                comparison.correctness()
        finally:
            project.down()
            stop_engine()


if __name__ == "__main__":
    main()

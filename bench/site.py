"""How long a rendered site takes to start, to follow a change and to recover, and how much memory it uses.

    python -m bench.site [--data demo|real] [--runs 3] [--rate 50] [--seconds 60] [--only start,latency,recovery]

Needs an engine as the end-to-end tests do (tests/engine) and starts the demo site of `examples/` there, under a name
and ports of its own. `--data real` puts ../shared/data/openmrs-demo.sql in the place of the made-up patients.
Prints when each service became ready, what each used, latencies by stage, and the outage after a killed process.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg

from bench.containers import Timeline, Usage, process_id, usage
from bench.following import Followed, Following
from bench.report import machine, middle, percentile, processors_used, repository, show, wait_until_quiet
from tests.e2e.running_site import RunningSite, free_port, until
from tests.engine.engine import ensure_engine, stop_engine
from tests.oracle.comparing import OPENMRS_2_4, Rows, batch_rows, by_key, difference, keys, queries

REAL = repository().parent / "shared" / "data" / "openmrs-demo.sql"
SITE = "bench"
PROJECT = f"ozone-{SITE}"


class BenchSite:
    """The demo site under a name of its own, and what its tables have to hold."""

    def __init__(self, folder: Path, engine: Mapping[str, str], real: bool) -> None:
        """Render the site into `folder`; `real` takes the real database for the made-up patients."""
        self.engine = engine
        ports = {part: free_port() for part in ("mysql", "postgresql", "connect", "flink", "kafka_ui")}
        demo = (repository() / "examples" / "demo" / "ozone.yaml").read_text()
        for old, new in (OPENMRS_2_4 if real else {}).items():
            demo = demo.replace(old, new)
        file = folder / "ozone.yaml"
        file.write_text(f"{demo.replace('id: demo', f'id: {SITE}')}ports: {json.dumps(ports)}\n")
        out = folder / SITE
        subprocess.run([sys.executable, "-m", "ozone_gen", "render", str(file), "-o", str(out)], check=True)
        if real:
            shutil.copy(REAL, out / "mysql" / "initdb" / "10-demo-data.sql")
        self.site = RunningSite(out, engine, ports)
        self.queries, self.keys = queries(file), keys(file)
        self.expected: dict[str, Rows] = {}

    def learn(self) -> None:
        """Ask the source by batch queries what the tables have to hold."""
        with self.site.source() as source:
            for table, query in self.queries.items():
                self.expected[table] = by_key(batch_rows(source, query), self.keys[table])

    def counts(self, sink: psycopg.Connection[dict[str, object]]) -> dict[str, int]:
        """Count the rows of each table."""
        columns = ", ".join(f'(SELECT count(*) FROM "{table}") AS "{table}"' for table in self.queries)
        row = sink.execute(f"SELECT {columns}").fetchone()
        assert row is not None
        return {table: int(str(count)) for table, count in row.items()}

    def equal(self, sink: psycopg.Connection[dict[str, object]]) -> bool:
        """Compare every cell of every table."""
        return not any(
            difference(self.expected[table], by_key(sink.execute(f'SELECT * FROM "{table}"').fetchall(), key))
            for table, key in self.keys.items()
        )


def start(bench: BenchSite, verbose: bool) -> tuple[float, float]:
    """Measure one start with empty volumes; return the seconds to all tables complete and to all healthy."""
    site = bench.site
    site.down()
    failure: list[BaseException] = []

    def up() -> None:
        try:
            site.up()
        except BaseException as error:
            failure.append(error)

    worked = processors_used()
    with Timeline(bench.engine, PROJECT) as timeline:
        starting = threading.Thread(target=up)
        starting.start()
        complete = _watch(bench, timeline)
        worked = processors_used() - worked
        used = usage(bench.engine, PROJECT)
        starting.join()
        healthy = timeline.note("everything is healthy: `up --wait` returned")
        if failure:
            raise failure[0]
    if verbose:
        show("Start of the site", ["s", "service", "event"], timeline.rows())
        spent: list[list[str | float]] = [
            [service, f"{use.cpu:.1f}"] for service, use in sorted(used.items(), key=lambda item: -item[1].cpu)
        ]
        others = worked - sum(use.cpu for use in used.values())
        spent.append(["steps that ended, the engine, this program", f"{others:.1f}"])
        spent.append([f"all, of {(os.cpu_count() or 1) * complete:.0f} s there were", f"{worked:.1f}"])
        show("Processor seconds until all tables were complete", ["service", "cpu s"], spent)
    return complete, healthy


def _watch(bench: BenchSite, timeline: Timeline) -> float:
    wanted = {table: len(rows) for table, rows in bench.expected.items()}
    seen: set[str] = set()
    any_rows = False
    end = time.monotonic() + 600
    while time.monotonic() < end:
        with contextlib.suppress(psycopg.Error), bench.site.sink() as sink:
            while time.monotonic() < end:
                counts = bench.counts(sink)
                for table, count in counts.items():
                    if count and not any_rows:
                        any_rows = bool(timeline.note(f"the first rows, of {table}"))
                    if count == wanted[table] and table not in seen:
                        timeline.note(f"all {count} rows", table)
                        seen.add(table)
                if counts == wanted and bench.equal(sink):
                    return timeline.note("all tables equal the batch queries")
                time.sleep(0.25)
        time.sleep(0.25)
    raise SystemExit(f"not complete after 10 minutes\n{bench.site.compose('ps', '-a')}")


def latency(bench: BenchSite, rate: float, seconds: float) -> None:
    """Measure from the change in the source to the row in PostgreSQL, with the broker's time in between."""
    site = bench.site
    with Following(site, rate=10) as _:
        time.sleep(10)  # the first changes meet code that is not compiled yet
    with Following(site, rate) as following:
        before, busy, begun = usage(bench.engine, PROJECT), processors_used(), time.monotonic()
        time.sleep(seconds)
        after, busy = usage(bench.engine, PROJECT), processors_used() - busy
        seconds = time.monotonic() - begun
    seen = following.result()
    in_kafka = _kafka_times(site)
    to_kafka = [at - seen.sent[value] for value, at in in_kafka.items() if value in seen.sent]
    onwards = [seen.arrived[value] - at for value, at in in_kafka.items() if value in seen.arrived]
    rows: list[list[str | float]] = []
    for stage, values, target in (
        ("change to Kafka", to_kafka, ""),
        ("Kafka to PostgreSQL", onwards, ""),
        ("change to PostgreSQL", seen.latencies, "1.2 / 2.5"),
    ):
        if values:
            figures = [statistics.median(values), percentile(values, 0.99), max(values)]
            rows.append([stage, len(values), *figures, target])
    moments = sorted(seen.sent.values())
    achieved = (len(moments) - 1) / (moments[-1] - moments[0])
    show(
        f"Latency at {achieved:.0f} changes a second for {seconds:.0f} s; {seen.missing} changes missing",
        ["stage", "changes", "median s", "99 % s", "max s", "target median / 99 %"],
        rows,
    )
    spent: list[list[str | float]] = [
        [service, f"{(use.cpu - before[service].cpu) / seconds * 100:.0f} %"] for service, use in after.items()
    ]
    spent.append(["the whole machine", f"{busy / seconds * 100:.0f} % of {(os.cpu_count() or 1) * 100} %"])
    show("Processor during the load", ["service", "of one core"], spent)


def _kafka_times(site: RunningSite) -> dict[int, float]:
    """Read when the broker's producer wrote each change, in epoch seconds, by the value written."""
    topics = json.loads((site.folder / "kafka" / "topics.json").read_text())["topics"]
    (topic,) = (topic["name"] for topic in topics if topic["name"].endswith(".obs"))
    printed = site.compose(
        *("exec", "-T", "-e", "KAFKA_HEAP_OPTS=-Xmx64m", "kafka", "/opt/kafka/bin/kafka-console-consumer.sh"),
        *("--bootstrap-server", "kafka:9092", "--topic", topic, "--from-beginning"),
        *("--timeout-ms", "8000", "--property", "print.timestamp=true"),
        check=False,
    )
    times: dict[int, float] = {}
    for line in printed.splitlines():
        created, _, row = line.partition("\t")
        if created.startswith("CreateTime:") and row.startswith("{"):
            number = json.loads(row).get("value_numeric")
            if number and number >= 1_000_000:
                times.setdefault(int(number), int(created.removeprefix("CreateTime:")) / 1000)
    return times


def recovery(bench: BenchSite, service: str, rate: float = 10) -> tuple[float, float]:
    """Kill a service's process during a load; return the seconds to fresh rows and the slowest change."""
    site = bench.site
    until("a checkpoint of the running job", lambda: bool(_checkpoint(site)), 120)
    with Timeline(bench.engine, PROJECT) as timeline, Following(site, rate) as following:
        time.sleep(15)
        how = _kill(bench, service)
        killed = time.time()
        timeline.note(how, service)
        until("the job runs again", lambda: _resumed(following.result(), killed), 240)
        time.sleep(5)
    seen = following.result()
    begin, end = seen.gap(killed)
    timeline.events.append((begin - timeline.started, "", "last row before the outage"))
    timeline.events.append((end - timeline.started, "", "fresh rows"))
    show(f"Recovery from a killed {service}", ["s", "service", "event"], timeline.rows())
    waited = site.settle(bench.queries)
    print(f"{seen.missing} changes were overtaken; {waited:.0f} s later all tables equal the batch queries")
    return end - killed, max(seen.latencies)


def _kill(bench: BenchSite, service: str) -> str:
    """Kill the first process of a container so that Docker takes it for a crash, and say how.

    `docker kill` counts as stopped by a person, whom the restart policy obeys: nothing would come back. Nor does
    the kernel let a container kill its own first process. So it is killed from the host where that is allowed.
    """
    try:
        os.kill(process_id(bench.engine, PROJECT, service), signal.SIGKILL)
    except (PermissionError, ProcessLookupError):
        container = bench.site.container(service)
        bench.site.docker("kill", container)
        bench.site.docker("start", container)
        return "killed, and started again by hand"
    return "killed"


def _checkpoint(site: RunningSite) -> object:
    (job,) = site.get("flink", "/jobs/overview")["jobs"]
    return site.get("flink", f"/jobs/{job['jid']}/checkpoints")["latest"]["completed"]


def _resumed(seen: Followed, killed: float) -> bool:
    """Say whether rows came after a pause of more than 3 s, or nothing paused for half a minute."""
    begin, end = seen.gap(killed)
    newest = max(seen.arrived.values())
    return (end - begin > 3 and newest > end + 1) or (newest > killed + 30)


def memory(bench: BenchSite) -> None:
    """Print what each container holds now."""
    used: dict[str, Usage] = usage(bench.engine, PROJECT)
    rows: list[list[str | float]] = [[service, f"{use.memory:.0f}"] for service, use in sorted(used.items())]
    rows.append(["all, target 2500 MB", f"{sum(use.memory for use in used.values()):.0f}"])
    show("Memory after the load, without the file cache", ["service", "MiB"], rows)


def measure(bench: BenchSite, parts: set[str], runs: int, rate: float, seconds: float) -> None:
    """Run the wanted parts on one site, which is running afterwards."""
    site = bench.site
    site.down()
    site.up()  # builds the images and warms the disk's cache
    site.settle(bench.queries)
    bench.learn()
    if "start" in parts:
        results = [start(bench, verbose=run == runs - 1) for run in range(runs)]
        complete, healthy = zip(*results, strict=True)
        show(
            f"From `up` with empty volumes and warm images, {runs} runs",
            ["to", "s", "target"],
            [["all tables complete", middle(complete), "75"], ["everything healthy", middle(healthy), ""]],
        )
        memory(bench)
    if "latency" in parts:
        latency(bench, rate, seconds)
        memory(bench)
    if "recovery" in parts:
        rows: list[list[str | float]] = []
        for service, target in (("jobmanager", "20"), ("taskmanager", "")):
            fresh, slowest = zip(*(recovery(bench, service) for _ in range(runs)), strict=True)
            rows.append([service, middle(fresh), middle(slowest), target])
        show(f"Recovery, {runs} runs", ["killed", "s to fresh rows", "slowest change s", "target"], rows)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=["demo", "real"], default="demo")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", default="start,latency,recovery")
    parser.add_argument("--wait", type=float, default=0, help="minutes to wait for a quiet machine")
    arguments = parser.parse_args()
    if arguments.data == "real" and not REAL.exists():
        parser.error(f"there is no {REAL}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the containers are removed
    wait_until_quiet(arguments.wait)
    print(machine())
    engine = ensure_engine()
    with tempfile.TemporaryDirectory() as name:
        bench = BenchSite(Path(name), engine, arguments.data == "real")
        try:
            measure(bench, set(arguments.only.split(",")), arguments.runs, arguments.rate, arguments.seconds)
        finally:
            bench.site.down()
            stop_engine()


if __name__ == "__main__":
    main()

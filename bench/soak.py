"""Whether a running site's tables stay right under hours of random changes.

    python -m bench.soak [--minutes 10] [--changes 500] [--seed N]

Needs an engine as the end-to-end tests do (tests/engine). Starts the demo site with every core table there, changes
its source in bursts (any row of any table that is read), and after each compares every table with its batch query.
Prints each round's seed, and ends with the first that does not settle: what differs, and where.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.report import repository
from tests.e2e.random_changes import random_burst
from tests.e2e.running_site import RunningSite, free_port
from tests.engine.engine import ensure_engine, stop_engine
from tests.oracle.comparing import queries


def main() -> int:
    """Run rounds until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--changes", type=int, default=500, help="in a burst")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments = parser.parse_args()
    engine = ensure_engine()
    try:
        with tempfile.TemporaryDirectory(prefix="ozone-soak-") as folder:
            file = _site_file(Path(folder))
            out = Path(folder) / "soak"
            subprocess.run([sys.executable, "-m", "ozone_gen", "render", str(file), "-o", str(out)], check=True)
            ports = json.loads(file.read_text().rpartition("ports: ")[2])
            site = RunningSite(out, engine, ports)
            try:
                site.down()
                site.up()
                _soak(site, queries(file), arguments)
            finally:
                site.down()
    finally:
        stop_engine()
    return 0


def _site_file(folder: Path) -> Path:
    """The demo site under a name of its own, with every core table."""
    text = (repository() / "examples" / "demo" / "ozone.yaml").read_text()
    text = re.sub(r"  core: .*", "  core: all", text).replace("id: demo", "id: soak")
    ports = {part: free_port() for part in ("mysql", "postgresql", "connect", "flink", "kafka_ui")}
    file = folder / "ozone.yaml"
    file.write_text(f"{text}ports: {json.dumps(ports)}\n")
    return file


def _soak(site: RunningSite, batch: dict[str, str], arguments: argparse.Namespace) -> None:
    topics = json.loads((site.folder / "kafka" / "topics.json").read_text())["topics"]
    tables = sorted(topic["name"].rpartition(".")[2] for topic in topics)
    site.settle(batch)
    until = time.monotonic() + arguments.minutes * 60
    rounds = statements = 0
    while time.monotonic() < until:
        seed = arguments.seed + rounds
        made = random_burst(site, tables, seed, arguments.changes)
        waited = site.settle(batch)
        rounds, statements = rounds + 1, statements + made
        print(f"round {rounds}, seed {seed}: {made} changes, all tables right after {waited:.1f} s", flush=True)
    print(f"{rounds} rounds, {statements} changes, no difference")


if __name__ == "__main__":
    sys.exit(main())

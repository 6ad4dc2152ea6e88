"""Whether the job runs, keeps up, and could come back from a checkpoint."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from ozone_gen.doctor.findings import Finding, State
from ozone_gen.doctor.reach import Surroundings, UnreachableError, innermost_cause

_PART: Final = "Flink"
_LAGGING: Final = 10_000
"""Events not read yet from which on the tables are called behind: at 10,000 a second that is noticed by people."""

_OLD_CHECKPOINT_S: Final = 600
_LOOK: Final = "look at what it says: docker compose logs jobmanager taskmanager"


def examine(site: Surroundings) -> Iterator[Finding]:
    """Look at the job, at what it has not read yet, and at its checkpoints."""
    try:
        jobs = site.get("flink", "/jobs/overview")["jobs"]
        mine = max(
            (job for job in jobs if job["name"] == site.plan.site.id), key=lambda job: job["start-time"], default=None
        )
        if mine is None:
            yield Finding(_PART, State.ILL, "there is no job", _LOOK)
            return
        yield _job(site, mine)
        if mine["state"] == "RUNNING":
            yield _lag(site, mine["jid"])
            yield _checkpoints(site, mine)
    except UnreachableError as error:
        state = State.UNKNOWN if site.published("flink") is None else State.ILL
        yield Finding(_PART, state, str(error), "is the site up? docker compose ps")


def _job(site: Surroundings, job: dict[str, Any]) -> Finding:
    if job["state"] == "RUNNING":
        restarts = site.get("flink", f"/jobs/{job['jid']}/metrics?get=numRestarts")
        count = sum(int(float(each.get("value", 0))) for each in restarts)
        if count == 0:
            return Finding(_PART, State.WELL, "the job runs")
        what = f"the job runs, after {count} restarts{_failure(site, job['jid'])}"
        return Finding(_PART, State.WARNING, what, "where it goes on so, give taskmanager more memory in ozone.yaml")
    return Finding(_PART, State.ILL, f"the job is {job['state']}{_failure(site, job['jid'])}", _LOOK)


def _failure(site: Surroundings, job: str) -> str:
    """The innermost cause of the last failure."""
    entries = site.get("flink", f"/jobs/{job}/exceptions?maxExceptions=1")["exceptionHistory"]["entries"]
    if not entries:
        return ""
    return f"; the last time: {innermost_cause(entries[0]['stacktrace'])}"


def _lag(site: Surroundings, job: str) -> Finding:
    pending = 0
    for vertex in site.get("flink", f"/jobs/{job}")["vertices"]:
        if not vertex["name"].startswith("Source:"):
            continue
        metrics = f"/jobs/{job}/vertices/{vertex['id']}/subtasks/metrics"
        names = [each["id"] for each in site.get("flink", metrics) if each["id"].endswith(".pendingRecords")]
        for name in names:
            found = site.get("flink", f"{metrics}?agg=sum&get={quote(name)}")
            pending += sum(int(each.get("sum", 0)) for each in found)
    what = f"{pending:,} changes in Kafka are not worked on yet"
    if pending > _LAGGING:
        cure = "after a start that is usual; where it stays so, give Flink more of the machine"
        return Finding("Lag", State.WARNING, what, cure)
    return Finding("Lag", State.WELL, what)


def _checkpoints(site: Surroundings, job: dict[str, Any]) -> Finding:
    found = site.get("flink", f"/jobs/{job['jid']}/checkpoints")
    latest = found["latest"]["completed"]
    now = time.time()
    since = (latest["latest_ack_timestamp"] if latest else job["start-time"]) / 1000
    failed = found["counts"]["failed"]
    if now - since > _OLD_CHECKPOINT_S:
        what = f"no checkpoint for {(now - since) / 60:.0f} minutes, {failed} failed"
        return Finding("Checkpoints", State.ILL, what, "is the disk full? " + _LOOK)
    if latest is None:
        return Finding("Checkpoints", State.WELL, "the job is too young to have one")
    size = latest["state_size"] / 1e6
    return Finding("Checkpoints", State.WELL, f"the last {max(0.0, now - since):.0f} s ago, {size:,.1f} MB of state")

"""Asks Flink for checkpoints while tables are filled beside: only a checkpoint tells that rows have arrived.

The job makes one each minute by itself where its state is kept in memory, since each writes all of it. So that the
tables need not wait for the next one, more are asked for, with pauses several times as long as one takes.
"""

import time
from collections.abc import Callable

from .flink_generation import call, running_jobs
from .waiting import NotReadyError

SHORTEST_PAUSE_S = 5.0
PAUSE_FACTOR = 4


class Checkpoints:
    """The checkpoints of the one job of a cluster."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._busy_at = clock()

    def hurry(self) -> None:
        """Ask for a checkpoint, unless one is being made or was made just now. A cluster that is down is no fault."""
        try:
            for job in running_jobs(self._url):
                self._ask(job)
        except NotReadyError:
            pass

    def _ask(self, job: str) -> None:
        found = call(self._url, f"/jobs/{job}/checkpoints", "GET")
        if not found:
            return
        now = self._clock()
        if found["counts"]["in_progress"]:
            self._busy_at = now
            return
        last = found["latest"]["completed"]
        took = last["end_to_end_duration"] / 1000 if last else 0.0
        if now - self._busy_at >= max(SHORTEST_PAUSE_S, PAUSE_FACTOR * took):
            call(self._url, f"/jobs/{job}/checkpoints", "POST", {"checkpointType": "CONFIGURED"})
            self._busy_at = now

"""Changes one observation after another in the source, and notes when each of them is in the sink.

Times are of one machine and one process. A change counts from the moment before its statement is sent, so that the
commit itself is part of the time. PostgreSQL notifies from a trigger, so that nothing has to be polled: an arrival is
the moment when the notification of a committed row was received.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

import psycopg

from tests.e2e.running_site import RunningSite

_FIRST = 1_000_000
"""Values of changes begin here, far above any weight: the value says which change it was."""

# Encounters of the table `vitals` with one weight: each change of it is a change of the row.
_CANDIDATES = """
SELECT MIN(o.obs_id) FROM obs o
JOIN encounter e ON e.encounter_id = o.encounter_id AND e.voided = 0
JOIN encounter_type t ON t.encounter_type_id = e.encounter_type AND t.name = 'Vitals'
JOIN patient p ON p.patient_id = e.patient_id AND p.voided = 0
WHERE o.voided = 0 AND o.value_numeric IS NOT NULL AND o.concept_id = (
  SELECT MIN(m.concept_id) FROM concept_reference_map m
  JOIN concept_reference_term r ON r.concept_reference_term_id = m.concept_reference_term_id AND r.code = '5089'
  JOIN concept_reference_source s ON s.concept_source_id = r.concept_source_id AND s.name = 'CIEL'
  JOIN concept_map_type y ON y.concept_map_type_id = m.concept_map_type_id AND y.name = 'SAME-AS')
GROUP BY o.encounter_id HAVING COUNT(*) = 1
"""

_TRIGGER = f"""
CREATE OR REPLACE FUNCTION bench_arrival() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_notify('bench', NEW.weight_kg::bigint::text); RETURN NULL; END $$;
DROP TRIGGER IF EXISTS bench_arrival ON vitals;
CREATE TRIGGER bench_arrival AFTER INSERT OR UPDATE ON vitals
  FOR EACH ROW WHEN (NEW.weight_kg >= {_FIRST}) EXECUTE FUNCTION bench_arrival()
"""


@dataclass(frozen=True)
class Followed:
    """What was seen: times of the changes and of their arrivals, in epoch seconds, by the value written."""

    sent: Mapping[int, float]
    arrived: Mapping[int, float]

    @property
    def latencies(self) -> list[float]:
        """Seconds from each change to its arrival."""
        return [at - self.sent[value] for value, at in self.arrived.items()]

    @property
    def missing(self) -> int:
        """How many changes never came (or were overtaken by a later one of the same observation)."""
        return len(self.sent.keys() - self.arrived.keys())

    def gap(self, since: float) -> tuple[float, float]:
        """Return the longest time without an arrival that ended after `since`, by its begin and end."""
        moments = sorted(self.arrived.values())
        gaps = [(end - begin, begin, end) for begin, end in itertools.pairwise(moments) if end > since]
        _, begin, end = max(gaps, default=(0.0, since, since))
        return begin, end


class Following:
    """Makes changes at a rate while the context lasts, and listens for them."""

    def __init__(self, site: RunningSite, rate: float) -> None:
        """`rate` is in changes a second, each a transaction of its own."""
        self._site = site
        self._rate = rate
        self._sent: dict[int, float] = {}
        self._arrived: dict[int, float] = {}
        self._finished = threading.Event()
        self._closed = threading.Event()
        with site.sink() as sink:
            sink.execute(_TRIGGER)
            # Values of an earlier measurement are not used again.
            row = sink.execute("SELECT max(weight_kg) AS newest FROM vitals").fetchone()
        assert row is not None
        self._next = max(_FIRST, int(row["newest"] or 0) + 1)
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._listener = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Following:
        self._listener.start()
        time.sleep(1)
        self._writer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finished.set()
        self._writer.join()
        end = time.monotonic() + (0 if error else 30)
        while len(self._arrived) < len(self._sent) and time.monotonic() < end:
            time.sleep(0.1)
        self._closed.set()
        self._listener.join()
        with self._site.sink() as sink:
            sink.execute("DROP TRIGGER IF EXISTS bench_arrival ON vitals; DROP FUNCTION bench_arrival()")

    def result(self) -> Followed:
        """Return what was seen so far."""
        return Followed(dict(self._sent), dict(self._arrived))

    def _write(self) -> None:
        with self._site.source() as source, source.cursor() as cursor:
            source.autocommit(True)
            cursor.execute(_CANDIDATES)
            observations: Sequence[int] = [row[0] for row in cursor.fetchall()]
            begun = time.monotonic()
            count = 0
            while not self._finished.is_set():
                value = self._next + count
                self._sent[value] = time.time()
                cursor.execute(
                    "UPDATE obs SET value_numeric = %s WHERE obs_id = %s",
                    (value, observations[count % len(observations)]),
                )
                count += 1
                self._finished.wait(max(0.0, begun + count / self._rate - time.monotonic()))

    def _listen(self) -> None:
        connection: psycopg.Connection[object]
        with self._site.sink() as connection:
            connection.execute("LISTEN bench")
            while not self._closed.is_set():
                for notification in connection.notifies(timeout=0.5):
                    self._arrived.setdefault(int(notification.payload), time.time())

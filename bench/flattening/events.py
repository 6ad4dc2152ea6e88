"""The input: a made-up database of the demo generator as the events that Debezium would have written of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.flattening.servers import Kafka
from ozone_gen.openmrs.demo import write_demo_data
from ozone_gen.openmrs.dump import read_dump
from ozone_gen.openmrs.tables import Table, tables_of

TABLES: Final = tables_of("2.5")
"""The tables of the platform that the demo generator makes."""

OBSERVATIONS_OF_A_PATIENT: Final = 105.8
"""What the demo generator makes on average, voided ones included."""


class Events:
    """The events of `patients` made-up patients in a folder, and in topics of one partition count each."""

    def __init__(self, folder: Path, patients: int) -> None:
        """Make what the folder does not have yet."""
        self.dump = folder / f"demo-{patients}.sql"
        self._files = folder / f"events-{patients}"
        self._patients = patients
        if not self._files.exists():
            with self.dump.open("w", encoding="utf-8", newline="\n") as out:
                write_demo_data(out, patients=patients, seed=1)
            making = self._files.with_suffix(".new")
            making.mkdir(exist_ok=True)
            summary = read_dump(self.dump, list(TABLES.values()), making)
            (making / "rows.json").write_text(json.dumps(dict(summary.rows)))
            making.rename(self._files)
        self.rows: dict[str, int] = json.loads((self._files / "rows.json").read_text())

    def topic(self, table: str, partitions: int, envelopes: bool = False) -> str:
        """Return the topic of a table."""
        return f"demo-{self._patients}-{partitions}{'-envelopes' if envelopes else ''}.{table}"

    def load(self, kafka: Kafka, partitions: int, envelopes: bool = False) -> None:
        """Fill the topics, unless Kafka has them: rows as a site has them, or Debezium's whole envelopes."""
        topics = {name: self.topic(name, partitions, envelopes) for name in TABLES}
        loaded = self.topic("loaded", partitions, envelopes)
        if loaded in kafka.topics():
            return
        kafka.create(list(topics.values()), partitions)
        for name, table in TABLES.items():
            records = self._records(table)
            kafka.produce(topics[name], _enveloped(name, records) if envelopes else records)
        # Made last: what was interrupted is not taken for complete.
        kafka.create([loaded], 1)

    def _records(self, table: Table) -> Iterator[bytes]:
        value = rb':("(?:[^"\\]|\\.)*"|[^,}]*)'
        keys = [(name.encode(), re.compile(b'[{,]"' + name.encode() + b'"' + value)) for name in table.primary_key]
        for path in sorted((self._files / table.name).glob("*.json")):
            with path.open("rb") as lines:
                for line in lines:
                    found = [(name, key.search(line)) for name, key in keys]
                    assert all(match for _, match in found)
                    yield b"{%b}\t" % b",".join(b'"%b":%b' % (name, match[1]) for name, match in found if match) + line


def _enveloped(table: str, records: Iterator[bytes]) -> Iterator[bytes]:
    source = json.dumps(
        {"version": "3.4.0.Final", "connector": "mariadb", "name": "openmrs", "ts_ms": 1795570000000}
        | {"snapshot": "true", "db": "openmrs", "sequence": None, "ts_us": 1795570000000000}
        | {"ts_ns": 1795570000000000000, "table": table, "server_id": 0, "gtid": None}
        | {"file": "mysql-bin.000002", "pos": 342, "row": 0, "thread": None, "query": None}
    ).encode()
    before, after = b'{"before":null,"after":', b',"source":%b,"transaction":null,"op":"r",' % source
    for record in records:
        key, value = record.rstrip(b"\n").split(b"\t", 1)
        yield b"%b\t%b%b%b\"ts_ms\":1795570000123,\"ts_us\":1795570000123456}\n" % (key, before, value, after)

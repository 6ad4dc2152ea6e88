"""How long rows take that do not look as mysqldump writes them."""

from __future__ import annotations

import time

from ozone_gen.openmrs.dump_rows import RowReader
from ozone_gen.openmrs.tables import Column, Kind, Table

NUMBERS = Table("numbers", ("id",), (Column("id", Kind.INTEGER), Column("other", Kind.INTEGER)))


def seconds(rows: int) -> float:
    """How long a statement takes whose numbers stand in quotes, as other programs than mysqldump write them."""
    data = b",".join(b"('%d','7')" % number for number in range(rows)) + b";"
    reader = RowReader(NUMBERS, ("id", "other"), {})
    started = time.process_time()
    assert reader.read(data, 0) == (len(data), True)
    taken = time.process_time() - started
    assert len(reader.lines) == rows
    return taken


def test_the_time_grows_with_the_rows_and_not_faster() -> None:
    # It took 200 times as long for 10 times as many when each row looked at all that followed it.
    assert seconds(30_000) < 40 * seconds(3_000)

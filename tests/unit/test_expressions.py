"""Flink SQL expressions whose rightness is arithmetic."""

from __future__ import annotations

import datetime
import re

from ozone_gen.flattening import expressions as sql

EPOCH = datetime.datetime(1970, 1, 1)


def test_an_order_key_has_one_width_for_every_moment_that_a_database_holds() -> None:
    """With 10^15 for an offset moments before 1970 had a digit less, and were the last of all."""
    moment_offset, id_offset = map(int, re.findall(r"\+ (\d+)", sql.order_key("m", "i")))
    moments = [
        datetime.datetime(1000, 1, 1),
        EPOCH - datetime.timedelta(seconds=1),
        EPOCH,
        datetime.datetime(9999, 12, 31, 23, 59, 59),
    ]
    for moment in moments:
        milliseconds = (moment - EPOCH) // datetime.timedelta(milliseconds=1)
        for row_id in (1, 2**31 - 1):
            assert len(f"{milliseconds + moment_offset}{row_id + id_offset}") == sql.ORDER_WIDTH

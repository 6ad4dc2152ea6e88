"""What every benchmark says about its machine, and how it prints its figures."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

Cell = str | float


def machine() -> str:
    """Describe this machine: cores, memory and the load average of the last minute."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return f"{os.cpu_count()} cores, {round(pages * size / 2**30)} GiB, load {os.getloadavg()[0]:.1f}"


def processors_used() -> float:
    """Return the seconds that this machine's processors have worked since it started, all processes together."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _, _, interrupts, soft = (int(field) for field in stat.readline().split()[1:8])
    return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")


def wait_until_quiet(minutes: float, share: float = 0.15) -> None:
    """Wait until the processors are busy for less than `share` of ten seconds; say so where they never are.

    Not the load average, which only says after minutes that a machine has become quiet.
    """
    end = time.monotonic() + minutes * 60
    while True:
        before = processors_used()
        time.sleep(10)
        busy = (processors_used() - before) / 10 / (os.cpu_count() or 1)
        if busy < share:
            return
        if time.monotonic() >= end:
            print(f"The machine is busy ({busy:.0%}): these figures are too high.", flush=True)
            return


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]


def middle(values: Sequence[float], digits: int = 1) -> str:
    """Write a median with the extremes it lies between."""
    if not values:
        return "-"
    median = f"{statistics.median(values):.{digits}f}"
    return median if len(values) == 1 else f"{median} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def show(title: str, headers: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Print a table that can be pasted into Markdown."""
    texts = [[f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row] for row in [headers, *rows]]
    widths = [max(len(row[column]) for row in texts) for column in range(len(headers))]
    print(f"\n{title}")
    for number, row in enumerate(texts):
        print("| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|", flush=True)


def repository() -> Path:
    """Return the folder of the checkout."""
    return Path(__file__).parents[1]

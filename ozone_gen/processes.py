"""Work on many things on all cores, where that pays."""

from __future__ import annotations

import copyreg
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from types import MappingProxyType
from typing import Any, Final, TypeVar

WORTH_PROCESSES: Final = 16
"""Sites that have to be rendered; for fewer, starting processes takes longer than they save."""


def _proxied(mapping: MappingProxyType[Any, Any]) -> tuple[Any, ...]:
    return _read_only, (dict(mapping),)


def _read_only(mapping: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(mapping)


# Python cannot send a read-only mapping, such as those of a dictionary, to another process by itself; and a pool
# whose work cannot be sent hangs (Python issue 94777).
copyreg.pickle(MappingProxyType, _proxied)

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def on_all_cores(work: Callable[[_Item], _Result], items: Sequence[_Item]) -> Iterator[_Result]:
    """The results of `work`, in the order of `items`; it has to be a function of a module, and not to print.

    Call this before a progress bar starts: the processes are forked, so that they have all modules already, and a
    fork could break the bar's thread.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    if len(items) < WORTH_PROCESSES or cores < 2:
        return map(work, items)
    size = max(1, min(16, len(items) // (cores * 4)))
    pool = ProcessPoolExecutor(cores, mp_context=get_context("fork"))
    return _until_done(pool, pool.map(work, items, chunksize=size))


def _until_done(pool: ProcessPoolExecutor, results: Iterator[_Result]) -> Iterator[_Result]:
    """The results; the processes end with them, or when nobody wants more."""
    try:
        yield from results
    finally:
        pool.shutdown(cancel_futures=True)

"""How these programs wait for a server: say what is wrong and how to mend it, once, and go on trying.

Their log is read by a clinic's IT person, not by a programmer: one line for one event, in words, and no
traceback for a fault that is to be expected.
"""

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

log = logging.getLogger("ozone")

REPEAT_AFTER_S = 60.0
"""An unchanged problem is said again after this time, so that the end of a long log tells what is wrong."""


@dataclass(frozen=True)
class Problem:
    """Something that keeps the site from working: what it is, and what a person can do."""

    message: str
    cure: str = ""

    def __str__(self) -> str:
        return f"{self.message} Cure: {self.cure}" if self.cure else self.message


class NotReadyError(Exception):
    """It cannot be done now, and may be possible later without this program being started again."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


class RefusedError(Exception):
    """It must not be done, or cannot be done until a person has changed something and starts again."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


class Announcer:
    """Says a new problem at once, and one that lasts once a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said_at: dict[Problem, float] = {}
        self._well = False

    def problems(self, problems: Iterable[Problem]) -> None:
        """Log what is wrong now, unless it was said less than a minute ago."""
        now = self._clock()
        for problem in problems:
            said = self._said_at.get(problem)
            if said is None or now - said >= REPEAT_AFTER_S:
                log.warning("%s", problem)
                self._said_at[problem] = now
            self._well = False

    def well(self, message: str) -> None:
        """Log that all is well, unless that was the last word; a problem that comes back is said at once."""
        if not self._well:
            log.info("%s", message)
        self._well = True
        self._said_at.clear()


class Backoff:
    """Growing pauses between tries, in seconds, doubled up to `longest`."""

    def __init__(
        self, first: float = 1.0, longest: float = 10.0, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._first = first
        self._longest = longest
        self._sleep = sleep
        self._next = first

    def wait(self) -> None:
        """Pause; the next pause is twice as long."""
        self._sleep(self._next)
        self._next = min(self._next * 2, self._longest)

    def reset(self) -> None:
        """The next pause is the first again."""
        self._next = self._first


def try_until_done(attempt: Callable[[], None], announcer: Announcer, backoff: Backoff) -> int:
    """Call `attempt` until it returns. Exit code: 0 done, 1 refused."""
    while True:
        try:
            attempt()
        except NotReadyError as error:
            announcer.problems(error.problems)
            backoff.wait()
        except RefusedError as error:
            for problem in error.problems:
                log.error("%s", problem)
            return 1
        else:
            return 0


def start_log() -> None:
    """Log to stdout, one line for one event, times in UTC."""
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def stop_on_sigterm() -> None:
    """End at once when the container is stopped.

    Process 1 ignores SIGTERM unless it handles it; the exit code is not 0, lest a stopped
    one-shot counts as done.
    """

    def stop(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)


def variable(name: str, meaning: str, default: str | None = None) -> str:
    """The value of an environment variable. Raises RefusedError where it is missing and has no default."""
    value = os.environ.get(name) or default
    if value is None:
        raise RefusedError(
            Problem(
                f"The environment variable {name} is missing: it is {meaning}.",
                f"Set {name} in the .env file.",
            )
        )
    return value


def port_number(name: str, default: int) -> int:
    """The value of an environment variable that holds a TCP port. Raises RefusedError where it is none."""
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise RefusedError(
            Problem(
                f"The environment variable {name} is {text!r}, which is no port.",
                f"Set {name} in the .env file to a number from 1 to 65535.",
            )
        )
    return int(text)


def unreachable(what: str, host: str, port: int, error: BaseException | None, variables: str) -> Problem:
    """Why no connection to a server came about, in words.

    `what` names the server ("The source database"), `variables` the environment variables that place it.
    """
    place = f"{what} at {host}:{port}"
    if isinstance(error, socket.gaierror):
        return Problem(
            f"{place} cannot be found: the host name {host!r} is not known.",
            f"Is it running, and is its name right ({variables})?",
        )
    if isinstance(error, ConnectionRefusedError):
        return Problem(
            f"{place} is down: the host is there, but nothing listens on port {port}.",
            f"Start it, or give the right port ({variables}).",
        )
    if isinstance(error, TimeoutError):
        return Problem(
            f"{place} does not answer in time.",
            f"Is the machine on, does its firewall let port {port} in, is the address right ({variables})?",
        )
    return Problem(f"{place} cannot be reached: {error}.", f"Is the address right ({variables})?")


def reach(what: str, addresses: Sequence[tuple[str, int]], variables: str, timeout_s: float = 5.0) -> None:
    """Return when an address takes a TCP connection, else raise NotReadyError with a reason for each."""
    problems = []
    for host, port in addresses:
        try:
            socket.create_connection((host, port), timeout=timeout_s).close()
        except OSError as error:
            problems.append(unreachable(what, host, port, error, variables))
        else:
            return
    raise NotReadyError(*problems)

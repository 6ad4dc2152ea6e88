"""Brings the connectors to the state that was rendered, and tells in words what keeps them from it.

A task that says RUNNING may have lost its source: whether Debezium reads it is seen in the source's own list
of connections.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .connect_worker import Config, ConnectWorker, Status, first_line
from .source_check import SourceState
from .waiting import NotReadyError, Problem, log

CHECK_SOURCE_EVERY_S = 10.0
SILENCE_BEFORE_RESTART_S = 20.0
"""Debezium tries a lost connection again by itself, but only each minute."""
RESTARTS_S = (0.0, 5.0, 10.0, 20.0, 40.0, 60.0)
"""Pauses before the first, second, ... restart of what keeps failing."""
STEADY_AFTER_S = 120.0

RENDERED_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,62}-[0-9a-f]{8}")
"""A rendered connector's topic prefix: the source's name and a hash of what is captured (the tool's plan/build.py)."""

ROOT_CAUSES: tuple[tuple[str, str, str], ...] = (
    (
        r"gtidSet.* is null",
        "the source's binary log was empty when it started",
        "Nothing, if the next try works.",
    ),
    (
        r"no longer available on the server|Could not find first log file|Could not find GTID state"
        r"|binary log.* been purged|purged (the )?(required|binary)",
        "the source has deleted the part of its binary log that was not read yet",
        "Have the source keep its binary log for longer (binlog_expire_logs_seconds), stop the site, remove "
        "Kafka's volume (docker volume ls) and start again: everything is then read anew.",
    ),
    (
        r"same server_(uuid|id)|server_uuid/server_id",
        "another reader of the source uses the same server_id",
        "Give the source another server_id in ozone.yaml and render again.",
    ),
    (
        r"history topic.*missing|schema isn't known to this connector",
        "Debezium's notes on the source's tables are missing from Kafka",
        "Stop the site, remove Kafka's volume (docker volume ls) and start again: everything is then read "
        "anew.",
    ),
    (
        r"OutOfMemoryError|Java heap space",
        "Kafka Connect has too little memory",
        "Raise connect's memory in ozone.yaml.",
    ),
)
"""What Debezium's most frequent last words mean: a pattern, the words, the cure."""


@dataclass
class _Fate:
    """What happened to one connector so far; times in seconds of the watch's clock."""

    has_read: bool = False
    silent_since: float | None = None
    running_since: float | None = None
    restarts: int = 0
    restarted_at: float = float("-inf")


@dataclass
class Watch:
    """Brings the connectors to the state that was rendered, one step at a time, and tells what keeps it."""

    connectors: Mapping[str, Config]
    check: Callable[[], SourceState]
    worker: ConnectWorker
    clock: Callable[[], float] = time.monotonic
    warn: Callable[[Problem], None] = lambda problem: log.warning("%s", problem)
    _state: SourceState = field(default_factory=SourceState)
    _checked_at: float = float("-inf")
    _warned: tuple[Problem, ...] = ()
    _fates: dict[str, _Fate] = field(default_factory=dict)

    def step(self) -> list[Problem]:
        """Look at everything and do what is to be done; no problem means that rows flow."""
        state = self._source()
        if state.problems:
            return list(state.problems)
        try:
            present = self.worker.configs()
            self._remove_left_over(present)
            problems = []
            for name, config in self.connectors.items():
                if present.get(name) != config:
                    self._register(name, config, new=name not in present)
                    self._fates[name] = _Fate()  # it may take a snapshot first
                problems += self._look_after(name, self._fates.setdefault(name, _Fate()), state)
        except NotReadyError as error:
            return list(error.problems)
        return problems

    @property
    def source_is_fit(self) -> bool:
        """Whether the last look at the source found nothing that keeps Debezium from reading it."""
        return not self._state.problems

    def _source(self) -> SourceState:
        now = self.clock()
        settled = self.source_is_fit and all(fate.has_read for fate in self._fates.values())
        if not settled or now - self._checked_at >= CHECK_SOURCE_EVERY_S:
            self._state = self.check()
            self._checked_at = now
            if self._state.warnings != self._warned:
                self._warned = self._state.warnings
                for warning in self._warned:
                    self.warn(warning)
        return self._state

    def _remove_left_over(self, present: Mapping[str, Config]) -> None:
        """Remove connectors of an earlier plan: their topics' prefixes tell them; others are left alone."""
        prefixes = {config.get("topic.prefix") for config in self.connectors.values()} - {None}
        for name, config in present.items():
            prefix = config.get("topic.prefix", "")
            if name not in self.connectors and (prefix in prefixes or RENDERED_PREFIX.fullmatch(prefix)):
                self.worker.remove(name)
                log.info("Removed the connector %s, which ozone.yaml no longer has.", name)

    def _register(self, name: str, config: Config, *, new: bool) -> None:
        connector_class = config["connector.class"]
        if not self.worker.has_plugin(connector_class):
            raise NotReadyError(
                Problem(
                    f"Kafka Connect has no plugin {connector_class}.",
                    "Build its image again: docker compose build --no-cache connect.",
                )
            )
        errors = self.worker.validate(config)
        if errors:
            raise NotReadyError(
                *(
                    Problem(f"Debezium refuses {key} of the connector {name}: {' '.join(messages)}")
                    for key, messages in errors.items()
                )
            )
        self.worker.put(name, config)
        log.info("Registered the connector %s%s.", name, "" if new else " with its new configuration")

    def _look_after(self, name: str, fate: _Fate, source: SourceState) -> list[Problem]:
        status = self.worker.status(name)
        now = self.clock()
        states = (status.connector, *status.tasks) if status else ()
        if status and "FAILED" in states:
            fate.running_since = None
            problem = failure(name, status)
            self._restart(name, fate, only_failed=True)
            return [problem]
        if any(state in ("PAUSED", "STOPPED") for state in states):
            return [
                Problem(
                    f"The connector {name} was paused by a person.",
                    "Resume it: docker compose exec connect curl -X PUT "
                    f"http://localhost:8083/connectors/{name}/resume",
                )
            ]
        if not status or not status.tasks or any(state != "RUNNING" for state in states):
            fate.running_since = None
            return [Problem(f"The connector {name} is starting.")]
        if fate.running_since is None:
            fate.running_since = now
        elif now - fate.running_since >= STEADY_AFTER_S:
            fate.restarts = 0
        return self._check_reading(name, fate, source)

    def _check_reading(self, name: str, fate: _Fate, source: SourceState) -> list[Problem]:
        """A task says RUNNING also while Debezium has lost the source; the source knows better.

        Before it reads the binary log for the first time, Debezium takes a snapshot by another connection.
        """
        now = self.clock()
        if source.readers:
            if not fate.has_read:
                log.info("The connector %s reads the source's binary log.", name)
            fate.has_read = True
        if source.readers or (source.others > 0 and not fate.has_read):
            fate.silent_since = None
            return []
        if source.others > 0:
            # Perhaps another snapshot, which a restart would only begin again.
            fate.silent_since = None
        elif fate.silent_since is None:
            fate.silent_since = now
        elif now - fate.silent_since >= SILENCE_BEFORE_RESTART_S:
            self._restart(name, fate, only_failed=False)
        return [Problem(f"The connector {name} runs, but does not follow the source's changes.")]

    def _restart(self, name: str, fate: _Fate, *, only_failed: bool) -> None:
        now = self.clock()
        pause = RESTARTS_S[min(fate.restarts, len(RESTARTS_S) - 1)]
        if now - fate.restarted_at < pause:
            return
        self.worker.restart(name, only_failed=only_failed)
        fate.restarts += 1
        fate.restarted_at = now
        fate.silent_since = None
        log.info("Restarted the connector %s.", name)


def failure(name: str, status: Status) -> Problem:
    """Why a connector failed, from its stack trace, in words."""
    trace = "\n".join(status.traces)
    for pattern, words, cure in ROOT_CAUSES:
        if re.search(pattern, trace):
            return Problem(f"The connector {name} failed: {words}.", cure)
    cause = root_cause(trace) or "Kafka Connect gives no reason"
    return Problem(
        f"The connector {name} failed: {cause.rstrip('.')}.", "The log of the service 'connect' says more."
    )


def root_cause(trace: str) -> str:
    """The message of the innermost exception of a Java stack trace, without the exception's package."""
    causes = re.findall(r"^Caused by: (.+)$", trace, re.MULTILINE)
    line = causes[-1] if causes else first_line(trace)
    match = re.match(r"(?:[\w$]+\.)+([\w$]+)(?:: (.*))?$", line.strip())
    if not match:
        return line.strip()
    name, message = match.groups()
    return f"{message} ({name})" if message else name

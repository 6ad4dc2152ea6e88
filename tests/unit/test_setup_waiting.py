"""The setup image's way of waiting: what it says, how often, and when it gives up."""

import logging
import socket
import subprocess
import sys

import pytest

from templates.setup.waiting import (
    Announcer,
    Backoff,
    NotReadyError,
    Problem,
    RefusedError,
    port_number,
    reach,
    try_until_done,
    unreachable,
    variable,
)

DOWN = Problem("The source is down.", "Start it.")
WRONG = Problem("The password is wrong.")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _log_all(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ozone")


def test_a_problem_is_one_line_with_its_cure() -> None:
    assert str(DOWN) == "The source is down. Cure: Start it."
    assert str(WRONG) == "The password is wrong."


def test_an_unchanged_problem_is_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    announcer = Announcer(clock)
    for _ in range(13):
        announcer.problems([DOWN])
        clock.now += 5
    assert caplog.messages == [str(DOWN), str(DOWN)]


def test_a_new_problem_is_said_at_once_and_the_old_one_not_again(caplog: pytest.LogCaptureFixture) -> None:
    announcer = Announcer(Clock())
    announcer.problems([DOWN])
    announcer.problems([DOWN, WRONG])
    assert caplog.messages == [str(DOWN), str(WRONG)]


def test_all_being_well_is_said_once_and_a_problem_that_comes_back_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    announcer = Announcer(Clock())
    announcer.problems([DOWN])
    announcer.well("Rows flow.")
    announcer.well("Rows flow.")
    announcer.problems([DOWN])
    announcer.well("Rows flow.")
    assert caplog.messages == [str(DOWN), "Rows flow.", str(DOWN), "Rows flow."]


def test_pauses_grow_to_ten_seconds() -> None:
    pauses: list[float] = []
    backoff = Backoff(sleep=pauses.append)
    for _ in range(6):
        backoff.wait()
    backoff.reset()
    backoff.wait()
    assert pauses == [1, 2, 4, 8, 10, 10, 1]


def test_what_is_not_ready_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    outcomes: list[Exception | None] = [NotReadyError(DOWN), NotReadyError(WRONG), None]

    def attempt() -> None:
        outcome = outcomes.pop(0)
        if outcome:
            raise outcome

    assert try_until_done(attempt, Announcer(Clock()), Backoff(sleep=lambda _: None)) == 0
    assert caplog.messages == [str(DOWN), str(WRONG)]


def test_what_is_refused_ends_with_1(caplog: pytest.LogCaptureFixture) -> None:
    def attempt() -> None:
        raise RefusedError(DOWN, WRONG)

    assert try_until_done(attempt, Announcer(Clock()), Backoff(sleep=lambda _: None)) == 1
    assert caplog.messages == [str(DOWN), str(WRONG)]


def test_a_missing_variable_is_named_with_its_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONNECT_URL", raising=False)
    assert variable("CONNECT_URL", "the address", "http://connect:8083") == "http://connect:8083"
    monkeypatch.setenv("CONNECT_URL", "http://x:1")
    assert variable("CONNECT_URL", "the address", "http://connect:8083") == "http://x:1"
    monkeypatch.setenv("CONNECT_URL", "")
    with pytest.raises(RefusedError, match="CONNECT_URL is missing: it is the address"):
        variable("CONNECT_URL", "the address")


@pytest.mark.parametrize("text", ["x", "0", "65536", "-1", "3306 "])
def test_a_port_is_a_number(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PORT", text)
    with pytest.raises(RefusedError, match="is no port"):
        port_number("PORT", 3306)


def test_why_a_server_is_not_reached() -> None:
    def words(error: Exception) -> str:
        return unreachable("The database", "db", 3306, error, "DB_HOST, DB_PORT").message

    assert "the host name 'db' is not known" in words(socket.gaierror())
    assert "is down" in words(ConnectionRefusedError())
    assert "does not answer in time" in words(TimeoutError())
    assert words(OSError("no route")) == "The database at db:3306 cannot be reached: no route."


def test_one_reachable_server_of_several_is_enough() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        reach("Kafka", [("127.0.0.1", port)], "SERVERS")
    with pytest.raises(NotReadyError, match="nothing listens on port"):
        reach("Kafka", [("127.0.0.1", port)], "SERVERS")


def test_a_stopped_one_shot_does_not_count_as_done() -> None:
    program = (
        "import time; from templates.setup.waiting import stop_on_sigterm; stop_on_sigterm();"
        "print('ready', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.wait(timeout=30) == 143

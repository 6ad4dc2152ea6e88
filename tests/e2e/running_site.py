"""A rendered site as a running compose project, with connections to its databases."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pymysql
from psycopg.rows import dict_row

from tests.engine.engine import compose_files
from tests.oracle.comparing import batch_rows, by_key, difference

FILES = ("docker-compose-db.yaml", "docker-compose-data-pipelines.yaml")


def free_port() -> int:
    """Find a port of the loopback interface that nothing uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RunningSite:
    """A compose project in a folder. `ports` are those of the host, by part."""

    def __init__(
        self,
        folder: Path,
        engine: Mapping[str, str],
        ports: Mapping[str, int],
        files: Sequence[str] = FILES,
    ) -> None:
        """`engine` is the environment that `ensure_engine` returns; `files` may hold overrides of a test."""
        self.folder = folder
        self.ports = ports
        self.environment = dict(engine)
        # One for each set of files: two of them may look at one folder.
        scratch = Path(tempfile.mkdtemp(prefix=f"{folder.name}-engine-", dir=folder.parent))
        self._files = compose_files(engine, folder, files, scratch)

    def compose(self, *arguments: str, check: bool = True, timeout: float = 900) -> str:
        """Run a compose command and return what it printed."""
        done = subprocess.run(
            ["docker", "compose", "--progress", "plain", *self._files, *arguments],
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"docker compose {' '.join(arguments)}: {done.stdout[-4000:]}\n{self.trouble()}")
        return done.stdout

    def trouble(self) -> str:
        """Return what a reader of a failed run in CI wants to see: the states, and the logs of what is ill."""
        found = [self.compose("ps", "-a", check=False)]
        for service, state in self.states().items():
            if state in {"healthy", "exited (0)"}:
                continue
            health = ["docker", "inspect", "--format", "{{json .State}}", self.container(service)]
            inspected = subprocess.run(health, env=self.environment, text=True, capture_output=True, check=False)
            log = self.compose("logs", "--no-log-prefix", "--tail", "40", service, check=False)
            found += [f"--- {service}: {state}", inspected.stdout.strip(), log]
        return "\n".join(found)

    def up(self, *services: str) -> None:
        """Start everything and wait until all is healthy, as the site's README says."""
        self.compose("up", "-d", "--build", "--wait", "--wait-timeout", "600", *services)

    def down(self) -> None:
        """Stop everything and remove its volumes."""
        self.compose("down", "-v", "--timeout", "3", check=False)

    def docker(self, *arguments: str) -> str:
        """Run a docker command and return what it printed."""
        return subprocess.run(
            ["docker", *arguments], env=self.environment, text=True, capture_output=True, check=True
        ).stdout

    def container(self, service: str) -> str:
        """Return the id of a service's container."""
        found = self.compose("ps", "-a", "-q", service).split()
        return found[-1] if found else ""  # none for a moment, while it is made anew

    def states(self) -> dict[str, str]:
        """Return the state of each service: healthy, running, exited (code)."""
        states = {}
        for line in self.compose("ps", "-a", "--format", "json").splitlines():
            if line.startswith("{"):
                service = json.loads(line)
                state = service["Health"] or service["State"]
                states[service["Service"]] = (
                    f"exited ({service['ExitCode']})" if service["State"] == "exited" else state
                )
        return states

    def memory(self, *services: str) -> dict[str, float]:
        """What running services use, in MiB."""
        names = {self.container(service): service for service in services}
        lines = self.docker("stats", "--no-stream", "--no-trunc", "--format", "{{.ID}} {{.MemUsage}}").splitlines()
        found = {}
        for line in lines:
            identity, amount = line.split()[:2]
            if identity in names and amount != "0B":
                number, unit = re.fullmatch(r"([0-9.]+)([KMG]iB|B)", amount).groups()  # type: ignore[union-attr]
                found[names[identity]] = float(number) * {"B": 2**-20, "KiB": 2**-10, "MiB": 1, "GiB": 2**10}[unit]
        return found

    def file_cache(self, *services: str) -> dict[str, float]:
        """How much of that are files which the kernel keeps until somebody needs the memory, in MiB."""
        # Docker counts files that were read twice as used, and those read once not.
        places = "/sys/fs/cgroup/memory.stat /sys/fs/cgroup/memory/memory.stat"
        found = {}
        for service in services:
            text = self.docker("exec", self.container(service), "sh", "-c", f"cat {places} 2>/dev/null || true")
            sizes = re.findall(r"^(?:total_)?active_file (\d+)$", text, re.MULTILINE)
            found[service] = int(sizes[-1]) / 2**20 if sizes else 0.0
        return found

    def run_again(self, service: str) -> str:
        """Run a step anew that has ended, and return what it printed; a failure of it is the test's."""
        self.compose("start", service)
        code = self.docker("wait", self.container(service)).strip()
        log = self.compose("logs", "--no-log-prefix", "--tail", "40", service)
        assert code == "0", log
        return log

    def get(self, part: str, path: str) -> Any:
        """GET a JSON document of Connect's or Flink's REST interface."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[part]}{path}", timeout=10) as answer:
            return json.load(answer)

    def send(self, part: str, method: str, path: str, document: Any = None) -> Any:
        """Send a JSON document to such an interface and return the answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports[part]}{path}",
            method=method,
            data=None if document is None else json.dumps(document).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    @contextlib.contextmanager
    def source(self) -> Iterator[pymysql.Connection[Any]]:
        """Connect to the source as a user who may write."""
        connection = pymysql.connect(
            host="127.0.0.1",
            port=self.ports["mysql"],
            user="root",
            password="demo",
            database="openmrs",
            charset="utf8mb4",
        )
        try:
            yield connection
        finally:
            connection.close()

    def change(self, *statements: str) -> None:
        """Run statements in the source, each in a transaction of its own."""
        with self.source() as connection:
            for statement in statements:
                with connection.cursor() as cursor:
                    cursor.execute(statement)
                connection.commit()

    @contextlib.contextmanager
    def sink(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        """Connect to the sink."""
        with psycopg.connect(
            host="127.0.0.1",
            port=self.ports["postgresql"],
            dbname="analytics",
            user="analytics",
            password="demo",
            row_factory=dict_row,
            autocommit=True,
        ) as connection:
            yield connection

    @contextlib.contextmanager
    def reading(self, *queries: str) -> Iterator[dict[str, list[int | None]]]:
        """Ask for `n` again and again, as dashboards do; each other answer that was seen, None for no such table."""
        seen: dict[str, list[int | None]] = {query: [] for query in queries}
        failures: list[BaseException] = []
        stop = threading.Event()

        def read() -> None:
            try:
                with self.sink() as sink:
                    while not stop.wait(0.01):
                        for query, answers in seen.items():
                            answer = _number(sink, query)
                            if not answers or answers[-1] != answer:
                                answers.append(answer)
            except BaseException as error:
                failures.append(error)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            yield seen
        finally:
            stop.set()
            reader.join()
        assert not failures, failures

    def differences(self, queries: Mapping[str, str]) -> dict[str, str]:
        """Compare each table with its batch query; the result names the tables that differ, and where."""
        return self._differences(self._expected(queries))

    def _expected(self, queries: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
        with self.source() as source:
            return {table: batch_rows(source, query) for table, query in queries.items()}

    def _differences(self, expected: Mapping[str, Sequence[dict[str, Any]]]) -> dict[str, str]:
        found = {}
        with self.sink() as sink:
            for table, wanted in expected.items():
                rows = sink.execute(f'SELECT * FROM "{table}"').fetchall()
                key = _key_of(sink, table)
                problem = difference(by_key(wanted, key), by_key(rows, key))
                if problem:
                    found[table] = problem
        return found

    def settle(self, queries: Mapping[str, str], patience: float = 180, timeout: float = 900) -> float:
        """Wait until every table equals its batch query; return the seconds, or fail and say what differs.

        The source must not change meanwhile: it is asked once. It gives up when nothing has moved for `patience`
        seconds: what is only slow gets there, and how slow a machine is no test should say.
        """
        started = moved = time.monotonic()
        expected = self._expected(queries)
        waiting: Mapping[str, Sequence[dict[str, Any]]] = expected
        before: Mapping[str, str] = {}
        while True:
            looked = time.monotonic()
            problems = self._differences(waiting)
            if not problems and len(waiting) < len(expected):
                # The others were right before: they have to be so at the end, too.
                problems = self._differences(expected)
            now = time.monotonic()
            if not problems:
                return now - started
            if problems != before:
                before, moved = problems, now
            if now - moved > patience or now - started > timeout:
                raise AssertionError(
                    f"after {now - started:.0f} s, unmoved for {now - moved:.0f} s: {problems}\n{self.trouble()}"
                )
            waiting = {table: expected[table] for table in problems}
            # Looking costs the two cores what the site would use to get there: do something else half of the time.
            time.sleep(0.3 + now - looked)


def _number(sink: psycopg.Connection[dict[str, Any]], query: str) -> int | None:
    try:
        row = sink.execute(query).fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    assert row is not None
    return int(row["n"])


def _key_of(sink: psycopg.Connection[dict[str, Any]], table: str) -> str:
    row = sink.execute(
        "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
        " WHERE i.indisprimary AND i.indrelid = %s::regclass",
        (table,),
    ).fetchone()
    assert row is not None
    name: str = row["attname"]
    return name


def until(what: str, true: Callable[[], bool], timeout: float = 300) -> float:
    """Wait until a condition holds; return the seconds it took. Errors of the network count as not yet."""
    started = time.monotonic()
    while (looked := time.monotonic()) - started < timeout:
        with contextlib.suppress(OSError, urllib.error.URLError, psycopg.Error, pymysql.MySQLError, ValueError):
            if true():
                return time.monotonic() - started
        # To ask Compose costs what the site would use to get there: do something else half of the time.
        time.sleep(0.3 + time.monotonic() - looked)
    raise AssertionError(f"not within {timeout:.0f} s: {what}")

"""Private MariaDB and PostgreSQL servers for the contract tests, on the loopback interface, ended after them.

They need the servers' programs on the machine: on Debian `apt-get install mariadb-server postgresql`.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pymysql
import pytest

if TYPE_CHECKING:
    from tests.contract.sink_site import Site


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "contract: talks to a real server that the test starts on this machine"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folder = Path(__file__).parent
    for item in items:
        if folder in item.path.parents:
            item.add_marker(pytest.mark.contract)


@dataclass(frozen=True)
class Server:
    """A server and its administrator."""

    host: str
    port: int
    user: str
    password: str


def program(name: str, *places: str) -> str:
    """The path of a server's program; where it is not installed the test is skipped, and in CI it fails."""
    folders = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/sbin"]
    for pattern in places:
        folders += map(str, sorted(Path("/").glob(pattern), reverse=True))
    found = shutil.which(name, path=os.pathsep.join(folders))
    if not found:
        missing = f"{name} is not installed: on Debian, apt-get install mariadb-server postgresql"
        # In CI a test that did not run must not look like one that passed.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def _folder() -> Iterator[Path]:
    """A short path (for Unix sockets) that other users may enter."""
    folder = Path(tempfile.mkdtemp(prefix="ozone-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def running(
    command: Sequence[str],
    log: Path,
    answers: Callable[[], object],
    user: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run a server until the block ends, which begins when `answers` raises nothing."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, user=user, group=user, env=environment)
        try:
            for _ in range(600):
                try:
                    answers()
                    break
                except (pymysql.MySQLError, psycopg.OperationalError, OSError):
                    if process.poll() is not None:
                        break
                    time.sleep(0.1)
            else:
                pytest.fail(f"{command[0]} does not answer: {log.read_text(errors='replace')}")
            if process.poll() is not None:
                pytest.fail(f"{command[0]} ended: {log.read_text(errors='replace')}")
            yield
        finally:
            process.terminate()
            process.wait(timeout=60)


# Asynchronous input and output are limited for the whole machine, on which many servers start at once.
SMALL = ("--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M", "--skip-innodb-use-native-aio")


def _install_mariadb(data: Path) -> None:
    """Make the system's tables. A busy machine failed once at that without saying why: a second try tells."""
    command = [
        program("mariadb-install-db"),
        "--no-defaults",
        f"--datadir={data}",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        "--skip-name-resolve",
        *SMALL,
    ]
    for last in (False, True):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        if not done.returncode:
            return
        said = f"mariadb-install-db failed with {done.returncode}: {done.stdout}"
        if last:
            pytest.fail(said)
        warnings.warn(said, stacklevel=2)
        shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="session")
def start_mariadb() -> Callable[..., Any]:
    """A context manager that runs MariaDB with further options; its value is the Server."""

    @contextmanager
    def start(*options: str) -> Iterator[Server]:
        with _folder() as folder:
            _install_mariadb(folder / "data")
            server = Server("127.0.0.1", free_port(), "root", "")
            command = [
                program("mariadbd"),
                "--no-defaults",
                f"--datadir={folder}/data",
                f"--socket={folder}/socket",
                f"--pid-file={folder}/pid",
                f"--port={server.port}",
                "--bind-address=127.0.0.1",
                *SMALL,
                *(["--user=root"] if os.geteuid() == 0 else []),
                *options,
            ]

            def answers() -> None:
                pymysql.connect(host=server.host, port=server.port, user=server.user).close()

            with running(command, folder / "log", answers):
                yield server

    return start


@pytest.fixture(scope="session")
def mariadb(start_mariadb: Callable[..., Any]) -> Iterator[Server]:
    """MariaDB as a site's source is to be."""
    with start_mariadb(
        "--log-bin=binlog", "--binlog-format=ROW", "--binlog-row-image=FULL", "--server-id=1"
    ) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """PostgreSQL, which root may not run."""
    user = None
    if os.geteuid() == 0:
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = "postgres" if "postgres" in names else "nobody"
    places = ("usr/lib/postgresql/*/bin",)
    with _folder() as folder:
        password = folder / "password"
        password.write_text("admin-secret\n", encoding="ascii")
        data = folder / "data"
        data.mkdir(mode=0o700)
        if user:
            for path in (folder, data, password):
                shutil.chown(path, user)
        group = None
        subprocess.run(
            [
                program("initdb", *places),
                f"--pgdata={data}",
                "--username=admin",
                "--auth=scram-sha-256",
                f"--pwfile={password}",
                "--locale=C.UTF-8",
                "--no-sync",
            ],
            check=True,
            capture_output=True,
            user=user,
            group=group,
        )
        server = Server("127.0.0.1", free_port(), "admin", "admin-secret")
        command = [
            program("postgres", *places),
            "-D",
            str(data),
            "-k",
            str(folder),
            "-p",
            str(server.port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "fsync=off",
            "-c",
            "shared_buffers=16MB",
        ]

        def answers() -> None:
            psycopg.connect(
                host=server.host,
                port=server.port,
                user=server.user,
                password=server.password,
                dbname="postgres",
            ).close()

        with running(command, folder / "log", answers, user):
            yield server


@pytest.fixture
def site(postgresql: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["Site"]:
    """A sink of its own on the server, and an empty volume."""
    from templates.setup.sink_session import Sink
    from tests.contract.sink_site import Site


    def administrator(database: str) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=postgresql.host,
            port=postgresql.port,
            user=postgresql.user,
            password=postgresql.password,
            dbname=database,
            autocommit=True,
        )

    with administrator("postgres") as first:
        first.execute("CREATE ROLE analytics LOGIN PASSWORD 'secret'")
        first.execute("CREATE DATABASE analytics OWNER analytics")
        if os.geteuid() != 0:
            monkeypatch.setattr(os, "chown", lambda *_: None)
        sink = Sink(postgresql.host, postgresql.port, "analytics", "analytics", "secret")
        folder = tmp_path / "flink-data"
        folder.mkdir()
        with administrator("analytics") as admin:
            yield Site(sink, admin, folder)
        first.execute("DROP DATABASE analytics WITH (FORCE)")
        first.execute("DROP ROLE analytics")

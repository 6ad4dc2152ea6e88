"""How the site's two databases are reached from this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ozone_gen.doctor.findings import Finding, State
from ozone_gen.doctor.reach import Surroundings
from ozone_gen.plan import Setting

TIMEOUT_S: Final = 10


class NotAskedError(Exception):
    """A database could not be asked; carries what is found instead."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)
        self.finding = finding


@dataclass(frozen=True)
class Login:
    """Where a database is, as this machine reaches it, and who asks it."""

    host: str
    port: int
    user: str
    password: str
    database: str


def source_login(site: Surroundings) -> Login:
    """Say how the source is reached. Raises NotAskedError."""
    plan = site.plan.source
    host, port = _address(site, "mysql", "Source", plan.demo is not None, plan.host, plan.port)
    return Login(
        host, port, _value(site, "Source", plan.username), _value(site, "Source", plan.password), plan.database
    )


def sink_login(site: Surroundings) -> Login:
    """Say how the sink is reached. Raises NotAskedError."""
    plan = site.plan.sink
    host, port = _address(site, "postgresql", "Sink", plan.bundled, plan.host, plan.port)
    user, password, database = (_value(site, "Sink", each) for each in (plan.username, plan.password, plan.database))
    return Login(host, port, user, password, database)


def connect_source(login: Login) -> Any:
    """Connect to MariaDB or MySQL. Raises NotAskedError."""
    import pymysql

    try:
        return pymysql.connect(
            host=login.host,
            port=login.port,
            user=login.user,
            password=login.password,
            database=login.database,
            connect_timeout=TIMEOUT_S,
            charset="utf8mb4",
            autocommit=True,
        )
    except (pymysql.MySQLError, RuntimeError) as error:
        raise NotAskedError(refused("Source", f"{login.host}:{login.port}", error)) from error


def connect_sink(login: Login) -> Any:
    """Connect to PostgreSQL. Raises NotAskedError."""
    import psycopg

    try:
        return psycopg.connect(
            host=login.host,
            port=login.port,
            user=login.user,
            password=login.password,
            dbname=login.database,
            connect_timeout=TIMEOUT_S,
            autocommit=True,
        )
    except psycopg.Error as error:
        raise NotAskedError(refused("Sink", f"{login.host}:{login.port}", error)) from error


def refused(part: str, where: str, error: Exception) -> Finding:
    """What is found where a database answers with an error."""
    what = " ".join(str(error.args[-1] if error.args else error).split())
    return Finding(part, State.ILL, f"{where}: {what}", "is it up, and are the password and the privileges right?")


def _address(
    site: Surroundings, part: str, side: str, bundled: bool, host: Setting, port: Setting
) -> tuple[str, int]:
    """Where a database is reached from here: one of the site's own by its published port."""
    if bundled:
        where = site.published(part)
        if where is None:
            raise NotAskedError(Finding(side, State.UNKNOWN, "its port is closed in ozone.yaml"))
        return where
    number = _value(site, side, port)
    if not number.isdecimal():
        raise NotAskedError(Finding(side, State.ILL, f"{port.override} is {number!r}, which is no port"))
    return _value(site, side, host), int(number)


def _value(site: Surroundings, side: str, setting: Setting) -> str:
    value = site.value(setting)
    if value is None:
        name = setting.variable or setting.override
        cure = f"name the site's folder by --folder, whose .env holds it, or export {name}"
        raise NotAskedError(Finding(side, State.UNKNOWN, f"{name} is not set, so it was not asked", cure))
    return value

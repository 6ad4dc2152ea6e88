"""Makes Superset ready: its database and users, its tables, the administrator, and the site's assets.

Runs once at each start and says what it has done. What it finds as it should be it leaves alone.
"""

import json
import logging
import os
import sys
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .superset_assets import (
    EDITED_BY_PEOPLE,
    Asset,
    Fate,
    Record,
    dropped,
    fate,
    read_bundle,
    with_own_parts,
    without_charts,
)
from .superset_databases import Login, migrated_to, prepare_metadata, prepare_reader, remember_migration
from .superset_store import Superset, application, migrations, upgrade
from .waiting import (
    Announcer,
    Backoff,
    NotReadyError,
    Problem,
    RefusedError,
    log,
    port_number,
    reach,
    start_log,
    stop_on_sigterm,
    try_until_done,
    variable,
)

SETTINGS = Path("/etc/ozone/superset.json")
ASSETS = Path("/etc/ozone/assets")

SHORTEST_KEY = 24
"""Characters of a secret key; it signs the sessions of everybody who logs in."""
SHORTEST_PASSWORD = 8


@dataclass(frozen=True)
class Connection:
    """How the address of a database of the bundle is made at import.

    Attributes:
        file: the database's file in the bundle.
        driver: SQLAlchemy's name of the dialect and the driver.
        variables: the names of the environment variables that say host, port, database, user and password.
    """

    file: str
    driver: str
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Settings:
    """What was rendered for this program.

    Attributes:
        demo: whether the site has made-up patients, so that a password may be a known one.
        schema: the schema of the flattened tables that Superset reads; None where it reads no such tables.
        connections: for the databases whose address the environment says.
        renamed_datasets: the former uuid of each dataset whose table had another name, by the present one.
    """

    demo: bool
    schema: str | None
    connections: tuple[Connection, ...]
    renamed_datasets: Mapping[str, str] = field(default_factory=dict)


def read_settings(path: Path) -> Settings:
    """The rendered settings. Raises RefusedError where the file is missing or broken."""
    try:
        rendered = json.loads(path.read_text(encoding="utf-8"))
        connections = tuple(
            Connection(each["file"], each["driver"], dict(each["variables"])) for each in rendered["connections"]
        )
        schema = rendered["schema"]
        renamed = dict(rendered["renamed_datasets"])
        return Settings(bool(rendered["demo"]), None if schema is None else str(schema), connections, renamed)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RefusedError(
            Problem(f"The rendered file {path} cannot be used: {error!r}.", "Render the site again.")
        ) from None


def check_secrets(settings: Settings, environment: Mapping[str, str]) -> None:
    """Raises RefusedError where a secret can be guessed; a demo site may have known ones."""
    if settings.demo:
        return
    problems = []
    if len(environment.get("SUPERSET_SECRET_KEY", "")) < SHORTEST_KEY:
        problems.append(
            Problem(
                f"SUPERSET_SECRET_KEY is shorter than {SHORTEST_KEY} characters: sessions could be forged.",
                "Set it in .env to what `openssl rand -base64 42` prints.",
            )
        )
    passwords = ["SUPERSET_ADMIN_PASSWORD", "SUPERSET_DB_PASSWORD"]
    if settings.schema is not None:
        passwords.append("SUPERSET_READER_PASSWORD")
    for name in passwords:
        if len(environment.get(name, "")) < SHORTEST_PASSWORD:
            problems.append(
                Problem(f"{name} is shorter than {SHORTEST_PASSWORD} characters.", "Set a longer one in .env.")
            )
    if problems:
        raise RefusedError(*problems)


def addressed(asset: Asset, connections: Sequence[Connection], environment: Mapping[str, str]) -> Asset:
    """A database with the address that the environment says; another asset as it is."""
    found = next((each for each in connections if each.file == asset.path), None)
    if found is None:
        return asset
    from sqlalchemy.engine import URL

    values = {part: environment[name] for part, name in found.variables.items()}
    uri = URL.create(
        found.driver,
        username=values["user"],
        password=values["password"],
        host=values["host"],
        port=int(values["port"]),
        database=values["database"],
    )
    # The password is masked here, and given apart: it belongs into no digest.
    config = {**asset.config, "sqlalchemy_uri": str(uri).replace(":***@", ":XXXXXXXXXX@")}
    return replace(asset, config=config)


def follow_renamed(superset: Superset, renamed: Mapping[str, str], records: Mapping[str, Record]) -> dict[str, Record]:
    """Let the datasets of renamed tables be known by their new uuids: what people made of them stands on them.

    Returns the records as they are then. What the bundle says of a dataset, its name among it, comes with the import.
    """
    found = dict(records)
    for uuid, former in renamed.items():
        if former not in found or superset.present("datasets", former) is None:
            continue  # followed at an earlier start, or there was never one
        if superset.present("datasets", uuid) is not None:
            log.info("The dataset %r stays beside that of the table's new name: both are there.", found[former].name)
            continue
        superset.give_uuid("datasets", former, uuid)
        found[uuid] = found.pop(former)
        superset.remember({uuid: found[uuid]}, [former])
        log.info("The dataset %r gets the new name of its table.", found[uuid].name)
    return found


def bring_in_assets(
    superset: Superset, assets: Sequence[Asset], passwords: Mapping[str, str], records: Mapping[str, Record]
) -> None:
    """Import what is new or has changed, and say what became of the rest. Raises RefusedError."""
    fates: dict[str, Fate] = {}
    for asset in assets:
        known = records.get(asset.uuid)
        fates[asset.uuid] = fate(asset, known, superset.present(asset.kind, asset.uuid))
        if asset.path in passwords and superset.password(asset.uuid) != passwords[asset.path]:
            fates[asset.uuid] = Fate.IMPORTED
    imported = [asset for asset in assets if fates[asset.uuid] is Fate.IMPORTED]
    kept = [asset for asset in assets if asset.kind == "charts" and fates[asset.uuid] is not Fate.IMPORTED]
    missing = [asset.uuid for asset in kept if superset.present("charts", asset.uuid) is None]
    if imported:
        superset.bring_in([_as_imported(superset, asset, records, missing) for asset in imported], passwords)
    superset.remember(
        {
            asset.uuid: Record(
                asset.kind,
                asset.name,
                asset.digest,
                superset.present(asset.kind, asset.uuid) or "",
                asset.parts if asset.kind == "datasets" else (),
            )
            for asset in imported
        }
    )
    _tell(assets, fates)


def _as_imported(superset: Superset, asset: Asset, records: Mapping[str, Record], missing: Sequence[str]) -> Asset:
    if asset.kind == "datasets":
        return with_own_parts(asset, records.get(asset.uuid), *superset.own_parts(asset.uuid))
    return without_charts(asset, missing) if asset.kind == "dashboards" else asset


def _tell(assets: Sequence[Asset], fates: Mapping[str, Fate]) -> None:
    for kept in (Fate.EDITED, Fate.DELETED):
        for asset in assets:
            if fates[asset.uuid] is kept:
                log.info("The %s %r is %s.", asset.kind[:-1], asset.name, kept.value)
    for each in (Fate.IMPORTED, Fate.UNCHANGED):
        kinds = [asset.kind for asset in assets if fates[asset.uuid] is each]
        counts = [f"{count} {kind if count > 1 else kind[:-1]}" for kind, count in Counter(kinds).items()]
        if counts:
            log.info("%s %s.", each.value.capitalize(), ", ".join(counts))


def remove_dropped(superset: Superset, assets: Sequence[Asset], records: Mapping[str, Record]) -> None:
    """Remove what an earlier bundle brought and this one lacks, unless a person has made it their own."""
    forgotten = []
    for uuid in dropped(assets, records):
        record = records[uuid]
        present = superset.present(record.kind, uuid)
        what = f"The {record.kind[:-1]} {record.name!r} is no longer part of the site"
        charts = superset.charts_of(uuid) if record.kind == "datasets" else []
        if present is None:
            pass
        elif record.kind in EDITED_BY_PEOPLE and present != record.made:
            log.info("%s. It stays, as a person has edited it.", what)
        elif charts:
            log.info("%s. It stays for as long as charts stand on it: %s.", what, ", ".join(charts))
            continue
        elif record.kind == "databases":
            log.info("%s. It stays, as people may have saved queries of it.", what)
        else:
            superset.remove(record.kind, uuid)
            log.info("%s, and was removed.", what)
        forgotten.append(uuid)
    superset.remember({}, forgotten)


def _login(prefix: str, what: str) -> Login:
    return Login(
        variable(f"{prefix}_HOST", f"the host of {what}"),
        port_number(f"{prefix}_PORT", 5432),
        variable(f"{prefix}_NAME", f"the name of {what}"),
        variable(f"{prefix}_USER", f"the user of {what}"),
        variable(f"{prefix}_PASSWORD", f"the password of the user of {what}"),
    )


def _passwords(connections: Sequence[Connection], environment: Mapping[str, str]) -> dict[str, str]:
    return {each.file: environment[each.variables["password"]] for each in connections}


def prepare(settings: Settings, environment: Mapping[str, str]) -> None:
    """Do all that is to be done. Raises NotReadyError or RefusedError."""
    username = variable("SUPERSET_ADMIN_USERNAME", "the name of Superset's administrator")
    owner = _login("ANALYTICS_DB", "the analytics database")
    own = _login("SUPERSET_DB", "Superset's own database")
    prepare_metadata(own, owner)
    if settings.schema is not None:
        reader = replace(
            owner,
            user=variable("SUPERSET_READER_USER", "the user under which Superset reads the tables"),
            password=variable("SUPERSET_READER_PASSWORD", "the password of that user"),
        )
        prepare_reader(reader, owner, settings.schema)
    reach("Redis", [("redis", 6379)], "its name is fixed")
    connections = settings.connections
    assets = [addressed(asset, connections, environment) for asset in read_bundle(ASSETS)]
    wanted, present = migrations(), migrated_to(own)
    if present != wanted:
        upgrade()
        remember_migration(own, wanted)
        log.info("%s Superset's own tables.", "Upgraded" if present else "Made")
    with application() as superset:
        superset.set_up_roles()
        done = superset.administrator(username, variable("SUPERSET_ADMIN_PASSWORD", "the administrator's password"))
        if done:
            log.info("%s.", done)
        records = superset.records()
        with superset.acting_as(username):
            records = follow_renamed(superset, settings.renamed_datasets, records)
            bring_in_assets(superset, assets, _passwords(connections, environment), records)
            remove_dropped(superset, assets, records)
    log.info("Superset is ready.")


def _quiet() -> None:
    """Superset tells hundreds of lines of itself; its warnings are enough."""
    logging.getLogger().setLevel(logging.WARNING)
    warnings.simplefilter("ignore")
    logging.getLogger("ozone").setLevel(logging.INFO)


def main() -> int:
    """Prepare. Exit code: 0 done, 1 a person has to change something."""
    start_log()
    stop_on_sigterm()

    def attempt() -> None:
        settings = read_settings(SETTINGS)
        check_secrets(settings, os.environ)
        _quiet()
        from sqlalchemy.exc import OperationalError

        try:
            prepare(settings, os.environ)
        except OperationalError as error:
            said: Any = error.orig or error
            words = (str(said).strip().splitlines() or ["no reason given"])[0]
            raise NotReadyError(Problem(f"Superset's own database gives no answer: {words}")) from None

    return try_until_done(attempt, Announcer(), Backoff())


if __name__ == "__main__":
    exit_code = main()
    sys.stdout.flush()
    # All is done and committed; to take Superset apart again would take the interpreter as long as all of it.
    os._exit(exit_code)

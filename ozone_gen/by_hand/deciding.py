"""What a folder says -> what ozone.yaml says, and what it cannot say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ozone_gen.by_hand.reading import Connector, Folder, Service, Value, provided
from ozone_gen.diagnostics import Diagnostic, Position, codes
from ozone_gen.flattening.core import CORE_TABLES
from ozone_gen.spec import PUBLISHED_PORTS
from ozone_gen.values import (
    DATABASE_PATTERN,
    HOST_PATTERN,
    MEMORY_PATTERN,
    SITE_ID_PATTERN,
    USERNAME_PATTERN,
    site_id_of,
)

PLATFORM: Final = "2.5"

# Services of the original, by the part that takes their place; "" where nothing has to.
_PARTS: Final = {
    "mysql": "",
    "mariadb": "",
    "postgresql": "postgresql",
    "zookeeper": "high_availability",
    "kafka": "kafka",
    "kafka-setup": "kafka",
    "connect": "connect",
    "connect-setup": "connect",
    "kowl": "kafka_ui",
    "redpanda-console": "kafka_ui",
    "kafka-ui": "kafka_ui",
    "migrate": "flink",
    "analytics-migration": "flink",
    "jobmanager": "flink",
    "taskmanager": "flink",
    "redis": "superset",
    "superset": "superset",
    "superset-init": "superset",
    "superset-worker": "superset",
    "minio": "object_store",
    "seaweedfs": "object_store",
    "createbuckets": "object_store",
    "minio-buckets": "object_store",
    "drill": "drill",
    "parquet-export": "parquet_export",
}
_CENTRAL: Final = frozenset({"object_store", "drill"})
_DATABASES: Final = ("mysql", "mariadb")
_LOCAL: Final = re.compile(
    r"localhost|127\..*|::1|0\.0\.0\.0|host\.docker\.internal|gateway\.docker\.internal|172\.17\.0\.1"
)
_SECRET: Final = re.compile(r"PASSWORD|SECRET|_KEY$|TOKEN")
_SECRETS: Final = {
    "CONNECT_MYSQL_PASSWORD": "OPENMRS_DB_PASSWORD",
    "ANALYTICS_DB_PASSWORD": "ANALYTICS_DB_PASSWORD",
    "SECRET_KEY": "SUPERSET_SECRET_KEY",
    "SUPERSET_SECRET_KEY": "SUPERSET_SECRET_KEY",
    "SUPERSET_ADMIN_PASSWORD": "SUPERSET_ADMIN_PASSWORD",
    "ADMIN_PASSWORD": "SUPERSET_ADMIN_PASSWORD",
    "SUPERSET_DB_PASSWORD": "SUPERSET_DB_PASSWORD",
}
"""Secrets of the original, with the variable that a rendered site reads for each."""
# What ozone-gen decides by itself, so that nobody misses it.
_DECIDED: Final = re.compile(
    r"DEBEZIUM_VERSION|POSTGRES_VERSION|CREATE_TOPICS|TOPICS|ANALYTICS_KAFKA_URL|ZOOKEEPER_URL|REDIS_.*|DATABASE_.*"
    r"|SUPERSET_LOAD_EXAMPLES|CHANGELOG_FILE|UID|GID|POSTGRES_DB_HOST|OPENMRS_(USER|DB_.*)|ANALYTICS_DATASOURCE_NAME"
    r"|ANALYTICS_(SOURCE_TABLES|QUERIES|DESTINATION_TABLES_MIGRATIONS|CONFIG_FILE)_PATH|TASK_MANAGER_SLOTS"
    r"|(NETWORK|MANAGED|TASK_MANAGER_PROCESS_MANAGED)_MEMORY_.*|EXPORT_.*_PATH|SQL_SCRIPTS_PATH|SUPERSET_HOME"
    r"|CONNECT_(OPENMRS|ODOO)|BUCKET|DEFAULT_BUCKETS|MYSQL_(DB|DATABASE|USER)|POSTGRES_USER"
    r"|SUPERSET_DB_USER|ENABLE_PROXY_FIX"
)
# Settings of the connector that say what is read, or how; all others are the tool's own.
_OWN_SETTINGS: Final = re.compile(
    r"table\.(include|exclude)\.list|column\..*|transforms.*|snapshot\..*|heartbeat.*|database\.ssl.*|gtid.*"
    r"|message\.key\.columns|converters|signal\..*"
)
_STORE: Final = re.compile(r"MINIO_|ANALYTICS_BUCKET|S3_|AWS_")
_NOTHING: Final = Value("", Position(""))
_ODOO: Final = re.compile(r"ODOO", re.IGNORECASE)


@dataclass
class Site:
    """The ozone.yaml to be: `data` in the order in which it is written, `notes` by the path of what they are about.

    `left` is what could not be carried over.
    """

    data: dict[str, Any] = field(default_factory=dict)
    notes: dict[tuple[str, ...], str] = field(default_factory=dict)
    left: list[Diagnostic] = field(default_factory=list)

    def leave(self, position: Position, message: str, hint: str = "") -> None:
        """Say that something is not carried over."""
        self.left.append(codes.NotCarriedOver.at(position, message, hint=hint))


class Deciding:
    """Decides about one folder; what it took is remembered, so that all else can be named."""

    def __init__(self, folder: Folder, *, central: bool) -> None:
        self._folder = folder
        self._central = central
        self._taken: set[str] = set()
        self.site = Site()

    def decide(self, identity: str, name: str) -> Site:
        """The site of a folder."""
        site = self.site
        site.data = {"version": 1, "site": self._site(identity, name)}
        if not self._central:
            site.data["sources"] = {"openmrs": self._source()}
        site.data["sink"] = self._sink()
        site.data["flattening"] = self._flattening()
        parts: list[tuple[str, dict[str, Any]]] = [
            ("components", self._components()),
            ("ports", self._ports()),
            ("memory", self._memory()),
        ]
        site.data.update({key: value for key, value in parts if value})
        self._leave_secrets()
        self._leave_services()
        self._leave_connectors()
        self._leave_variables()
        return site

    # --- values

    def _value(self, *names: str) -> Value | None:
        """The first of these variables that has a value, in the environment of Connect or of a file."""
        connect = self._folder.services.get("connect")
        self._taken.update(names)
        for name in names:
            for value in (connect.environment.get(name) if connect else None, self._folder.variables.get(name)):
                if value is None:
                    continue
                text = self._folder.resolved(value.text)
                if text and "${" not in text:
                    return Value(text, value.position)
        return None

    def _connector(self) -> Connector | None:
        found = [each for each in self._folder.connectors if each.kind in ("MySqlConnector", "MariaDbConnector")]
        # An example may lie beside; the one in use refers to the environment that Compose gives to Connect.
        found.sort(key=lambda each: not provided(each.settings.get("database.hostname", _NOTHING).text))
        return found[0] if found else None

    def _setting(self, key: str, *names: str) -> Value | None:
        """A setting of the connector, literal or by Connect's environment; else the first of these variables."""
        connector = self._connector()
        value = connector.settings.get(key) if connector else None
        if value is not None and "${" not in value.text:
            self._taken.update(names)
            return value
        return self._value(*([provided(value.text)] if value is not None and provided(value.text) else []), *names)

    # --- site, source, sink

    def _site(self, identity: str, name: str) -> dict[str, Any]:
        zone = self._value("TZ")
        return {"id": identity, "name": name, **({"timezone": zone.text} if zone else {})}

    def _source(self) -> dict[str, Any]:
        host = self._setting("database.hostname", "CONNECT_MYSQL_HOSTNAME", "OPENMRS_DB_HOST")
        port = self._setting("database.port", "CONNECT_MYSQL_PORT", "OPENMRS_DB_PORT")
        names = ("CONNECT_MYSQL_INCLUDE_LIST", "OPENMRS_DB_NAME", "MYSQL_DATABASE")
        database = self._setting("database.include.list", *names)
        user = self._setting("database.user", "CONNECT_MYSQL_USER", "CONNECT_MYSQL_USERNAME")
        source: dict[str, Any] = {"type": "openmrs", "engine": self._engine(), "platform": PLATFORM}
        self.site.notes["sources", "openmrs", "platform"] = "say which version of the OpenMRS platform it is"
        if self._has_appointments():
            source["modules"] = ["appointments"]
        source["host"] = self._host(host)
        if port and port.text.isdigit() and port.text != "3306":
            source["port"] = int(port.text)
        if database and re.fullmatch(DATABASE_PATTERN, database.text.split(",")[0]):
            source["database"] = database.text.split(",")[0]
        if user and re.fullmatch(USERNAME_PATTERN, user.text):
            source["username"] = user.text
            if user.text == "root":
                hint = "make one that may SELECT, RELOAD and replicate, and name it as `username`"
                self.site.leave(user.position, "the connector reads as `root`, which is carried over", hint)
        source["password"] = "${OPENMRS_DB_PASSWORD}"
        server = self._setting("database.server.id", "CONNECT_MYSQL_SERVER_ID")
        if server:
            hint = "ozone-gen derives another from the site's id, so that old and new site can run side by side"
            self.site.leave(server.position, f"the replica's id {server.text} is not carried over", hint)
        return source

    def _engine(self) -> str:
        service = next((self._folder.services[name] for name in _DATABASES if name in self._folder.services), None)
        if service and service.image:
            image = self._folder.resolved(service.image.text)
            return "mariadb" if "mariadb" in image else "mysql"
        connector = self._connector()
        if connector and connector.kind == "MySqlConnector":
            note = "or mysql: the former connector reads both"
            self.site.notes["sources", "openmrs", "engine"] = note
        return "mariadb"

    def _host(self, host: Value | None) -> str:
        reference = "${OPENMRS_DB_HOST}"
        if host is None:
            return reference
        bundled = self._folder.services.get(host.text)
        if bundled is not None:
            hint = "it goes on as it is: set OPENMRS_DB_HOST in .env to where containers of another project reach it"
            message = f"the service `{host.text}`, which is OpenMRS' own database, is not part of an analytics site"
            self.site.leave(bundled.position, message, hint)
            return reference
        if _LOCAL.fullmatch(host.text) or not re.fullmatch(HOST_PATTERN, host.text) or host.text == "mysql":
            hint = "set OPENMRS_DB_HOST in .env to an address by which other machines reach the database"
            self.site.leave(host.position, f"the host `{host.text}` is not carried over", hint)
            return reference
        return host.text

    def _has_appointments(self) -> bool:
        topics = self._value("CREATE_TOPICS", "TOPICS")
        return "appointments" in self._folder.queries or bool(topics and "patient_appointment" in topics.text)

    def _sink(self) -> dict[str, Any]:
        sink: dict[str, Any] = {"type": "postgresql"}
        host, port = self._value("ANALYTICS_DB_HOST"), self._value("ANALYTICS_DB_PORT")
        service = self._folder.services.get("postgresql")
        if service is not None and (host is None or host.text == "postgresql"):
            sink["host"] = "postgresql"
            hint = "the tables are filled anew; copy what else is in it, above all Superset's database"
            self.site.leave(service.position, "the volume of `postgresql` is not carried over", hint)
        elif host and re.fullmatch(HOST_PATTERN, host.text) and not _LOCAL.fullmatch(host.text):
            sink["host"] = host.text
            if host.text == "postgresql":
                sink["host"] = "${ANALYTICS_DB_HOST}"
            if port and port.text.isdigit() and port.text != "5432":
                sink["port"] = int(port.text)
        else:
            sink["host"] = "${ANALYTICS_DB_HOST}"
            if host:
                hint = "set ANALYTICS_DB_HOST in .env to an address by which other machines reach the database"
                self.site.leave(host.position, f"the host `{host.text}` is not carried over", hint)
        for key, name, pattern in (
            ("database", "ANALYTICS_DB_NAME", DATABASE_PATTERN),
            ("username", "ANALYTICS_DB_USER", USERNAME_PATTERN),
        ):
            value = self._value(name)
            if value and re.fullmatch(pattern, value.text):
                sink[key] = value.text
        sink["password"] = "${ANALYTICS_DB_PASSWORD}"
        return sink

    # --- tables

    def _flattening(self) -> dict[str, Any]:
        queries = self._folder.queries
        core = [name for name in CORE_TABLES if name in queries]
        for name, file in queries.items():
            if name not in CORE_TABLES:
                hint = "write it as a table under `flattening.tables`, or as a view over the core tables"
                self.site.leave(Position(str(file), 1, 1), f"the query that fills `{name}` is not carried over", hint)
        found: dict[str, Any] = {"core": core or "all"}
        if not core:
            self.site.notes["flattening", "core"] = "no queries are in the folder: say which tables are needed"
        parallelism = self._value("TASK_PARALLELISM")
        if parallelism and parallelism.text.isdigit() and 1 < int(parallelism.text) <= 64:
            found["parallelism"] = int(parallelism.text)
        if any("rocksdb" in value.text for value in self._flink_texts()):
            found["state"] = "disk"
        return found

    def _flink_texts(self) -> Iterator[Value]:
        for name in ("jobmanager", "taskmanager"):
            service = self._folder.services.get(name)
            yield from service.environment.values() if service else ()

    # --- components, ports, memory

    def _components(self) -> dict[str, Any]:
        services = self._folder.services
        present = {_PARTS.get(name, "") for name in services}
        found: dict[str, Any] = {}
        if not self._central and "high_availability" in present:
            found["high_availability"] = {"type": "zookeeper"}
        if not self._central and "kafka_ui" in present:
            found["kafka_ui"] = {}
        if "superset" in services:
            found["superset"] = self._superset(services["superset"])
        if self._central:
            if "object_store" in present:
                found["object_store"] = self._object_store()
            if "drill" in present:
                found["drill"] = {}
        elif "parquet_export" in present:
            tag = self._value("EXPORT_OUTPUT_TAG")
            valid = tag and re.fullmatch(SITE_ID_PATTERN, tag.text)
            found["parquet_export"] = {"location_tag": tag.text} if tag and valid else {}
        return found

    def _superset(self, service: Service) -> dict[str, Any]:
        found: dict[str, Any] = {}
        user = self._value("SUPERSET_ADMIN_USERNAME", "ADMIN_USERNAME")
        if user and user.text != "admin" and re.fullmatch(USERNAME_PATTERN, user.text):
            found["admin_username"] = user.text
        found["admin_password"] = "${SUPERSET_ADMIN_PASSWORD}"
        database = self._value("SUPERSET_DB")
        if database and database.text != "superset" and re.fullmatch(DATABASE_PATTERN, database.text):
            found["database"] = database.text
        if "websecure" in service.labels:
            found["https"] = True
        return found

    def _object_store(self) -> dict[str, Any]:
        found: dict[str, Any] = {"type": "seaweedfs" if "seaweedfs" in self._folder.services else "minio"}
        bucket = self._value("ANALYTICS_BUCKET", "BUCKET")
        if bucket and bucket.text != "analytics" and re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", bucket.text):
            found["bucket"] = bucket.text
        return found

    def _ports(self) -> dict[str, Any]:
        """Published ports that differ from the usual ones. Where the original publishes none, the usual ones stay."""
        found: dict[str, Any] = {}
        reachable: Value | None = None
        for name, part, inner in _PORTS:
            service = self._folder.services.get(name)
            if (part in _CENTRAL) != self._central and part not in ("superset", "postgresql"):
                continue
            for port in service.ports if service else ():
                address, outer, target = _port(self._folder.resolved(port.text))
                if target != inner or not outer.isdigit() or not 0 < int(outer) < 65536:
                    continue
                if not address.startswith("127."):
                    reachable = reachable or port
                if int(outer) != PUBLISHED_PORTS[part]:
                    found[part] = int(outer)
        if reachable:
            hint = "where they have to, set `ports.bind_address`, behind a firewall"
            message = "ports were open for other machines; the new site's are reached from its own machine alone"
            self.site.leave(reachable.position, message, hint)
        return found

    def _memory(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self._central:
            return found
        for part, names in (
            ("jobmanager", ("JOB_MANAGER_PROCESS_MEMORY",)),
            ("taskmanager", ("TASK_MANAGER_PROCESS_MEMORY", "TOTAL_PROCESS_MEMORY")),
        ):
            value = self._value(*names)
            if value and re.fullmatch(MEMORY_PATTERN, value.text):
                found[part] = value.text
            elif value:
                self.site.leave(value.position, f"the memory `{value.text}` is not carried over")
        return found

    # --- what is left

    def _leave_secrets(self) -> None:
        for name, value in self._folder.variables.items():
            if not value.text or name not in _SECRETS:
                continue
            self._taken.add(name)
            hint = f"write its value as {_SECRETS[name]} into .env beside the rendered files"
            self.site.leave(value.position, f"the value of {name} is a secret, and is not copied", hint)

    def _leave_services(self) -> None:
        for name, service in self._folder.services.items():
            part = _PARTS.get(name)
            if part is None:
                self.site.leave(service.position, f"the service `{name}` is no part of a rendered site")
            elif part in _CENTRAL and not self._central:
                hint = "import the folder once more with --central for the server that reads the exports"
                self.site.leave(service.position, f"the service `{name}` belongs to a central server", hint)
            elif service.image is not None and part:
                image = self._folder.resolved(service.image.text)
                if "mekomsolutions/" in image:
                    hint = "the rendered site builds its own; what was added to this image has to be added there"
                    self.site.leave(service.image.position, f"the image {image} of `{name}` is not used", hint)

    def _leave_connectors(self) -> None:
        own = self._connector()
        for connector in self._folder.connectors:
            if connector.kind not in ("MySqlConnector", "MariaDbConnector"):
                message = f"a {connector.kind} reads a source that ozone-gen does not read"
                self.site.leave(connector.position, message, "keep it in a Connect of its own")
            elif connector is not own:
                self.site.leave(connector.position, "a second connector to OpenMRS: the first one was taken")
            else:
                for key, value in connector.settings.items():
                    if _OWN_SETTINGS.fullmatch(key):
                        hint = "ozone-gen decides by itself what is read, and how"
                        self.site.leave(value.position, f"the setting {key} is not carried over", hint)

    def _leave_variables(self) -> None:
        for name, value in self._folder.variables.items():
            if not value.text or name in self._taken or _DECIDED.fullmatch(name):
                continue
            if _ODOO.search(name):
                self.site.leave(value.position, f"{name} is about Odoo, which ozone-gen does not read")
            elif _STORE.match(name) and not self._central:
                self.site.leave(value.position, f"{name} is about the object store of a central server")
            elif _SECRET.search(name):
                self.site.leave(value.position, f"the value of {name} is a secret that the new site does not need")
            else:
                self.site.leave(value.position, f"{name} has no place in ozone.yaml")


_PORTS: Final = (
    ("postgresql", "postgresql", "5432"),
    ("connect", "connect", "8083"),
    ("jobmanager", "flink", "8081"),
    ("kowl", "kafka_ui", "8080"),
    ("redpanda-console", "kafka_ui", "8080"),
    ("kafka-ui", "kafka_ui", "8080"),
    ("superset", "superset", "8088"),
    ("drill", "drill", "8047"),
)
"""Service, part, and the port inside of the container."""


def id_of_folder(folder: Path) -> str:
    """The id of a site that has none: its folder's name, as far as that can be one."""
    return site_id_of(folder.resolve().name) or "site"


def _port(text: str) -> tuple[str, str, str]:
    """Address, port of the host and port of the container: `127.0.0.1:8084:8081/tcp`."""
    parts = text.partition("/")[0].split(":")
    if len(parts) == 1:
        return "", "", parts[0]
    return ":".join(parts[:-2]), parts[-2], parts[-1]


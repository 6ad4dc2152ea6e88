"""Kafka Connect with Debezium, and the step that registers the connector and watches it."""

from __future__ import annotations

from typing import Any

from ozone_gen.components import compose
from ozone_gen.components.base import Address, ComposeFile, Contribution
from ozone_gen.plan import SitePlan, SourcePlan
from ozone_gen.render.emit import json_bytes
from ozone_gen.render.text import render_text
from ozone_gen.render.tree import File

_CLASSES = {
    "mariadb": "io.debezium.connector.mariadb.MariaDbConnector",
    "mysql": "io.debezium.connector.mysql.MySqlConnector",
}


class Connect:
    """The services `connect` and `connect-setup`."""

    name = "connect"
    options = None

    def contribute(self, plan: SitePlan) -> Contribution:
        """Add the worker, the connector of the source and the step that registers it."""
        if not plan.sources:
            return Contribution()
        source = plan.source
        worker = {
            **compose.running(plan, "connect"),
            "entrypoint": [
                "/kafka/bin/connect-distributed.sh",
                "/etc/ozone/connect-distributed.properties",
            ],
            "environment": {
                "KAFKA_HEAP_OPTS": "-Xms128m -Xmx320m",
                # One collector thread and the quick compiler: a small machine starts sooner and keeps more memory.
                "KAFKA_JVM_PERFORMANCE_OPTS": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
                "KAFKA_LOG4J_OPTS": "-Dlog4j2.configurationFile=/etc/ozone/log4j2.yaml",
                "LOG_DIR": "/tmp/logs",
                "TZ": "UTC",
                **_credentials(source),
            },
            "volumes": [
                "./connect/connect-distributed.properties:/etc/ozone/connect-distributed.properties:ro",
                "./connect/log4j2.yaml:/etc/ozone/log4j2.yaml:ro",
            ],
            "ports": compose.ports(plan, "connect", 8083),
            "depends_on": {"kafka": compose.HEALTHY},
            "healthcheck": compose.healthcheck("curl -sf -o /dev/null http://127.0.0.1:8083/connectors"),
        }
        setup: dict[str, Any] = {
            **compose.setup_step(plan, "connect-setup", "connect_setup"),
            "restart": "unless-stopped",
            "environment": {"CONNECT_URL": "http://connect:8083", **_credentials(source)},
            "volumes": [
                "./connect/source.json:/etc/ozone/source.json:ro",
                "./connect/connectors:/etc/ozone/connectors:ro",
            ],
            "depends_on": {"connect": compose.HEALTHY, "kafka-setup": compose.DONE},
            "healthcheck": compose.healthcheck("python -m ozone_setup.connect_setup --healthcheck", start=300),
        }
        checked = {
            "engine": source.engine,
            "database": source.database,
            "tables": {table.name: [column.name for column in table.columns] for table in source.tables},
            "server_id": source.server_id,
        }
        return Contribution(
            services={ComposeFile.PIPELINES: {"connect": worker, "connect-setup": setup}},
            files=(
                File(
                    "connect/connect-distributed.properties",
                    render_text("connect/connect-distributed.properties.j2", site=plan.site),
                ),
                File("connect/log4j2.yaml", render_text("connect/log4j2.yaml.j2")),
                File("connect/source.json", json_bytes(checked)),
                File(
                    f"connect/connectors/{source.name}.json",
                    json_bytes({"name": source.name, "config": connector_config(source)}),
                ),
            ),
            addresses=(Address("Kafka Connect", "connect", after="/connectors?expand=status"),),
        )


def _credentials(source: SourcePlan) -> dict[str, str]:
    settings = (source.host, source.port, source.username, source.password)
    return {setting.override: setting.compose for setting in settings}


def connector_config(source: SourcePlan) -> dict[str, str]:
    """Configure Debezium: only the tables and columns that are read, as narrow events in compacted topics.

    Kafka holds a seventeenth of the bytes of full envelopes, and a repeated event does no harm, because only the
    newest of each key counts (bench/event_format). Secrets stay references, which the worker resolves.
    """
    columns = ",".join(
        f"{source.database}\\.{table.name}\\.({'|'.join(column.name for column in table.columns)})"
        for table in source.tables
    )
    config = {
        "connector.class": _CLASSES[source.engine],
        "tasks.max": "1",
        "database.hostname": "${env:CONNECT_MYSQL_HOSTNAME}",
        "database.port": "${env:CONNECT_MYSQL_PORT}",
        "database.user": "${env:CONNECT_MYSQL_USERNAME}",
        "database.password": "${env:CONNECT_MYSQL_PASSWORD}",
        "database.server.id": str(source.server_id),
        "topic.prefix": source.topic_prefix,
        "database.include.list": source.database,
        "table.include.list": ",".join(f"{source.database}\\.{table.name}" for table in source.tables),
        "column.include.list": columns,
        "schema.history.internal.kafka.bootstrap.servers": "kafka:9092",
        "schema.history.internal.kafka.topic": f"schema-history.{source.topic_prefix}",
        "schema.history.internal.store.only.captured.tables.ddl": "true",
        "include.schema.changes": "false",
        "snapshot.mode": "initial",
        "snapshot.fetch.size": "10000",
        "snapshot.locking.mode": "minimal",
        "poll.interval.ms": "100",
        # How soon a source that was away is followed again; the default is a minute.
        "connect.keep.alive.interval.ms": "10000",
        "max.batch.size": "4096",
        "max.queue.size": "16384",
        "decimal.handling.mode": "double",
        # Wall clocks as epoch milliseconds; the default would mix milliseconds and microseconds.
        "time.precision.mode": "connect",
        "tombstones.on.delete": "true",
        "transforms": "unwrap",
        "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
        # With `tombstone` the JSON converter would write the text "null", which Flink cannot read.
        "transforms.unwrap.delete.tombstone.handling.mode": "delete-to-tombstone",
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "key.converter.schemas.enable": "false",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        # Both would otherwise write a column's default where the row holds NULL.
        "value.converter.replace.null.with.default": "false",
        "transforms.unwrap.replace.null.with.default": "false",
        "producer.override.compression.type": "lz4",
        "producer.override.linger.ms": "20",
        "producer.override.batch.size": "131072",
        # kafka-setup makes the topics of the tables; this is for Debezium's own.
        "topic.creation.default.partitions": "1",
        "topic.creation.default.replication.factor": "1",
        "topic.creation.default.cleanup.policy": "compact",
    }
    # MariaDB's driver has no "preferred": it would refuse a server without TLS.
    config["database.ssl.mode"] = "preferred" if source.engine == "mysql" else "disable"
    return config


component = Connect()

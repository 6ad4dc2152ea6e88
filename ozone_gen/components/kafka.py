"""Kafka (KRaft, one broker) and the step that makes its topics before anything reads them."""

from __future__ import annotations

from typing import Any

from ozone_gen.components import compose
from ozone_gen.components.base import ComposeFile, Contribution
from ozone_gen.plan import SitePlan
from ozone_gen.render.emit import json_bytes
from ozone_gen.render.text import render_text
from ozone_gen.render.tree import File

TOPIC_CONFIG = {
    # The newest event of each row is kept for ever, so that a table can be filled again at any time.
    "cleanup.policy": "compact",
    # A job that was down for longer than this may miss deletes; it has to read everything anew.
    "delete.retention.ms": str(30 * 24 * 3600 * 1000),
    # What a job reads again after a failure has to be all that it read before it: of two changes that make up for each
    # other the sink may hold the first.
    "min.compaction.lag.ms": str(30 * 24 * 3600 * 1000),
    "min.cleanable.dirty.ratio": "0.3",
    "segment.ms": str(24 * 3600 * 1000),
    "compression.type": "producer",
}
"""Settings of a topic that holds the rows of a source table."""


class Kafka:
    """The services `kafka` and `kafka-setup`."""

    name = "kafka"
    options = None

    def contribute(self, plan: SitePlan) -> Contribution:
        """Add the broker and its topics, one for each source table that the SQL reads."""
        if not plan.sources:
            return Contribution()
        broker = {
            **compose.running(plan, "kafka"),
            "environment": {
                "KAFKA_HEAP_OPTS": "-Xms128m -Xmx256m",
                "KAFKA_JVM_PERFORMANCE_OPTS": "-XX:+UseSerialGC",
                "TZ": "UTC",
            },
            "volumes": [
                "./kafka/server.properties:/mnt/shared/config/server.properties:ro",
                "kafka-data:/var/lib/kafka/data",
            ],
            # The tools that ask a broker start a Java machine each time; a port that answers says as much here.
            "healthcheck": compose.healthcheck("bash -c 'exec 3<>/dev/tcp/127.0.0.1/9092'"),
        }
        setup: dict[str, Any] = {
            **compose.setup_step(plan, "kafka-setup", "kafka_setup"),
            "environment": {"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"},
            "volumes": ["./kafka/topics.json:/etc/ozone/topics.json:ro"],
            "depends_on": {"kafka": compose.HEALTHY},
        }
        topics = [
            {
                "name": plan.source.topic(table.name),
                "partitions": plan.parallelism,
                "replication_factor": 1,
                "config": TOPIC_CONFIG,
            }
            for table in plan.source.tables
        ]
        return Contribution(
            services={ComposeFile.PIPELINES: {"kafka": broker, "kafka-setup": setup}},
            volumes={ComposeFile.PIPELINES: ("kafka-data",)},
            files=(
                File("kafka/server.properties", render_text("kafka/server.properties.j2")),
                File("kafka/topics.json", json_bytes({"topics": topics})),
            ),
        )


component = Kafka()

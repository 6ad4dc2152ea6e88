"""Redpanda Console (once Kowl): shows the topics and the connector in a browser."""

from __future__ import annotations

from ozone_gen.components import compose
from ozone_gen.components.base import Address, ComposeFile, Contribution, Options
from ozone_gen.plan import SitePlan
from ozone_gen.render.emit import yaml_bytes
from ozone_gen.render.tree import File


class KafkaUiOptions(Options):
    """The Kafka UI; there is nothing to choose."""


class KafkaUi:
    """The service `kafka-ui`."""

    name = "kafka_ui"
    options = KafkaUiOptions

    def contribute(self, plan: SitePlan) -> Contribution:
        """Add the service where ozone.yaml asks for it."""
        if self.name not in plan.components or not plan.sources:
            return Contribution()
        # `kafkaConnect` is what Kowl called `connect`.
        settings = {
            "kafka": {"brokers": ["kafka:9092"], "clientId": "kafka-ui"},
            "kafkaConnect": {
                "enabled": True,
                "clusters": [{"name": plan.source.name, "url": "http://connect:8083"}],
            },
            "server": {"listenPort": 8080},
        }
        service = {
            **compose.running(plan, "kafka-ui", image="kafka_ui"),
            "environment": {"CONFIG_FILEPATH": "/etc/ozone/console.yaml"},
            "volumes": ["./kafka-ui/console.yaml:/etc/ozone/console.yaml:ro"],
            "ports": compose.ports(plan, "kafka_ui", 8080),
            "depends_on": {"kafka": compose.HEALTHY, "connect": compose.HEALTHY},
            "healthcheck": compose.healthcheck(
                "wget -q -O /dev/null http://127.0.0.1:8080/admin/health || exit 1"
            ),
        }
        return Contribution(
            services={ComposeFile.PIPELINES: {"kafka-ui": service}},
            files=(File("kafka-ui/console.yaml", yaml_bytes(settings)),),
            addresses=(Address("Redpanda Console, the topics", "kafka_ui"),),
        )


component = KafkaUi()

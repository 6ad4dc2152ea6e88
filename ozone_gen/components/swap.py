"""The service that puts tables which were filled beside in the place of the old ones."""

from __future__ import annotations

from typing import Any

from ozone_gen.components import compose
from ozone_gen.components.base import ComposeFile, Contribution
from ozone_gen.components.migrate import sink_environment
from ozone_gen.plan import SitePlan


class Swap:
    """The service `swap`."""

    name = "swap"
    options = None

    def contribute(self, plan: SitePlan) -> Contribution:
        """Add the service, which looks at what `migrate` began and the job fills."""
        if not plan.sources:
            return Contribution()
        service: dict[str, Any] = {
            **compose.setup_step(plan, "swap", "swap"),
            "restart": "unless-stopped",
            "environment": {
                "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
                "CONNECT_URL": "http://connect:8083",
                "FLINK_URL": "http://jobmanager:8081",
                "FLINK_DATA": "/flink-data",
                **sink_environment(plan),
            },
            "volumes": [
                "./postgresql/tables.json:/etc/ozone/tables.json:ro",
                "./kafka/topics.json:/etc/ozone/topics.json:ro",
                "./connect/connectors:/etc/ozone/connectors:ro",
                "flink-data:/flink-data:ro",
            ],
            "depends_on": {"migrate": compose.DONE},
            # The program touches the file at each look that finds nothing in the way; starting Python would be dear.
            "healthcheck": compose.healthcheck(
                "test -n \"$$(find /tmp/healthy -newermt '30 seconds ago')\"", start=300
            ),
        }
        return Contribution(services={ComposeFile.PIPELINES: {"swap": service}})


component = Swap()

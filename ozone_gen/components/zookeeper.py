"""ZooKeeper: remembers Flink's leader and checkpoints, so that a killed job manager goes on where it was."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ozone_gen.components import compose
from ozone_gen.components.base import ComposeFile, Contribution, Options
from ozone_gen.plan import SitePlan
from ozone_gen.render.text import render_text
from ozone_gen.render.tree import File


class HighAvailability(Options):
    """High availability of the Flink job."""

    type: Literal["zookeeper"] = Field(default="zookeeper", description="What keeps the job's state.")


class ZooKeeper:
    """The service `zookeeper`."""

    name = "high_availability"
    options = HighAvailability

    def contribute(self, plan: SitePlan) -> Contribution:
        """Add the service where ozone.yaml asks for high availability."""
        if self.name not in plan.components:
            return Contribution()
        service = {
            **compose.running(plan, "zookeeper"),
            "volumes": [
                "./zookeeper/zoo.cfg:/conf/zoo.cfg:ro",
                "zookeeper-data:/data",
                "zookeeper-log:/datalog",
            ],
            "environment": {"SERVER_JVMFLAGS": "-Xms48m -Xmx96m", "ZK_SERVER_HEAP": "96"},
            "healthcheck": compose.healthcheck("echo ruok | nc -w 2 127.0.0.1 2181 | grep -q imok"),
        }
        return Contribution(
            services={ComposeFile.PIPELINES: {"zookeeper": service}},
            volumes={ComposeFile.PIPELINES: ("zookeeper-data", "zookeeper-log")},
            files=(File("zookeeper/zoo.cfg", render_text("zookeeper/zoo.cfg.j2")),),
        )


component = ZooKeeper()

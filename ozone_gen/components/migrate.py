"""The step that makes and evolves the sink's tables before Flink writes into them."""

from __future__ import annotations

from typing import Any

from ozone_gen.components import compose
from ozone_gen.components.base import ComposeFile, Contribution
from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.plan import SitePlan
from ozone_gen.render.emit import json_bytes
from ozone_gen.render.tree import File


class Migrate:
    """The service `migrate`."""

    name = "migrate"
    options = None

    def contribute(self, plan: SitePlan) -> Contribution:
        """Add the step and the tables as it should find or make them."""
        if not plan.sources:
            return Contribution()
        service: dict[str, Any] = {
            **compose.setup_step(plan, "migrate", "migrate"),
            # It owns the folder that Flink's user writes into.
            "user": "root",
            "environment": {
                "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
                "FLINK_URL": "http://jobmanager:8081",
                "FLINK_DATA": "/flink-data",
                **sink_environment(plan),
            },
            "volumes": [
                "./postgresql/tables.json:/etc/ozone/tables.json:ro",
                # New topics (a wiped Kafka) make what Flink remembers of the old ones worthless.
                "./kafka/topics.json:/etc/ozone/topics.json:ro",
                "flink-data:/flink-data",
            ],
            # It waits for the sink by itself, which may be in no file that is started.
            "depends_on": {"kafka-setup": compose.DONE},
        }
        tables = {
            "site": plan.site.id,
            "fingerprint": plan.fingerprint,
            "schema": plan.sink.schema,
            "tables": [table_definition(table) for table in plan.tables],
        }
        return Contribution(
            services={ComposeFile.PIPELINES: {"migrate": service}},
            volumes={ComposeFile.PIPELINES: ("flink-data",)},
            files=(File("postgresql/tables.json", json_bytes(tables)),),
        )


def sink_environment(plan: SitePlan) -> dict[str, str]:
    """The variables by which a service finds the sink."""
    sink = plan.sink
    settings = (sink.host, sink.port, sink.database, sink.username, sink.password)
    return {setting.override: setting.compose for setting in settings}


def table_definition(table: FlattenedTable) -> dict[str, Any]:
    """Describe a flattened table for `migrate`: columns, key, comments and the index that charts need."""
    return {
        "name": table.name,
        **({"renamed_from": table.renamed_from} if table.renamed_from else {}),
        "comment": table.description,
        "columns": [
            {
                "name": column.name,
                "type": column.type.value,
                "nullable": column.name != table.primary_key,
                "comment": column.description,
                **({"renamed_from": column.renamed_from} if column.renamed_from else {}),
            }
            for column in table.columns
        ],
        "primary_key": [table.primary_key],
        "indexes": [[table.time_column]] if table.time_column else [],
    }


component = Migrate()

"""The export of the flattened tables as Parquet files, which are carried or uploaded to a central server."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, Strict

from ozone_gen.components import compose
from ozone_gen.components.base import ComposeFile, Contribution, Options
from ozone_gen.components.flink import COMPILER, JAVA_OPTIONS
from ozone_gen.components.migrate import sink_environment
from ozone_gen.flattening.table import FLINK_TYPES, FlattenedTable
from ozone_gen.plan import SitePlan, Variable
from ozone_gen.render.emit import json_bytes, yaml_bytes
from ozone_gen.render.text import render_text
from ozone_gen.render.tree import File
from ozone_gen.resources import flink_jobs
from ozone_gen.values import SITE_ID_PATTERN, Name, Optional

FOLDER = "parquet"
"""Where the files are, in the site's folder."""

MAY_SHRINK = Variable(
    "PARQUET_EXPORT_MAY_SHRINK",
    "`yes` lets an export replace one whose tables had more than twice as many rows",
    required=False,
)

_PROGRAMS = ("__init__", "export", "export_folder", "export_plan", "flatten", "parquet_footer", "sink_parts")

FLINK_CONFIG = {"env.java.opts.all": JAVA_OPTIONS, "rest.bind-address": "127.0.0.1"}
"""Flink's config.yaml. The whole job runs in one Java machine."""


class ParquetExportOptions(Options):
    """Export of the flattened tables as Parquet files."""

    location_tag: Optional[Annotated[str, Field(pattern=SITE_ID_PATTERN)]] = Field(
        default=None,
        description="Names the site in the paths of the files, unique among your sites. Left out: the site's id.",
    )
    tables: Optional[Annotated[tuple[Name, ...], Strict(False), Field(min_length=1)]] = Field(
        default=None, description="The flattened tables to export; every one when left out."
    )
    keep: Annotated[int, Field(ge=1, le=366)] = Field(
        default=7, description="How many exports stay in the folder; what has not changed is stored once."
    )


class ParquetExport:
    """The service `parquet-export`, which runs on demand and ends."""

    name = "parquet_export"
    options = ParquetExportOptions

    def contribute(self, plan: SitePlan) -> Contribution:
        """Add the service where ozone.yaml asks for it."""
        options = plan.components.get(self.name)
        if not isinstance(options, ParquetExportOptions):
            return Contribution()
        service: dict[str, Any] = {
            "image": f"ozone-gen/{plan.site.id}-export",
            "build": {
                "context": "./export",
                "args": {
                    "BASE_IMAGE": plan.images["flink"],
                    "MAVEN_IMAGE": plan.images["maven"],
                    "PYTHON_IMAGE": plan.images["python"],
                },
            },
            "restart": "no",
            "mem_limit": f"{plan.memory['parquet-export']}m",
            # It writes into a folder of the host, which Docker makes as root.
            "user": "root",
            "entrypoint": ["python3", "-m", "flink_jobs.export"],
            "command": ["--plan", "/opt/ozone/export.json", "--folder", f"/{FOLDER}"],
            "environment": {
                **sink_environment(plan),
                MAY_SHRINK.name: f"${{{MAY_SHRINK.name}:-}}",
                "MALLOC_ARENA_MAX": "2",
                "PYTHONDONTWRITEBYTECODE": "1",
                "JVM_ARGS": f"-Xmx{plan.memory['parquet-export'] // 2}m {COMPILER}",
                "TZ": "UTC",
            },
            "volumes": [
                "./export/export.json:/opt/ozone/export.json:ro",
                "./export/flink_jobs:/opt/ozone/flink_jobs:ro",
                "./export/config.yaml:/opt/flink/conf/config.yaml:ro",
                f"./{FOLDER}:/{FOLDER}",
            ],
            "depends_on": {
                # A site that does not run yet is started: the first export waits until its tables are filled.
                "connect-setup": compose.tolerant(compose.HEALTHY),
                "jobmanager": compose.tolerant(compose.HEALTHY),
            },
        }
        return Contribution(
            services={ComposeFile.EXPORT: {"parquet-export": service}},
            files=(
                File("export/Dockerfile", render_text("export/Dockerfile.j2")),
                File("export/pom.xml", render_text("export/pom.xml.j2")),
                File("export/config.yaml", yaml_bytes(FLINK_CONFIG)),
                File("export/export.json", json_bytes(export_document(plan, options))),
                *(
                    File(f"export/flink_jobs/{name}.py", (flink_jobs() / f"{name}.py").read_bytes())
                    for name in _PROGRAMS
                ),
            ),
            variables=(MAY_SHRINK,),
            notes=(_notes(plan, options),),
        )


def _notes(plan: SitePlan, options: ParquetExportOptions) -> str:
    bundled = plan.sink.bundled or plan.source.demo is not None
    running = [*((ComposeFile.DATABASES,) if bundled else ()), ComposeFile.PIPELINES]
    return render_text(
        "export/notes.md.j2",
        files=" ".join(f"-f {name}" for name in running),
        tag=options.location_tag or plan.site.id,
        everything=options.tables is None,
        tables=options.tables or (),
        keep=options.keep,
    ).decode()


def export_document(plan: SitePlan, options: ParquetExportOptions) -> dict[str, Any]:
    """Describe the export for flink_jobs/export.py; its schema is schemas/export.schema.json."""
    tables = [table for table in plan.tables if options.tables is None or table.name in options.tables]
    return {
        "version": 1,
        "site": plan.site.id,
        "location_tag": options.location_tag or plan.site.id,
        "schema": plan.sink.schema,
        "keep": options.keep,
        "tables": [_table(table) for table in tables],
    }


def _table(table: FlattenedTable) -> dict[str, Any]:
    return {
        "name": table.name,
        "primary_key": table.primary_key,
        "columns": [
            {"name": column.name, "type": column.type.value, "flink_type": FLINK_TYPES[column.type]}
            for column in table.columns
        ],
    }


component = ParquetExport()

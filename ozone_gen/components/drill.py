"""Drill: SQL over the exports of all sites in the object store."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, Strict

from ozone_gen.components import compose
from ozone_gen.components.base import Address, ComposeFile, Contribution, Options
from ozone_gen.components.object_store import SERVICE, Store, store_of
from ozone_gen.plan import SitePlan
from ozone_gen.render.emit import json_bytes
from ozone_gen.render.text import render_text
from ozone_gen.render.tree import File
from ozone_gen.resources import templates
from ozone_gen.values import SITE_ID_PATTERN, Optional


class DrillOptions(Options):
    """SQL over the exports of all sites."""

    sites: Optional[
        Annotated[
            tuple[Annotated[str, Field(pattern=SITE_ID_PATTERN)], ...], Strict(False), Field(min_length=1)
        ]
    ] = Field(default=None, description="The location tags of the sites that are shown; left out: all that upload.")


class Drill:
    """The services `drill`, `drill-zookeeper` and `drill-setup`."""

    name = "drill"
    options = DrillOptions

    def contribute(self, plan: SitePlan) -> Contribution:
        """Add Drill with the object store as its storage, and the step that keeps its views up to date."""
        options, store = plan.components.get(self.name), store_of(plan)
        if not isinstance(options, DrillOptions) or store is None:
            return Contribution()
        services = {
            "drill-zookeeper": _zookeeper(plan),
            "drill": _drill(plan, store),
            "drill-setup": _setup(plan, store),
        }
        return Contribution(
            services={ComposeFile.DRILL: services},
            volumes={ComposeFile.DRILL: ("drill-zookeeper-data", "drill-zookeeper-log")},
            files=(
                File("drill/drill-override.conf", render_text("drill/drill-override.conf.j2", site=plan.site)),
                File(
                    "drill/storage-plugins-override.conf",
                    json_bytes({"storage": {"s3": storage(store)}}),
                ),
                File("drill/no-defaults.xml", render_text("drill/no-defaults.xml")),
                File("drill/zoo.cfg", render_text("zookeeper/zoo.cfg.j2")),
                File("drill/tables.json", json_bytes(shown_tables(plan, options))),
            ),
            addresses=(Address("Drill", "drill"),),
            notes=(render_text("drill/notes.md.j2", plan=plan, bucket=store.bucket).decode(),),
            packages=(templates() / "drill" / "requirements.txt").read_bytes(),
        )


def _zookeeper(plan: SitePlan) -> dict[str, Any]:
    return {
        **compose.running(plan, "drill-zookeeper", image="zookeeper"),
        "volumes": [
            "./drill/zoo.cfg:/conf/zoo.cfg:ro",
            "drill-zookeeper-data:/data",
            "drill-zookeeper-log:/datalog",
        ],
        "environment": {"SERVER_JVMFLAGS": "-Xms32m -Xmx64m", "ZK_SERVER_HEAP": "64"},
        "healthcheck": compose.healthcheck("echo ruok | nc -w 2 127.0.0.1 2181 | grep -q imok"),
    }


def _drill(plan: SitePlan, store: Store) -> dict[str, Any]:
    memory = plan.memory["drill"]
    return {
        **compose.running(plan, "drill"),
        "entrypoint": ["/opt/drill/bin/drillbit.sh", "run"],
        "environment": {
            # What the SDK of the S3 file system looks for by itself; a key in a storage plugin is shown in its page.
            "AWS_ACCESS_KEY_ID": store.key("READ"),
            "AWS_SECRET_ACCESS_KEY": store.secret("READ"),
            # A third for the heap, half for the vectors beside it, the rest for Java itself.
            "DRILL_HEAP": f"{memory // 3}M",
            "DRILL_MAX_DIRECT_MEMORY": f"{memory // 2}M",
            # Otherwise every listing of a folder searches all jars for a parser of its XML.
            "DRILL_JAVA_OPTS": "-Dorg.xml.sax.driver=com.sun.org.apache.xerces.internal.parsers.SAXParser",
            "TZ": "UTC",
        },
        "volumes": [
            "./drill/drill-override.conf:/opt/drill/conf/drill-override.conf:ro",
            "./drill/storage-plugins-override.conf:/opt/drill/conf/storage-plugins-override.conf:ro",
            *(f"./drill/no-defaults.xml:/opt/drill/conf/{name}-default.xml:ro" for name in ("mapred", "yarn")),
        ],
        "ports": compose.ports(plan, "drill", 8047),
        "depends_on": {
            "drill-zookeeper": compose.HEALTHY,
            "object-store-setup": compose.DONE,
        },
        "healthcheck": compose.healthcheck(
            "curl -sf -o /dev/null http://127.0.0.1:8047/status", start=300
        ),
    }


def _setup(plan: SitePlan, store: Store) -> dict[str, Any]:
    return {
        **compose.setup_step(plan, "drill-setup", "drill_setup"),
        "restart": "unless-stopped",
        "environment": store.environment("ROOT"),
        "volumes": ["./drill/tables.json:/etc/ozone/drill-tables.json:ro"],
        "depends_on": {
            **({SERVICE: compose.HEALTHY} if store.bundled else {}),
            "object-store-setup": compose.DONE,
        },
        # The program touches the file at each look that it could finish; starting Python would be dear.
        "healthcheck": compose.healthcheck(
            "test -n \"$$(find /tmp/healthy -newermt '90 seconds ago')\"", start=300
        ),
    }


def storage(store: Store) -> dict[str, Any]:
    """Configure the storage plugin `s3`: `root` holds the views that people query, the others what is below them."""

    def workspace(location: str, format_: str | None) -> dict[str, Any]:
        return {
            "location": location,
            "writable": False,
            "defaultInputFormat": format_,
            "allowAccessOutsideWorkspace": False,
        }

    return {
        "type": "file",
        "enabled": True,
        "connection": f"s3a://{store.bucket}",
        "config": {
            "fs.s3a.endpoint": store.url,
            "fs.s3a.endpoint.region": store.region,
            "fs.s3a.path.style.access": "true",
            "fs.s3a.connection.ssl.enabled": "true" if store.url.startswith("https://") else "false",
            "fs.s3a.connection.maximum": "64",
            # Columns are read here and there in a file; the usual policy reads on from where it begins.
            "fs.s3a.experimental.input.fadvise": "random",
            # The least that a request asks for. Most of a megabyte would be dropped, as columns of a row group are
            # smaller; with 64 KiB columns whose pages are a little larger take twice as many requests.
            "fs.s3a.readahead.range": "256K",
        },
        "workspaces": {
            "root": workspace("/views", None),
            "files": workspace("/parquet", "parquet"),
            "merged": workspace("/merged", "parquet"),
        },
        "formats": {"parquet": {"type": "parquet"}},
    }


def shown_tables(plan: SitePlan, options: DrillOptions) -> dict[str, Any]:
    """Describe the views for drill_setup.py: the sites and the tables; an empty list stands for all there are.

    A view is there, and has its columns with their types, also before the first site has uploaded.
    """
    return {
        "sites": list(options.sites or ()),
        "tables": [
            {
                "name": table.name,
                "columns": [{"name": column.name, "type": column.type.value} for column in table.columns],
            }
            for table in plan.tables
        ],
    }


component = Drill()

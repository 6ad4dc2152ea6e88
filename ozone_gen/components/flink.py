"""The Flink cluster: one application that flattens, a job manager and a task manager."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ozone_gen.components import compose
from ozone_gen.components.base import Address, ComposeFile, Contribution
from ozone_gen.components.migrate import sink_environment
from ozone_gen.flattening.columns_read import columns_read
from ozone_gen.flattening.flink import Connectors, Options, source_sql, table_sql
from ozone_gen.flattening.job import StateStore, job_document
from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.openmrs.tables import Table
from ozone_gen.plan import SitePlan
from ozone_gen.render.emit import json_bytes, yaml_bytes
from ozone_gen.render.text import render_text
from ozone_gen.render.tree import File
from ozone_gen.resources import flink_jobs

SETTINGS = {
    "table.local-time-zone": "UTC",
    # Every change is worked on by itself. Small batches would be less work, but changes that make up for each other
    # in one batch are never sent on: after a failure the job reads them again, in other batches than before, and the
    # sink would keep what the failed run had told it between them (docs/architecture.md).
    "table.exec.mini-batch.enabled": "false",
    "pipeline.object-reuse": "true",
    # Equal subqueries of several tables are planned and run once, and each topic is normalised once.
    "table.optimizer.reuse-optimize-block-with-digest-enabled": "true",
}
"""Settings of every job that the SQL is planned with."""

GENERATION = "OZONE_GENERATION"
"""The variable with the token of the present generation, which start.sh takes from Flink's volume."""

_OPENED = (
    *("lang", "lang.reflect", "net", "io", "nio", "text", "time", "util"),
    *("util.concurrent", "util.concurrent.atomic", "util.concurrent.locks"),
)
JAVA_OPTIONS = " ".join(
    [
        "-Duser.timezone=UTC",
        "-XX:+UseSerialGC",
        # What Flink reflects into; its own conf/config.yaml, which the mounted file replaces, opens the same.
        "--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED",
        "--add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
        "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
        *(f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in _OPENED),
    ]
)

COMPILER = " ".join(
    [
        # At first nearly all is the start of Flink, in which the thorough compiler only costs. So it gets what runs ten
        # times as often as by default: the few methods that every row goes through, where there are many rows. Without
        # it these would take half as long again, with it unrestrained all would pay for it (bench/README.md).
        "-XX:Tier4InvocationThreshold=50000",
        "-XX:Tier4MinInvocationThreshold=6000",
        "-XX:Tier4CompileThreshold=150000",
        "-XX:Tier4BackEdgeThreshold=400000",
    ]
)
"""What a Java machine that works on rows compiles how thoroughly."""

_STATE: Mapping[StateStore, Mapping[str, Any]] = {
    StateStore.MEMORY: {
        "state.backend.type": "hashmap",
        "taskmanager.memory.managed.size": "16m",
        # A checkpoint is all of the state, some 200 bytes for each observation: written every ten seconds it would
        # wear a small disk out. What comes after it is read again from Kafka, and written again, after a failure.
        "execution.checkpointing.interval": "60 s",
        "execution.checkpointing.min-pause": "30 s",
    },
    StateStore.DISK: {
        "state.backend.type": "rocksdb",
        # Only what changed since the last one is written.
        "execution.checkpointing.incremental": True,
        "taskmanager.memory.managed.fraction": 0.4,
        "execution.checkpointing.interval": "10 s",
        "execution.checkpointing.min-pause": "5 s",
    },
}


def job_settings(parallelism: int) -> dict[str, str]:
    """Decide the settings that the SQL of a site is planned with."""
    if parallelism > 1:
        return dict(SETTINGS)
    # What several subtasks make of a row can come to the sink in another order than it was made, an old row behind the
    # new one; so Flink keeps every row once more in front of the sink and puts them in order. With one subtask what
    # was is taken back before what is now is sent, always.
    return {**SETTINGS, "table.exec.sink.upsert-materialize": "NONE"}


class Flink:
    """The services `jobmanager` and `taskmanager`."""

    name = "flink"
    options = None

    def contribute(self, plan: SitePlan) -> Contribution:
        """Add the cluster, its image and the SQL of the flattened tables."""
        if not plan.sources:
            return Contribution()
        available = "high_availability" in plan.components
        jobmanager = {
            **_node(plan, "jobmanager"),
            "ports": compose.ports(plan, "flink", 8081),
            "depends_on": {
                "migrate": compose.DONE,
                # What depends on another service is stopped before it: start.sh has the tasks make a checkpoint then.
                "taskmanager": compose.STARTED,
                **({"zookeeper": compose.HEALTHY} if available else {}),
            },
            "stop_grace_period": "1m",
            "healthcheck": compose.healthcheck("bash /opt/ozone/start.sh healthcheck jobmanager", start=300),
        }
        taskmanager = {
            **_node(plan, "taskmanager"),
            "depends_on": {"migrate": compose.DONE},
            "healthcheck": compose.healthcheck("bash /opt/ozone/start.sh healthcheck taskmanager", start=300),
        }
        connectors = site_connectors(plan)
        sources = columns_read(plan.source.name, plan.source.tables, plan.tables)
        return Contribution(
            services={ComposeFile.PIPELINES: {"jobmanager": jobmanager, "taskmanager": taskmanager}},
            volumes={ComposeFile.PIPELINES: ("flink-data",)},
            files=(
                File("flink/Dockerfile", render_text("flink/Dockerfile.j2")),
                File("flink/pom.xml", render_text("flink/pom.xml.j2")),
                File("flink/start.sh", render_text("flink/start.sh.j2", available=available)),
                File("flink/config.yaml", yaml_bytes(cluster_config(plan))),
                File("flink/log4j-console.properties", render_text("flink/log4j-console.properties.j2")),
                File("flink/jobs/flatten.py", (flink_jobs() / "flatten.py").read_bytes()),
                File("flink/job.json", json_bytes(_job(plan))),
                File("flink/sources.sql", source_sql(plan.source.name, sources, connectors).encode()),
                *(
                    File(f"flink/sql/{table.name}.sql", table_sql(table, connectors).encode())
                    for table in plan.tables
                ),
            ),
            addresses=(Address("Flink, the flattening job", "flink"),),
        )


def site_connectors(plan: SitePlan) -> Connectors:
    """Read compacted Kafka topics, write PostgreSQL; the job puts the sink's address and password in."""
    source, sink = plan.source, plan.sink

    def topic(table: Table) -> Options:
        return {
            "connector": "upsert-kafka",
            "topic": source.topic(table.name),
            "properties.bootstrap.servers": "kafka:9092",
            # Checkpoints commit for it what has arrived in the sink: `swap` waits for that (setup/fill_progress.py).
            "properties.group.id": f"ozone-${{{GENERATION}}}",
            "key.format": "json",
            "value.format": "json",
        }

    def relation(table: FlattenedTable) -> Options:
        def reference(name: str) -> str:
            return f"${{{name}}}"

        address = f"{reference(sink.host.override)}:{reference(sink.port.override)}"
        # A new generation is filled in a schema of its own until `swap` moves its tables (setup/sink_records.py).
        places = f"ozone_next_{reference(GENERATION)},{sink.schema}"
        return {
            "connector": "jdbc",
            "url": f"jdbc:postgresql://{address}/{reference(sink.database.override)}"
            f"?reWriteBatchedInserts=true&currentSchema={places}",
            # The connector writes it into its statements as it is.
            "table-name": f'"{table.name}"',
            "username": reference(sink.username.override),
            "password": reference(sink.password.override),
            "sink.buffer-flush.max-rows": "5000",
            "sink.buffer-flush.interval": "200ms",
            "sink.max-retries": "10",
        }

    return Connectors(topic, relation)


def _job(plan: SitePlan) -> dict[str, Any]:
    return job_document(
        name=plan.site.id,
        settings=job_settings(plan.parallelism),
        variables=[*(setting.override for setting in _sink_settings(plan)), GENERATION],
        sources=["sources.sql"],
        tables={table.name: f"sql/{table.name}.sql" for table in plan.tables},
    )


def _sink_settings(plan: SitePlan) -> tuple[Any, ...]:
    sink = plan.sink
    return (sink.host, sink.port, sink.database, sink.username, sink.password)


def _node(plan: SitePlan, service: str) -> dict[str, Any]:
    return {
        **compose.running(plan, service, image="flink"),
        "image": f"ozone-gen/{plan.site.id}-flink",
        "build": {
            "context": "./flink",
            "args": {
                "BASE_IMAGE": plan.images["flink"],
                "MAVEN_IMAGE": plan.images["maven"],
                "PYTHON_IMAGE": plan.images["python"],
            },
        },
        # Flink's own scripts rather than the image's entrypoint: they read the mounted file as it is.
        "entrypoint": ["bash", "/opt/ozone/start.sh", service],
        "environment": {
            "OZONE_FINGERPRINT": plan.fingerprint,
            "MALLOC_ARENA_MAX": "2",
            "TZ": "UTC",
            **(sink_environment(plan) if service == "jobmanager" else {}),
        },
        "volumes": [
            "./flink/config.yaml:/opt/flink/conf/config.yaml:ro",
            "./flink/log4j-console.properties:/opt/flink/conf/log4j-console.properties:ro",
            "./flink/start.sh:/opt/ozone/start.sh:ro",
            "./flink/job.json:/opt/ozone/job.json:ro",
            "./flink/sources.sql:/opt/ozone/sources.sql:ro",
            "./flink/sql:/opt/ozone/sql:ro",
            "./flink/jobs:/opt/ozone/jobs:ro",
            "flink-data:/flink-data",
        ],
    }


def cluster_config(plan: SitePlan) -> dict[str, Any]:
    """Decide the content of config.yaml."""
    available = "high_availability" in plan.components
    # The limit also holds Python, which plans the job beside the job manager's Java machine.
    jobmanager = plan.memory["jobmanager"] - 256
    taskmanager = plan.memory["taskmanager"] - 64
    config: dict[str, Any] = {
        "jobmanager.rpc.address": "jobmanager",
        "jobmanager.bind-host": "0.0.0.0",
        "rest.address": "jobmanager",
        "rest.bind-address": "0.0.0.0",
        "taskmanager.bind-host": "0.0.0.0",
        "taskmanager.rpc.port": 6122,
        "jobmanager.memory.process.size": f"{jobmanager}m",
        "jobmanager.memory.jvm-overhead.min": "64m",
        "jobmanager.memory.jvm-metaspace.size": "224m",
        "jobmanager.memory.off-heap.size": "64m",
        "taskmanager.memory.process.size": f"{taskmanager}m",
        "taskmanager.memory.network.min": "96m",
        "taskmanager.memory.network.max": "160m",
        "taskmanager.memory.jvm-overhead.min": "128m",
        "taskmanager.memory.jvm-metaspace.size": "224m",
        "taskmanager.numberOfTaskSlots": plan.parallelism,
        "parallelism.default": plan.parallelism,
        "env.java.opts.all": JAVA_OPTIONS,
        # Planning is short work of much code: the quick compiler finishes it in half the time.
        "env.java.opts.jobmanager": "-XX:TieredStopAtLevel=1",
        "env.java.opts.taskmanager": COMPILER,
        **_STATE[plan.state],
        "execution.checkpointing.timeout": "10 min",
        # A checkpoint that cannot be written has to be noticed, not tolerated.
        "execution.checkpointing.tolerable-failed-checkpoints": 3,
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": "20 s",
        "heartbeat.interval": 5000,
        # A process that dies is noticed by its broken connection; a slow machine must not look like a dead one.
        "heartbeat.timeout": 60000,
        # Deploying some two hundred tasks compiles their code first, which a busy small machine takes long for.
        "pekko.ask.timeout": "60 s",
        "web.submit.enable": False,
    }
    if available:
        config |= {
            "high-availability.type": "zookeeper",
            "high-availability.zookeeper.quorum": "zookeeper:2181",
            # With the default a killed job manager stays the leader for 40 seconds.
            "high-availability.zookeeper.client.session-timeout": "10s",
            "high-availability.zookeeper.client.connection-timeout": "5s",
        }
    return config


component = Flink()

"""The registry of components: one line each."""

from __future__ import annotations

from typing import Final

from ozone_gen.components import (
    connect,
    databases,
    drill,
    flink,
    kafka,
    kafka_ui,
    migrate,
    object_store,
    parquet_export,
    superset,
    swap,
    zookeeper,
)
from ozone_gen.components.base import Component

COMPONENTS: Final[tuple[Component, ...]] = (
    databases.component,
    zookeeper.component,
    kafka.component,
    connect.component,
    kafka_ui.component,
    migrate.component,
    flink.component,
    swap.component,
    parquet_export.component,
    superset.component,
    object_store.component,
    drill.component,
)
"""Every part of a site, in the order in which its services stand in the compose files."""

"""The configuration of the Flink cluster."""

from __future__ import annotations

from pathlib import Path

from ozone_gen.components.flink import cluster_config
from ozone_gen.load import load
from ozone_gen.plan import SitePlan
from ozone_gen.plan.build import build_plan

DEMO = (Path(__file__).parents[2] / "examples" / "demo" / "ozone.yaml").read_text(encoding="utf-8")


def plan(tmp_path: Path, flattening: str = "") -> SitePlan:
    file = tmp_path / "ozone.yaml"
    file.write_text(DEMO.replace("flattening:\n", f"flattening:\n{flattening}"), encoding="utf-8")
    site = load(str(file))
    return build_plan(site.spec, site.dictionary)


def test_state_on_disk_is_written_bit_by_bit(tmp_path: Path) -> None:
    memory, disk = plan(tmp_path), plan(tmp_path, "  state: disk\n")
    assert cluster_config(memory)["state.backend.type"] == "hashmap"
    assert cluster_config(disk)["state.backend.type"] == "rocksdb"
    assert cluster_config(disk)["execution.checkpointing.incremental"] is True


def test_state_of_one_store_is_not_restored_into_the_other(tmp_path: Path) -> None:
    assert plan(tmp_path).fingerprint != plan(tmp_path, "  state: disk\n").fingerprint

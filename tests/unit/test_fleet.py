"""What sites of a fleet may not share, which is found where all of them are read together (OZ319)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ozone_gen.cli import main

SITE = """\
version: 1
site: {{id: {site}, name: A clinic}}
sources: {{openmrs: {{type: openmrs, host: {host}, password: "${{OPENMRS_DB_PASSWORD}}"{source}}}}}
sink: {{type: postgresql, password: "${{ANALYTICS_DB_PASSWORD}}"}}
flattening: {{core: [visits]}}
{more}
"""
EXPORT = "components: {{parquet_export: {{location_tag: {}}}}}"


def told(folder: Path, capsys: pytest.CaptureFixture[str], *texts: str) -> tuple[int, str]:
    files = []
    for number, text in enumerate(texts):
        file = folder / f"{number}.yaml"
        file.write_text(text)
        files.append(str(file))
    code = main(["validate", *files])
    return code, capsys.readouterr().out.replace(f"{folder}/", "")


def site(name: str, host: str = "db.example", source: str = "", more: str = "") -> str:
    return SITE.format(site=name, host=host, source=source, more=more)


def test_sites_that_share_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = told(tmp_path, capsys, site("a"), site("b"), site("c", "other.example"))
    assert (code, text) == (0, "3 sites: no problems found\n")


def test_one_id_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = told(tmp_path, capsys, site("a"), site("b"), site("a"), site("a"))
    assert code == 1
    assert text.count("OZ319") == 2
    assert "2.yaml:2:12: error[OZ319] site.id: the id of this site is `a`, as is said in 0.yaml, too" in text


def test_a_replica_number_is_of_one_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    number = ", server_id: 7"
    code, text = told(tmp_path, capsys, site("a", source=number), site("b", source=number))
    assert code == 1
    assert "sources.openmrs.server_id: this is the replica 7 of db.example:3306, as is said in 0.yaml, too" in text
    assert told(tmp_path, capsys, site("a", source=number), site("b", "two.example", source=number))[0] == 0
    # Nobody knows which servers variables name.
    texts = [site(name, '"${OPENMRS_DB_HOST}"', number) for name in ("a", "b")]
    assert told(tmp_path, capsys, *texts)[0] == 0


def test_a_location_tag_is_of_one_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = [site("a", more=EXPORT.format("north")), site("b", more=EXPORT.format("north"))]
    code, text = told(tmp_path, capsys, *texts)
    assert code == 1
    assert "components.parquet_export.location_tag: the location tag of the exports is `north`" in text
    texts = [site("a", more="components: {parquet_export: {}}"), site("b", more=EXPORT.format("a"))]
    assert told(tmp_path, capsys, *texts)[0] == 1, "the id is the tag of a site that says none"


def test_a_bad_site_does_not_hide_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = told(tmp_path, capsys, site("a"), "version: 1\n", site("a"))
    assert code == 1
    assert "1.yaml:1:1: error[OZ102]" in text
    assert "OZ319" in text


def test_a_port_of_one_machine_is_of_one_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def ports(address: str, flink: int = 8081) -> str:
        return f"ports: {{bind_address: {address}, flink: {flink}, connect: null, postgresql: null}}"

    shared = [site("a", more=ports("10.0.0.5")), site("b", more=ports("10.0.0.5"))]
    code, text = told(tmp_path, capsys, *shared)
    assert code == 1
    assert "1.yaml:6:" in text
    assert "error[OZ319] ports.flink: a port is published on 10.0.0.5:8081, as is said in 0.yaml, too" in text
    for others in ([ports("10.0.0.5"), ports("10.0.0.6")], [ports("10.0.0.5"), ports("10.0.0.5", 8082)],
                   [ports("127.0.0.1"), ports("127.0.0.1")], [ports("0.0.0.0"), ports("0.0.0.0")]):  # fmt: skip
        assert told(tmp_path, capsys, *(site(name, more=more) for name, more in zip("ab", others, strict=True)))[0] == 0

"""`render` and `validate` of many sites in one call: on all cores, with a table at the end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ozone_gen.cli import main

Output = pytest.CaptureFixture[str]
BASE = """\
version: 1
sources: {openmrs: {type: openmrs, engine: mariadb, password: "${OPENMRS_DB_PASSWORD}", demo: {patients: 3}}}
sink: {type: postgresql, password: "${ANALYTICS_DB_PASSWORD}"}
flattening: {core: [patients]}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def many(number: int) -> list[str]:
    """A base and sites that extend it; their files."""
    Path("base.yaml").write_text(BASE)
    files = []
    for index in range(number):
        file = Path(f"sites/s{index:03}/ozone.yaml")
        file.parent.mkdir(parents=True)
        file.write_text(f"extends: ../../base.yaml\nsite: {{id: s{index:03}, name: S}}\n")
        files.append(str(file))
    return files


def test_many_sites_are_rendered_as_one_by_one(capsys: Output) -> None:
    files = many(40)  # enough for several processes
    assert main(["render", *files, "-o", "out"]) == 0
    assert "40 sites: 40 changed" in capsys.readouterr().out
    for index in (0, 17, 39):
        assert main(["render", files[index], "-o", "alone"]) == 0
        alone, together = Path("alone"), Path(f"out/s{index:03}")
        for path in alone.rglob("*"):
            if path.is_file():
                assert path.read_bytes() == (together / path.relative_to(alone)).read_bytes()
    capsys.readouterr()
    assert main(["render", *files, "-o", "out", "--check"]) == 0
    assert "40 sites: 40 up to date" in capsys.readouterr().out


def test_one_bad_site_among_many_does_not_stop_the_others(capsys: Output) -> None:
    files = many(40)
    Path("sites/s003/ozone.yaml").write_text("extends: ../../base.yaml\nsite: {id: s003, nam: S}\n")
    Path("out/s007").mkdir(parents=True)
    Path("out/s007/README.md").write_text("mine")
    assert main(["render", *files, "-o", "out"]) == 1
    told = capsys.readouterr()
    assert "40 sites: 38 changed, 2 not rendered" in told.out
    assert re.search(r"s007 +not rendered", told.out)
    assert re.search(r"sites/s003/ozone\.yaml:2:\d+: error\[OZ1", told.err)
    assert "out/s007/README.md: error[OZ402]" in told.err
    assert not Path("out/s003").exists()
    assert Path("out/s007/README.md").read_text() == "mine"
    assert len(list(Path("out").glob("*/manifest.json"))) == 38


def test_what_a_change_of_the_base_means_is_told_for_each_site(capsys: Output) -> None:
    files = many(3)
    assert main(["render", *files, "-o", "out"]) == 0
    Path("base.yaml").write_text(BASE.replace("core: [patients]", "core: [patients, visits]"))
    capsys.readouterr()
    assert main(["render", *files, "-o", "out", "--check"]) == 1
    told = capsys.readouterr().out
    assert told.count("needs --allow-rebuild") >= 3
    assert "3 sites: 3 changed" in told
    assert main(["render", *files, "-o", "out", "--allow-rebuild"]) == 0
    assert "3 sites: 3 changed" in capsys.readouterr().out


def test_validate_sums_up_many_sites(capsys: Output) -> None:
    files = many(5)
    assert main(["validate", *files]) == 0
    assert capsys.readouterr().out.endswith("5 sites: no problems found\n")
    for index in (1, 2):
        Path(files[index]).write_text(f"extends: ../../base.yaml\nsite: {{id: s{index}, nam: S}}\n")
    assert main(["validate", *files]) == 1
    told = capsys.readouterr().out
    assert re.search(r"sites/s001/ozone\.yaml +1", told)
    assert told.endswith("5 sites: 2 errors in 2 files\n")


def test_a_mistake_in_a_base_is_told_once(capsys: Output) -> None:
    files = many(30)
    Path("base.yaml").write_text(BASE.replace("engine: mariadb", "engine: oracle"))
    assert main(["validate", *files]) == 1
    assert capsys.readouterr().out.count("base.yaml:") == 1

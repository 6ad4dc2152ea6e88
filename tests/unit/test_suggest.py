"""The command suggest: what it prints validates, renders, and says what the database holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from ozone_gen.cli import main
from ozone_gen.load import load
from ozone_gen.openmrs.demo import demo_sql
from ozone_gen.rendering import site_tree

EXAMPLES = Path(__file__).parents[2] / "examples"
Output = pytest.CaptureFixture[str]


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a dump of demo data."""
    monkeypatch.chdir(tmp_path)
    Path("demo.sql").write_bytes(demo_sql(40, 1))
    return tmp_path


def suggested(*arguments: str, capsys: Output) -> tuple[str, Any]:
    """What the command prints for the demo data: its text, and the tables in it."""
    assert main(["suggest", "--dump", "demo.sql", *arguments]) == 0
    text = capsys.readouterr().out
    data = YAML(typ="safe").load(text)
    return text, data["flattening"]["tables"] if "flattening" in data else data["tables"]


def test_a_whole_file_validates_and_renders(demo: Path, capsys: Output) -> None:
    assert main(["suggest", "--dump", "demo.sql", "--site-id", "kigali", "-o", "ozone.yaml"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Vitals" in printed.err
    site = load("ozone.yaml")
    assert site.warnings == ()
    assert site.spec.site.id == "kigali"
    _, tree = site_tree(site)
    assert "flink/sql/vitals.sql" in tree


def test_columns_are_typed_named_and_counted(demo: Path, capsys: Output) -> None:
    text, tables = suggested("--tables-only", capsys=capsys)
    assert tables["vitals"]["rows"] == "encounter"
    assert tables["vitals"]["encounter_types"] == ["Vitals"]
    columns = tables["vitals"]["columns"]
    assert columns["weight_kg"] == {"concept": "CIEL:5089", "type": "numeric"}
    assert {"concept": "CIEL:1284", "type": "coded", "value": "name"}.items() <= (
        tables["visit_note"]["columns"]["coded_diagnosis"].items()
    )
    assert "  # Weight (kg), " in text
    assert " encounters, " in text


def test_groups_that_repeat_have_tables_and_so_have_forms_when_asked_for(demo: Path, capsys: Output) -> None:
    text, tables = suggested("--tables-only", capsys=capsys)
    assert tables["visit_diagnoses"]["rows"] == "obs_group"
    assert tables["visit_diagnoses"]["group"] == "CIEL:159947"
    # In an encounter there are several diagnoses, in a group of them one.
    assert tables["visit_note"]["columns"]["coded_diagnosis"]["answers"] == "list"
    assert "answers" not in tables["visit_diagnoses"]["columns"]["coded_diagnosis"]
    assert "# never twice in an encounter: obs group Complete blood count (" in text
    assert not any("forms" in table for table in tables.values())
    _, tables = suggested("--tables-only", "--by", "form", capsys=capsys)
    # Two forms of that name are versions of one.
    assert tables["vitals"]["forms"] == ["Vitals"]
    assert all(table["rows"] == "encounter" and "forms" in table for table in tables.values())
    _, tables = suggested("--tables-only", "--by", "group", capsys=capsys)
    assert tables.keys() == {"visit_diagnoses", "complete_blood_count"}


def test_where_there_is_much_the_state_is_on_disk(
    demo: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, _ = suggested("--site-id", "kigali", capsys=capsys)
    monkeypatch.setattr("ozone_gen.suggest.writing.MOST_IN_MEMORY", 100)
    many, _ = suggested("--site-id", "kigali", capsys=capsys)
    assert YAML(typ="safe").load(many)["flattening"]["state"] == "disk"
    assert YAML(typ="safe").load(many)["memory"] == {"taskmanager": "2g"}
    (demo / "ozone.yaml").write_text(many, encoding="utf-8")
    assert load("ozone.yaml").spec.memory.model_dump()["taskmanager"] == "2g"
    assert "state" not in YAML(typ="safe").load(few)["flattening"]


def test_the_same_dump_gives_the_same_text(demo: Path, capsys: Output) -> None:
    assert suggested("--tables-only", capsys=capsys) == suggested("--tables-only", capsys=capsys)


def test_names_are_of_the_wanted_locale(demo: Path, capsys: Output) -> None:
    _, tables = suggested("--tables-only", "--locale", "fr", capsys=capsys)
    names = {column["concept"]: name for name, column in tables["vitals"]["columns"].items()}
    assert names["CIEL:5089"] == "poids_kg"
    _, tables = suggested("--tables-only", "--locale", "ht", "--locale", "fr", capsys=capsys)
    assert "poids_kg" in tables["vitals"]["columns"]


def test_the_wanted_source_comes_first_and_an_unknown_one_is_told(demo: Path, capsys: Output) -> None:
    _, tables = suggested("--tables-only", "--source", "demo", capsys=capsys)
    references = {column["concept"] for table in tables.values() for column in table["columns"].values()}
    assert {reference.partition(":")[0] for reference in references if ":" in reference} == {"CIEL", "DEMO"}
    assert main(["suggest", "--dump", "demo.sql", "--tables-only", "--source", "CIEEL"]) == 1
    message = capsys.readouterr().err
    assert "error[OZ201]" in message
    assert "did you mean CIEL?" in message


def test_rare_concepts_are_comments(demo: Path, capsys: Output) -> None:
    text, tables = suggested("--tables-only", "--min-share", "50", capsys=capsys)
    assert "return_visit_date" in tables["visit_note"]["columns"]
    assert "parity" not in tables["visit_note"]["columns"]
    assert "# rare, in fewer than 50 % of the encounters:" in text
    assert "\n      # parity: {concept: CIEL:1053, type: numeric}  # Parity, " in text
    text, tables = suggested("--tables-only", "--min-share", "100", capsys=capsys)
    assert "vitals" not in tables
    assert "\n  # vitals:\n" in text
    # What is a comment is right as soon as it is none.
    block = text.partition("  # vitals:\n")[2].partition("\n  # encounter type ")[0]
    pasted = "vitals:\n" + "\n".join(line.removeprefix("  # ") for line in block.splitlines())
    assert "weight_kg" in YAML(typ="safe").load(pasted)["vitals"]["columns"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give either --site-id"),
        (["--dictionary", "d.json", "--tables-only"], "one of --dump, --dictionary and --host"),
        (["--tables-only", "--site-id", "a"], "give either --site-id"),
        (["--site-id", "A b"], "lower-case letters, digits and hyphens"),
        (["--tables-only", "--locale", "english!"], "a language such as `en`"),
        (["--tables-only", "--by", "patient"], "--by"),
        (["--tables-only", "--min-share", "101"], "--min-share"),
    ],
)
def test_what_cannot_be_asked_for(demo: Path, capsys: Output, arguments: list[str], said: str) -> None:
    assert main(["suggest", "--dump", "demo.sql", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "OZ001"),
        (b"version: 1\n", "OZ021"),
        (b"CREATE TABLE a (b int);\n", "OZ023"),
        (demo_sql(0, 1), "OZ028"),
        (demo_sql(3, 1)[:-3000], "OZ022"),
    ],
)
def test_dumps_that_give_nothing(demo: Path, capsys: Output, content: bytes | None, code: str) -> None:
    if content is None:
        Path("demo.sql").unlink()
    else:
        Path("demo.sql").write_bytes(content)
    assert main(["suggest", "--dump", "demo.sql", "--site-id", "a", "-o", "ozone.yaml"]) == 1
    printed = capsys.readouterr()
    assert f"error[{code}]" in printed.err
    assert not Path("ozone.yaml").exists()


def test_an_exported_dictionary_gives_its_sets(demo: Path, capsys: Output) -> None:
    Path("ozone.yaml").write_bytes((EXAMPLES / "demo" / "ozone.yaml").read_bytes())
    assert main(["dictionary", "ozone.yaml", "-o", "dictionary.json.gz"]) == 0
    assert main(["suggest", "--dictionary", "dictionary.json.gz", "--site-id", "kigali", "-o", "ozone.yaml"]) == 0
    assert "does not tell what is used" in capsys.readouterr().err
    text = Path("ozone.yaml").read_text(encoding="utf-8")
    assert "# A dictionary does not tell what is used: these are its sets." in text
    assert "# Coded diagnosis, 51 answers offered" in text
    site = load("ozone.yaml")
    table = site.spec.flattening.tables["complete_blood_count"]
    assert (table.rows, table.group) == ("obs_group", "CIEL:1019")
    assert list(table.columns) == ["hemoglobin", "white_blood_cells", "platelets"]
    assert main(["suggest", "--dictionary", "dictionary.json.gz", "--tables-only", "--by", "form"]) == 2
    assert "a dictionary knows no forms that were used" in capsys.readouterr().err


def test_a_dictionary_without_sets(demo: Path, capsys: Output) -> None:
    from ozone_gen.openmrs.dictionary import Dictionary
    from ozone_gen.openmrs.dictionary_file import dictionary_bytes
    from ozone_gen.openmrs.vocabulary import Vocabulary

    Path("empty.json").write_bytes(dictionary_bytes(Vocabulary(Dictionary("x", ()), {}), compressed=False))
    assert main(["suggest", "--dictionary", "empty.json", "--tables-only"]) == 1
    assert "error[OZ028]" in capsys.readouterr().err


def test_the_platform_is_that_of_the_dump(demo: Path, capsys: Output) -> None:
    text, _ = suggested("--site-id", "a", capsys=capsys)
    assert '    platform: "2.5"' in text
    assert "    modules: [appointments]\n" in text
    assert "    engine: mariadb\n" in text
    dump = b"-- MySQL dump 10.13  Distrib 8.4.2, for Linux (x86_64)\n" + demo_sql(40, 1) + b"-- Dump completed\n"
    Path("demo.sql").write_bytes(dump.replace(b"`dx_rank`", b"`rank`"))
    text, _ = suggested("--site-id", "a", capsys=capsys)
    assert '    platform: "2.2"  # those up to 2.4 have the same tables\n' in text
    assert "    engine: mysql\n" in text


def test_the_password_of_a_database_is_no_argument(
    demo: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENMRS_DB_PASSWORD", raising=False)
    arguments = ["suggest", "--host", "127.0.0.1", "--port", "1", "--tables-only"]
    assert main(arguments) == 2
    assert "OPENMRS_DB_PASSWORD is not set" in capsys.readouterr().err
    monkeypatch.setenv("OPENMRS_DB_PASSWORD", "secret")
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert "error[OZ043]" in message
    assert "secret" not in message

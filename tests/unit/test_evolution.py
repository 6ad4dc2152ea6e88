"""What a change means for the running tables, and what of it has to be allowed (OZ209, OZ407)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ozone_gen.cli import main
from ozone_gen.evolution import Cost, Evolution, evolution
from ozone_gen.load import load
from ozone_gen.render.tree import File, FileTree
from ozone_gen.rendering import site_tree

SITE = """\
version: 1
site: {id: clinic, name: Clinic}
sources:
  openmrs: {type: openmrs, password: "${P}", host: db.example}
sink: {type: postgresql, password: "${Q}", host: warehouse.example}
flattening:
  core: [visits]
  tables:
    vitals:
      rows: encounter
      columns:
        weight_kg: {concept: CIEL:5089, type: numeric}
        height_cm: {concept: CIEL:5090, type: numeric}
"""
WEIGHT = "        weight_kg: {concept: CIEL:5089, type: numeric}\n"
PULSE = "        pulse: {concept: CIEL:5087, type: numeric}\n"
NOTES = "    notes: {rows: obs, concepts: [CIEL:162169]}\n"
REFILL = (
    "All tables are filled anew out of Kafka, beside the old ones, and swapped; dashboards keep the old rows until"
    " then."
)

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def tree(text: str) -> FileTree:
    Path("ozone.yaml").write_text(text)
    return site_tree(load("ozone.yaml"))[1]


def changed(*replaced: tuple[str, str]) -> str:
    text = SITE
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    return text


def between(before: str, after: str) -> Evolution:
    found = evolution(tree(before), tree(after))
    assert found is not None
    return found


def words(found: Evolution) -> list[str]:
    return [f"{'! ' if change.loses else ''}{change}" for change in found.changes]


def test_nothing_is_to_be_said_without_a_change() -> None:
    found = between(SITE, SITE)
    assert (found.cost, found.changes, found.dear, found.meaning) == (Cost.NOTHING, (), (), "")
    assert between(SITE, SITE + "ports: {flink: 9999}\n").cost is Cost.NOTHING


@pytest.mark.parametrize(
    ("replaced", "said"),
    [
        ([(WEIGHT, WEIGHT + PULSE)], ["vitals: column pulse is added"]),
        ([("core: [visits]", "core: [visits, encounters]")], ["encounters: new table"]),
        ([(WEIGHT, "")], ["! vitals: column weight_kg is dropped"]),
        ([("weight_kg: {", "mass: {renamed_from: weight_kg, ")], ["vitals: column weight_kg is called mass"]),
        ([("    vitals:\n", "    signs:\n      renamed_from: vitals\n")], ["signs: was called vitals"]),
        ([("    vitals:\n", "    signs:\n")], ["signs: new table", "! vitals: the table is dropped"]),
        (
            [("5090, type: numeric", "5090, type: integer")],
            [
                "! vitals: column height_cm becomes bigint, was double precision",
            ],
        ),
        ([("type: numeric", "type: numeric, repeat: max")], None),
        ([("rows: encounter", "rows: encounter\n      from: 2024-01-31")], None),
        ([("host: warehouse.example", "host: warehouse.example, schema: flat")], None),
    ],
)
def test_what_is_filled_anew(replaced: list[tuple[str, str]], said: list[str] | None) -> None:
    found = between(SITE, changed(*replaced))
    assert found.cost is Cost.REFILL
    assert found.meaning + "." == REFILL[0].lower() + REFILL[1:]
    if said is not None:
        assert words(found) == said
    assert found.dear == tuple(word[2:] for word in words(found) if word.startswith("! "))


def test_a_table_that_is_filled_in_another_way() -> None:
    found = between(SITE, changed(("weight_kg: {concept: CIEL:5089", "weight_kg: {concept: CIEL:5088")))
    assert words(found) == ["vitals: column weight_kg is described in other words"]
    described = ("{concept: CIEL:5089,", "{concept: CIEL:5089, description: The weight.,")
    found = between(changed(described), changed(described, ("CIEL:5089,", "CIEL:5088,")))
    assert words(found) == ["vitals: its rows or cells are chosen in another way"]


def test_descriptions_are_changed_in_place() -> None:
    found = between(SITE, changed(("rows: encounter", "rows: encounter\n      description: Vital signs.")))
    assert (found.cost, words(found), found.dear) == (Cost.IN_PLACE, ["vitals: described in other words"], ())


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("[visits]", "[visits, locations]", "location_tag, location_tag_map are captured as well"),
        ("[visits]", "[visits, conditions]", "conditions is captured as well"),
        ("[visits, conditions]", "[visits]", "conditions is no longer captured"),
        ("openmrs: {type", "emr: {type", "the source has another name"),
        ("[visits]", "[visits]\n  parallelism: 2", "its topics get 2 partitions instead of 1"),
        ("db.example", "db.example, database: emr", "the source is another database, emr instead of openmrs"),
    ],
)
def test_what_is_read_anew_is_dear(before: str, after: str, reason: str) -> None:
    first = SITE if before in SITE else changed(("[visits]", before))
    found = between(first, first.replace(before, after))
    assert found.cost is Cost.SNAPSHOT
    assert found.reason.startswith(reason)
    said = f"{found.reason}, so the source is read anew"
    assert found.dear[-1] == said
    assert found.meaning.startswith(f"{said} into new topics; all tables are filled")


def test_a_rename_that_is_over_is_not_followed() -> None:
    renamed = changed(("weight_kg: {", "mass: {renamed_from: weight_kg, "))
    found = between(renamed, renamed)
    assert (found.cost, found.unknown) == (Cost.NOTHING, ())


def test_a_former_name_that_nothing_had_is_told(capsys: Output) -> None:
    main(["render", str(_file(SITE)), "-o", "out"])
    new = changed((WEIGHT, WEIGHT + PULSE.replace("numeric", "numeric, renamed_from: heigth_cm")))
    assert main(["render", str(_file(new + NOTES.replace("rows", "renamed_from: note, rows"))), "-o", "out"]) == 0
    said = capsys.readouterr().err
    assert (
        "ozone.yaml:13:66: warning[OZ209] flattening.tables.vitals.columns.pulse.renamed_from: the site in out has no"
        " column `heigth_cm`, so this is a new column\n  hint: did you mean height_cm?\n"
    ) in said
    assert "OZ209] flattening.tables.notes.renamed_from: the site in out has no table `note`" in said


def _file(text: str) -> Path:
    path = Path("ozone.yaml")
    path.write_text(text)
    return path


def test_what_is_dear_is_refused_until_it_is_allowed(capsys: Output) -> None:
    assert main(["render", str(_file(SITE)), "-o", "out"]) == 0
    assert "vitals" not in capsys.readouterr().out
    before = {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}
    dear = changed((WEIGHT, ""), ("[visits]", "[visits, conditions]"))
    assert main(["render", str(_file(dear)), "-o", "out"]) == 1
    said = capsys.readouterr().err
    hint = "  hint: if that is meant, render with --allow-rebuild; --diff shows it all\n"
    assert f"out: error[OZ407] vitals: column weight_kg is dropped\n{hint}" in said
    assert "out: error[OZ407] conditions is captured as well, so the source is read anew\n" in said
    assert {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()} == before
    assert main(["render", "ozone.yaml", "-o", "out", "--force"]) == 1
    assert main(["render", "ozone.yaml", "-o", "elsewhere"]) == 0
    capsys.readouterr()
    assert main(["render", "ozone.yaml", "-o", "out", "--allow-rebuild"]) == 0
    told = capsys.readouterr().out
    assert "  vitals: column weight_kg is dropped (needs --allow-rebuild)\n" in told
    assert "  Conditions is captured as well, so the source is read anew into new topics; all tables" in told
    assert main(["render", "ozone.yaml", "-o", "out"]) == 0
    assert "column" not in capsys.readouterr().out


def test_check_and_diff_tell_and_write_nothing(capsys: Output) -> None:
    main(["render", str(_file(SITE)), "-o", "out"])
    before = {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}
    _file(changed((WEIGHT, PULSE)))
    capsys.readouterr()
    told = (
        "vitals: column pulse is added\nvitals: column weight_kg is dropped (needs --allow-rebuild)\n" + REFILL + "\n"
    )
    assert main(["render", "ozone.yaml", "-o", "out", "--check"]) == 1
    assert capsys.readouterr().out.startswith(told)
    assert main(["render", "ozone.yaml", "-o", "out", "--diff"]) == 0
    assert capsys.readouterr().out.startswith(told + "diff --git a/")
    assert {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()} == before


def test_a_cheap_change_is_told_and_done(capsys: Output) -> None:
    main(["render", str(_file(SITE)), "-o", "out"])
    capsys.readouterr()
    assert main(["render", str(_file(changed((WEIGHT, WEIGHT + PULSE)))), "-o", "out"]) == 0
    assert f"  vitals: column pulse is added\n  {REFILL}\n" in capsys.readouterr().out


def test_what_cannot_be_read_says_nothing(capsys: Output) -> None:
    whole = tree(SITE)
    for content in (b"{", b"[]", b'{"tables": [1]}', b'{"tables": [], "schema": "public"}'):
        assert evolution({"postgresql/tables.json": File("postgresql/tables.json", content)}, whole) is None
    assert evolution({}, whole) is None
    main(["render", str(_file(SITE)), "-o", "out"])
    Path("out/manifest.json").write_text("broken")
    capsys.readouterr()
    assert main(["render", "ozone.yaml", "-o", "out"]) == 1
    assert "OZ403" in capsys.readouterr().err
    assert main(["render", "ozone.yaml", "-o", "out", "--force"]) == 0


def test_what_is_compared_is_rendered() -> None:
    made = tree(SITE)
    assert json.loads(made["postgresql/tables.json"].content)["tables"]
    assert json.loads(made["kafka/topics.json"].content)["topics"]
    assert json.loads(made["connect/source.json"].content)["tables"]
    assert b"INSERT INTO " in made["flink/sql/vitals.sql"].content


def test_a_site_of_an_earlier_version_is_not_taken_for_unchanged() -> None:
    """Files of another form once said nothing at all: other topics, and so a new snapshot, passed for a restart."""
    now = dict(tree(SITE).items())
    topics = "kafka/topics.json"
    source = json.loads(now["connect/source.json"].content)
    listed = json.dumps({**source, "tables": sorted(source["tables"])}).encode()
    others = now[topics].content.replace(b'"name": "openmrs-', b'"name": "openmrs-0')
    before = now | {
        "connect/source.json": File("connect/source.json", listed),
        topics: File(topics, others),
    }
    found = evolution(before, now)
    assert found is not None
    assert found.cost is Cost.SNAPSHOT
    assert found.dear == (
        "what the version before captured cannot be told from its files, so the source is read anew",
    )
    without_names = json.loads(now["postgresql/tables.json"].content)
    del without_names["tables"][0]["columns"]
    tables = File("postgresql/tables.json", json.dumps(without_names).encode())
    found = evolution(now | {"postgresql/tables.json": tables}, now)
    assert found is not None
    assert found.cost is Cost.REFILL

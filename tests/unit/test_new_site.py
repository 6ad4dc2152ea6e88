"""`ozone-gen new-site`: what it makes validates and renders at once, whatever the answers."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ozone_gen.cli import main
from ozone_gen.load import load
from ozone_gen.new_site import questions
from ozone_gen.openmrs.tables import PLATFORMS
from ozone_gen.rendering import site_tree

Output = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "templates" / "new-site"
REAL_DATABASE = ROOT.parent / "shared" / "data" / "openmrs-demo.sql"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def new(*arguments: str, **answers: Any) -> int:
    extra = []
    if answers:
        Path("answers.yaml").write_text(yaml.safe_dump(answers, allow_unicode=True), encoding="utf-8")
        extra = ["--answers", "answers.yaml"]
    return main(["new-site", "--no-input", *arguments, *extra])


def files(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def secrets(text: str) -> set[str]:
    return set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("source", "sink", "superset", "fleet"),
    [*itertools.product(("demo", "mariadb", "mysql"), ("bundled", "own"), (True, False), (True, False))],
)
def test_every_combination_validates_renders_and_names_its_secrets(
    source: str, sink: str, superset: bool, fleet: bool, capsys: Output
) -> None:
    answers = {"site_id": "kigali", "source": source, "sink": sink, "superset": superset, "parquet_export": superset}
    assert new("made", *(["--fleet"] if fleet else []), **answers) == 0, capsys.readouterr().err
    folder = Path("made/sites/kigali" if fleet else "made")
    site = load(str(folder / "ozone.yaml"))
    assert not site.warnings
    _, tree = site_tree(site)
    rendered = tree[".env.example"].content.decode()
    assert secrets((folder / ".env.example").read_text()) == secrets(rendered)
    readme = Path("made/README.md").read_text()
    named = set(re.findall(r"docker-compose-[a-z-]+\.yaml", readme))
    assert named <= {path for path in tree if path.startswith("docker-compose-")}
    assert ("docker-compose-db.yaml" in named) == ("docker-compose-db.yaml" in tree)


def test_the_commands_of_its_readme_run(capsys: Output) -> None:
    assert new("made") == 0
    for line in re.findall(r"^ozone-gen ([a-z]+) (.*)$", Path("made/README.md").read_text(), re.MULTILINE):
        command = [line[0], *line[1].partition("#")[0].replace("ozone.yaml", "made/ozone.yaml").split()]
        if command[0] in ("validate", "render"):
            assert main(command) == 0, capsys.readouterr().err


def test_the_schema_that_an_editor_uses_accepts_it() -> None:
    assert new("made") == 0
    assert new("our", "--fleet", site_id="first") == 0
    assert new("our/sites/second", "--extends", "../../defaults/ozone.base.yaml") == 0
    for file in ("made/ozone.yaml", "our/defaults/ozone.base.yaml", "our/defaults/ozone.tables.yaml",
                 "our/sites/first/ozone.yaml", "our/sites/second/ozone.yaml"):  # fmt: skip
        schema = re.match(r"# yaml-language-server: \$schema=(\S+)", Path(file).read_text())
        assert schema
        command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(Path(file).parent / schema[1]), file]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("layout", ["site", "fleet"])
def test_plain_cookiecutter_makes_the_same(layout: str) -> None:
    answers = {"site_name": 'Hôpital "Ste" \\ 診療所 & {x}', "country": "CD", "source": "mysql", "sink": "own"}
    assert new("ours", *(["--fleet"] if layout == "fleet" else []), **answers) == 0
    command = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input", "folder=theirs", f"layout={layout}"]
    if layout == "site":
        command.append("site_id=ours")
    subprocess.run([*command, *(f"{key}={value}" for key, value in answers.items())], check=True)
    assert files(Path("theirs")) == files(Path("ours"))
    assert "Africa/Kinshasa" in "".join(text.decode() for text in files(Path("ours")).values())


@pytest.mark.parametrize(("answer", "value"), [("site_id", "../x"), ("site_name", "a\nb"), ("source_host", "a b")])
def test_plain_cookiecutter_refuses_what_no_file_could_hold(answer: str, value: str) -> None:
    command = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input", "folder=x", f"{answer}={value}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert answer in done.stderr
    assert not Path("x").exists()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=60))
def test_any_name_comes_out_as_it_was_answered(name: str) -> None:
    shutil.rmtree("any", ignore_errors=True)
    code = new("any", site_name=name, ci="none")
    if code == 0:
        assert load("any/ozone.yaml").spec.site.name == name
    else:
        # The one reader of YAML for all files has no room for some characters; then nothing is left.
        assert not Path("any").exists()
        assert any(not each.isprintable() for each in name)


@pytest.mark.parametrize(
    "name", ['"', "'", "\\", "a: b # c", "{{ 7 * 7 }}", "{% raw %}", "- x", "اسم", "🏥", "%s", "!x", "it's"]
)
def test_names_that_mean_something_elsewhere(name: str) -> None:
    assert new("any", site_name=name) == 0
    assert load("any/ozone.yaml").spec.site.name == name
    assert name in Path("any/README.md").read_text()


def test_questions_are_those_of_the_models() -> None:
    platform = next(each for each in questions.questions() if each.name == "platform")
    assert set(platform.choices) == set(PLATFORMS)
    assert all(each.text for each in questions.questions())
    shown = set(json.loads((TEMPLATE / "cookiecutter.json").read_text())["__prompts__"])
    assert {each.name for each in questions.questions()} <= shown


def test_the_help_names_every_question(capsys: Output) -> None:
    assert main(["new-site", "--help"]) == 0
    text = capsys.readouterr().out
    assert [each.name for each in questions.questions() if not re.search(rf"\b{each.name}\b", text)] == []


def test_answers_are_asked_for_until_they_fit(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    given = ["Kigali", "KI GALI", "kigali", "rw", "Africa/Kigaly", "Africa/Kigali", "fr, en", "mysql", "db host"]
    lines = iter([*given, "db.x", "2.6", "n", "bundled", "n", "y", "n", "n", "gitlab"])
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt: next(lines))
    assert main(["new-site"]) == 0
    assert list(lines) == []
    errors = capsys.readouterr().err
    assert "did you mean Africa/Kigali" in errors
    spec = load("kigali/ozone.yaml").spec
    assert (spec.site.timezone, spec.site.locales) == ("Africa/Kigali", ("fr", "en"))
    assert (spec.sources["openmrs"].host, spec.sources["openmrs"].platform) == ("db.x", "2.6")
    assert Path("kigali/.gitlab-ci.yml").read_bytes() == (ROOT / "templates/ci/gitlab.yml").read_bytes()


def test_wrong_answers_are_all_told_at_their_places(capsys: Output) -> None:
    Path("answers.yaml").write_text("site_id: Mu\nplattform: '2.5'\nsource: oracle\nsuperset: maybe\ncountry: Kenya\n")
    assert main(["new-site", "x", "--no-input", "--answers", "answers.yaml"]) == 1
    told = capsys.readouterr().err
    for line, words in enumerate(("site_id: 'Mu'", "did you mean platform", "oracle", "true or false", "'Kenya'"), 1):
        assert re.search(rf"answers\.yaml:{line}:\d+: error\[OZ471\]", told), told
        assert words in told
    assert not Path("x").exists()


def test_a_folder_that_is_not_empty_is_left_alone(capsys: Output) -> None:
    Path("x").mkdir()
    Path("x/mine.txt").write_text("mine")
    assert new("x") == 2
    assert "OZ472" in capsys.readouterr().err
    assert files(Path()) == {"x/mine.txt": b"mine"}


def test_a_new_repository_is_filled(capsys: Output) -> None:
    subprocess.run(["git", "init", "-q", "x"], check=True)
    assert new("x") == 0
    assert load("x/ozone.yaml").spec.site.id == "x"


def test_a_folder_that_cannot_be_written_is_a_finding(capsys: Output) -> None:
    Path("file").write_text("")
    assert new("file/x") == 2
    told = capsys.readouterr().err
    assert "OZ404" in told
    assert "Traceback" not in told
    assert files(Path()) == {"file": b""}


def test_an_interrupted_run_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ozone_gen.new_site.making.load", killed)
    assert new("a/b/c") == 130
    assert list(Path().iterdir()) == []


def test_one_more_site_has_to_be_one_of_its_own(capsys: Output) -> None:
    base = ("--extends", "../../defaults/ozone.base.yaml")
    assert new("our", "--fleet", site_id="kigali") == 0
    assert new("our/sites/musanze", *base, source="mysql", source_host="10.0.0.5") == 0
    before = files(Path("our"))
    assert new("our/sites/other", *base, site_id="kigali") == 1
    told = capsys.readouterr().err
    assert "our/sites/other/ozone.yaml" in told
    assert "OZ319" in told
    assert new("our/sites/other", "--extends", "../../defaults/none.yaml") == 1
    assert "OZ014" in capsys.readouterr().err
    assert files(Path("our")) == before
    assert main(["validate", *map(str, Path("our/sites").glob("*/ozone.yaml"))]) == 0
    assert load("our/sites/musanze/ozone.yaml").spec.sources["openmrs"].host == "10.0.0.5"


def test_tables_and_lock_come_from_the_sites_own_data() -> None:
    assert main(["demo-data", "--patients", "30", "-o", "dump.sql"]) == 0
    assert new("made", "--from-dump", "dump.sql") == 0
    site = load("made/ozone.yaml")
    assert site.locked
    assert {each.code for each in site.warnings} <= {"OZ208"}  # a retired concept that has observations
    vitals = site.spec.flattening.tables["vitals"]
    assert "CIEL:5089" in Path("made/ozone.yaml").read_text()
    assert vitals.encounter_types == ("Vitals",)
    assert site.spec.sources["openmrs"].demo is None
    assert main(["resolve", "made/ozone.yaml", "--dump", "dump.sql", "--check"]) == 0
    assert main(["render", "made/ozone.yaml", "-o", "out"]) == 0
    # For a repository the tables are those of all its sites, and the lock is that of the site.
    assert new("our", "--fleet", "--from-dump", "dump.sql", site_id="kigali") == 0
    assert "CIEL:5089" in Path("our/defaults/ozone.tables.yaml").read_text()
    assert load("our/sites/kigali/ozone.yaml").locked
    # One more site has tables already, and only looks them up.
    assert new("our/sites/b", "--extends", "../../defaults/ozone.base.yaml", "--from-dump", "dump.sql") == 0
    assert load("our/sites/b/ozone.yaml").locked
    # A dictionary that was exported does as well, as far as its sets go.
    assert main(["dictionary", "made/ozone.yaml", "--dump", "dump.sql", "-o", "dictionary.json"]) == 0
    assert new("by-dictionary", "--dictionary", "dictionary.json") == 0
    assert load("by-dictionary/ozone.yaml").locked


def test_a_dump_that_is_none_leaves_nothing(capsys: Output) -> None:
    Path("dump.sql").write_text("SELECT 1;\n")
    assert new("made", "--from-dump", "dump.sql") == 1
    assert "dump.sql" in capsys.readouterr().err
    assert not Path("made").exists()


@pytest.mark.skipif(not REAL_DATABASE.exists(), reason="the real database is not part of the project")
def test_tables_come_from_a_real_database() -> None:
    assert new("made", "--from-dump", str(REAL_DATABASE)) == 0
    site = load("made/ozone.yaml")
    assert {"vitals", "visit_note"} <= site.spec.flattening.tables.keys()
    assert main(["render", "made/ozone.yaml", "-o", "out"]) == 0

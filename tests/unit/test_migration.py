"""`ozone-gen migrate-config`: older files are rewritten in place, and nothing else in them changes.

There is only version 1 yet: the steps here are those of the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ruamel.yaml.comments import CommentedMap

from ozone_gen import migration, shape
from ozone_gen.cli import main
from ozone_gen.diagnostics import OzoneError
from ozone_gen.migration import STEPS, Step
from ozone_gen.migration.rewriting import rewritten, write

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(str(path) for path in (ROOT / "examples").rglob("ozone.yaml"))

Output = pytest.CaptureFixture[str]


def _sink_is_warehouse(document: CommentedMap) -> list[str]:
    if "sink" not in document:
        return []
    place = list(document).index("sink")
    sink = document.pop("sink")
    document.insert(place, "warehouse", sink)
    return ["`sink` is called `warehouse`"]


def _names_are_titles(document: CommentedMap) -> list[str]:
    site = document.get("site", {})
    if "name" not in site:
        return []
    place = list(site).index("name")
    site.insert(place, "title", site.pop("name"))
    return ["`site.name` is called `title`"]


TEST_STEPS = (Step(1, _sink_is_warehouse), Step(2, _names_are_titles))

BEFORE = """\
# yaml-language-server: $schema=ozone.schema.json
version: 1   # of the format

site: {id: a, name: "Clinic: A", locales: [en, fr]}  # in braces
sources:
    openmrs:
        type: 'openmrs'
        password: ${P}
        demo:
sink:          # where tables go
    type: postgresql
    # a comment on its own
    password: "${Q}"
flattening:
    core:
      - patients
      - visits   # both
    tables:
        vitals:
            rows: encounter
            description: >-
                Vital signs,
                folded.
            columns: {weight_kg: CIEL:5089, note: "yes"}
# the end
"""
AFTER = (
    BEFORE.replace("version: 1 ", "version: 3 ")
    .replace("sink:      ", "warehouse:")
    .replace("warehouse:    #", "warehouse:     #")
    .replace("name: ", "title: ", 1)
)


def file(text: str, name: str = "ozone.yaml") -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(text.encode())
    return name


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_there_is_a_step_from_each_version_to_the_next() -> None:
    assert [step.before for step in STEPS] == list(range(1, shape.VERSION))


def normal(text: str) -> list[list[str]]:
    """Lines by their words: columns of comments may move with what stands before them."""
    return [line.split() for line in text.splitlines()]


def test_comments_order_and_quotes_stay() -> None:
    (found,) = rewritten([file(BEFORE)], TEST_STEPS, newest=3)
    assert found.done == ("`sink` is called `warehouse`", "`site.name` is called `title`")
    assert normal(found.after.decode()) == normal(AFTER)
    indents = [len(line) - len(line.lstrip()) for line in BEFORE.splitlines()]
    assert [len(line) - len(line.lstrip()) for line in found.after.decode().splitlines()] == indents


@pytest.mark.parametrize("path", EXAMPLES)
def test_a_step_that_changes_nothing_leaves_every_byte_of_the_examples(path: str) -> None:
    for found in rewritten([path], [Step(1, lambda document: [])], newest=2):
        assert found.after.decode() == found.before.decode().replace("version: 1", "version: 2")


def test_line_ends_of_windows_and_a_byte_order_mark_stay() -> None:
    (found,) = rewritten([file("\ufeff" + BEFORE.replace("\n", "\r\n"))], TEST_STEPS, newest=3)
    assert found.after.startswith("\ufeff# yaml".encode())
    assert found.after.count(b"\r\n") == found.after.count(b"\n") == BEFORE.count("\n")


def test_a_file_of_the_middle_takes_the_later_steps_alone() -> None:
    (found,) = rewritten([file(BEFORE.replace("version: 1", "version: 2"))], TEST_STEPS, newest=3)
    assert found.done == ("`site.name` is called `title`",)


def test_the_newest_is_left_as_it_is() -> None:
    (found,) = rewritten([file(BEFORE.replace("version: 1", "version: 3"))], TEST_STEPS, newest=3)
    assert not found.is_older


def test_what_a_file_extends_goes_along() -> None:
    file("sink: {type: postgresql}\n", "defaults/base.yaml")
    one = file("version: 1\nextends: ../../defaults/base.yaml\nsite: {name: A}\n", "sites/a/ozone.yaml")
    two = file("version: 1\nextends: [../../defaults/base.yaml]\nsite: {name: B}\n", "sites/b/ozone.yaml")
    found = rewritten([one, two], TEST_STEPS, newest=3)
    write(found)
    assert len(found) == 3
    assert Path("defaults/base.yaml").read_text() == "warehouse: {type: postgresql}\n"
    assert Path(two).read_text() == "version: 3\nextends: [../../defaults/base.yaml]\nsite: {title: B}\n"


def test_the_version_may_stand_in_the_base() -> None:
    file("version: 1\nsink: {type: postgresql}\n", "base.yaml")
    found = rewritten([file("extends: base.yaml\nsite: {name: A}\n")], TEST_STEPS, newest=3)
    assert [each.after.decode() for each in found] == [
        "extends: base.yaml\nsite: {title: A}\n",
        "version: 3\nwarehouse: {type: postgresql}\n",
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("version: 4\n", "OZ108"),
        ("version: 0\n", "OZ108"),
        ("version: one\n", "OZ103"),
        ("site: {}\n", "OZ102"),
        ("sink: {}\n", "OZ102"),
        ("version: [\n", "OZ003"),
    ],
)
def test_files_that_cannot_be_rewritten(text: str, code: str) -> None:
    good, bad = file(BEFORE, "good.yaml"), file(text, "bad.yaml")
    with pytest.raises(OzoneError) as raised:
        rewritten([good, bad], TEST_STEPS, newest=3)
    assert [(each.position.file, each.code) for each in raised.value.diagnostics] == [("bad.yaml", code)]


# --- the command


@pytest.fixture
def _three(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ozone-gen of version 3."""
    from ozone_gen.migration import rewriting

    def with_steps(files: Sequence[str]) -> list[rewriting.Rewritten]:
        return rewritten(files, TEST_STEPS, newest=3)

    monkeypatch.setattr(rewriting, "rewritten", with_steps)
    monkeypatch.setattr(shape, "VERSION", 3)


def test_nothing_to_do(capsys: Output) -> None:
    name = file("version: 1\n")
    assert main(["migrate-config", name]) == 0
    assert capsys.readouterr().out == "1 file of version 1, the newest: nothing to do\n"
    assert main(["migrate-config", "--check", name]) == 0


def test_a_newer_file_and_one_that_is_not_there(capsys: Output) -> None:
    assert main(["migrate-config", file("version: 2\n"), "nothing.yaml"]) == 1
    err = capsys.readouterr().err
    assert "ozone.yaml:1:10: error[" in err
    assert "hint: this ozone-gen reads version 1; upgrade it" in err
    assert "nothing.yaml: error[OZ001]" in err


@pytest.mark.usefixtures("_three")
def test_files_are_rewritten_in_place(capsys: Output) -> None:
    name = file(BEFORE)
    assert main(["migrate-config", "--check", name]) == 1
    assert Path(name).read_text() == BEFORE
    capsys.readouterr()
    assert main(["migrate-config", "--diff", name]) == 0
    diff = capsys.readouterr().out
    assert "-version: 1   # of the format\n+version: 3   # of the format" in diff
    assert Path(name).read_text() == BEFORE
    assert main(["migrate-config", name]) == 0
    assert capsys.readouterr().out.splitlines()[:3] == [
        "ozone.yaml: version 1 became 3",
        "  `sink` is called `warehouse`",
        "  `site.name` is called `title`",
    ]
    assert normal(Path(name).read_text()) == normal(AFTER)
    assert main(["migrate-config", name]) == 0


@pytest.mark.usefixtures("_three")
def test_nothing_is_written_where_one_cannot_be(capsys: Output) -> None:
    assert main(["migrate-config", file(BEFORE), file("version: 9\n", "b.yaml")]) == 1
    assert Path("ozone.yaml").read_text() == BEFORE
    assert "b.yaml:1:10: error" in capsys.readouterr().err


def test_an_older_file_is_told_what_to_do() -> None:
    from ozone_gen.source import parse_source

    found = shape.version_finding(parse_source(b"version: 1\n", "ozone.yaml"), newest=2, oldest=2)
    assert found is not None
    assert found.hint == "`ozone-gen migrate-config ozone.yaml` brings it to version 2"
    assert migration.STEPS == STEPS

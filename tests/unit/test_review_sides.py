"""Which sites are known to be the same before they are rendered: all that they extend counts, however it is said."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ozone_gen.cli import main
from ozone_gen.extends import bases_of, extended_source
from ozone_gen.review.sides import Side

SITE = "version: 1\nsite: {id: one, name: One}\n"
BASE = """\
sources: {openmrs: {type: openmrs, password: "${P}", host: db.example}}
sink: {type: postgresql, password: "${Q}", host: warehouse.example}
flattening: {core: [visits]}
"""
# How a file may say that it extends others, with the names of these; the last is the one that changes.
WAYS = [
    ("extends: base.yaml\n", "base.yaml"),
    ("extends: base.conf\n", "base.conf"),
    ("extends: base\n", "base"),
    ("extends: our base.yaml\n", "our base.yaml"),
    ("extends: [other.yaml, base.conf]\n", "other.yaml", "base.conf"),
    ("extends:\n- other.yaml\n- 'our base.yaml'\n", "other.yaml", "our base.yaml"),
    ("extends:\n  - other.yaml\n\n  # the other.yaml of all\n  - base\n", "other.yaml", "base"),
    ("extends: # see other.yaml\n  base.conf\n", "base.conf"),
    ("extends: |-\n  base.conf\n", "base.conf"),
    ("extends: >-\n  our\n  base.yaml\n", "our base.yaml"),
    ('extends: "b\\x61se.yaml"\n', "base.yaml"),
    ('extends: "base.\\\n  yaml"\n', "base.yaml"),
    ('"ext\\x65nds": base.yaml\n', "base.yaml"),
    ("'extends' : base.yaml\n", "base.yaml"),
    ("? extends\n: base.yaml\n", "base.yaml"),
    ("\ufeffextends: base.yaml\n", "base.yaml"),
    ("---\nextends: base.yaml\n", "base.yaml"),
    ("extends: &base base.conf\n", "base.conf"),
    ("flattening: {tables: {}, core: &them [base.conf]}\nextends: *them\n", "base.conf"),
    ("flattening: {tables: {extends: &it base.conf}}\nextends: [other.yaml, *it]\n", "other.yaml", "base.conf"),
    ("extends: ./deep/../base.yaml\n", "base.yaml"),
]


def sides(folder: Path, text: str, *bases: str) -> tuple[Side, Side]:
    for side in ("old", "new"):
        (folder / side).mkdir()
        (folder / side / "ozone.yaml").write_text(text, encoding="utf-8")
        for base in bases:
            (folder / side / base).write_text(BASE, encoding="utf-8")
    return Side(folder / "old" / "ozone.yaml"), Side(folder / "new" / "ozone.yaml")


@pytest.mark.parametrize(("text", "bases"), [(text, bases) for text, *bases in WAYS])
def test_a_base_counts_however_it_is_named(text: str, bases: list[str], tmp_path: Path) -> None:
    old, new = sides(tmp_path, f"{text}{SITE}", *bases)
    assert "sink" in extended_source(str(old.path)).data
    assert old.same_input(new)
    for base in bases:
        file = new.path.with_name(base)
        file.write_text(BASE.replace("visits", "patients"), encoding="utf-8")
        assert not old.same_input(new)
        file.write_text(BASE, encoding="utf-8")


def test_a_file_in_brackets(tmp_path: Path) -> None:
    old, new = sides(tmp_path, "{version: 1, site: {id: one, name: One}, extends: base.conf}\n", "base.conf")
    assert old.same_input(new)
    new.path.with_name("base.conf").write_text(BASE.replace("visits", "patients"))
    assert not old.same_input(new)


def test_what_a_base_extends_counts(tmp_path: Path) -> None:
    old, new = sides(tmp_path, f"{SITE}extends: base.conf\n", "base.conf", "deeper.conf")
    for side in (old, new):
        side.path.with_name("base.conf").write_text("flattening: {tables: {}}\nextends: [deeper.conf]\n")
    assert old.same_input(new)
    new.path.with_name("deeper.conf").write_text(BASE.replace("visits", "patients"))
    assert not old.same_input(new)


@pytest.mark.parametrize(
    "text",
    [
        "# extends: nothing.yaml\n",
        "flattening: {tables: {extends: nothing.yaml}}\n",
        'sink: {type: "postgres\\\n  ql\n\nextends: nothing.yaml"}\n',
    ],
)
def test_what_only_looks_like_it_is_no_base(text: str, tmp_path: Path) -> None:
    old, new = sides(tmp_path, f"{SITE}{text}")
    assert bases_of(old.path.read_bytes(), "ozone.yaml") == ()
    assert old.same_input(new)


@pytest.mark.parametrize("text", ["extends: nothing.yaml\n", "extends: 7\n", "extends: []\n", "extends: [a\n"])
def test_what_cannot_be_told_is_not_called_the_same(text: str, tmp_path: Path) -> None:
    old, new = sides(tmp_path, f"{text}{SITE}")
    assert not old.same_input(new)


def test_nothing_is_read_behind_it() -> None:
    assert bases_of(b"extends: base.yaml\nsite: {\n", "sites/one/ozone.yaml") == ("sites/one/base.yaml",)


def test_the_bases_of_a_revision_have_any_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    git = repository(tmp_path)
    for name, text in {
        "sites/one/ozone.yaml": f"extends: ../../defaults/base.conf\n{SITE}",
        "defaults/base.conf": "extends: deeper\n",
        "defaults/deeper": BASE,
    }.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    git("add", ".")
    git("commit", "-qm", "one")
    Path("defaults/deeper").write_text(BASE.replace("core: [visits]", "core: [visits, patients]"))
    assert main(["diff", "--git", "HEAD"]) == 1
    git("commit", "-qam", "two")
    assert main(["diff", "--git", "HEAD~1..HEAD"]) == 1
    assert main(["diff", "--git", "HEAD~1..HEAD~1"]) == 0


def repository(folder: Path) -> Callable[..., object]:
    settings = ("-c", "user.name=A", "-c", "user.email=a@example.org")

    def git(*arguments: str) -> None:
        subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    return git

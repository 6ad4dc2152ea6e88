"""Every command of the documentation works as it stands there: pages are read as a person would work through them.

What needs a running site, a server or Flink is replaced, so that arguments and files are still checked; tests/e2e and
the tests of `preview` run those for real.
"""

from __future__ import annotations

import glob
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any

import click
import pytest

from ozone_gen.cli import all_commands, cli, main
from ozone_gen.components.base import ComposeFile
from ozone_gen.spec import MEMORY
from ozone_gen.supply.image_lock import LOCK_FILE
from ozone_gen.supply.registry import Digest

ROOT = Path(__file__).parents[2]
DEMO = (ROOT / "examples" / "demo" / "ozone.yaml").read_text()
GENERATED = ("reference/",)
"""Their commands are the examples of the help, which test_help.py runs."""
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if not path.relative_to(ROOT / "docs" if "docs" in path.parts else ROOT).as_posix().startswith(GENERATED)
}
BLOCK = re.compile(r"^```(sh|yaml)(?: +title=\"([^\"]+)\")?[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SETTING = re.compile(r"[A-Z][A-Z0-9_]*=")
DIFFERING = ("diff", "import")
"""Commands that end with 1 where they have something to say."""
COMPOSE_FILES = {*(name.value for name in ComposeFile), LOCK_FILE}


@dataclass(frozen=True)
class Step:
    """A file that the page has its reader write, or a line that it has them type."""

    file: str
    text: str


def steps(page: str) -> Iterator[Step]:
    for kind, title, text in BLOCK.findall(PAGES[page]):
        if kind == "yaml" and title:
            yield Step(title, text)
        elif kind == "sh":
            for line in text.replace("\\\n", " ").splitlines():
                yield Step("", re.split(r"\s#", line)[0].strip())


def commands(line: str) -> Iterator[list[str]]:
    """The commands of a line, each as words; what a shell does around them is left out."""
    reader = shlex.shlex(line, posix=True, punctuation_chars="|&>()")
    reader.whitespace_split = True
    reader.commenters = ""
    for is_word, group in groupby(reader, key=lambda token: not set(token) <= set("|&>()")):
        words = list(group) if is_word else []
        while words and SETTING.match(words[0]):
            words.pop(0)
        if words:
            yield [name for word in words for name in (sorted(glob.glob(word)) if "*" in word else ()) or (word,)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the pages take it for granted: a repository of sites, rendered folders, a dump, an export."""
    folder = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{name}_NAME", "A")
            patch.setenv(f"GIT_{name}_EMAIL", "a@example.org")
        other = DEMO + "ports: {superset: 9999}\n"
        places = {".": DEMO, "old": DEMO, "new": other, "sites-before/a": DEMO, "sites-after/a": other}
        for place, text in places.items():
            Path(place).mkdir(parents=True, exist_ok=True)
            Path(place, "ozone.yaml").write_text(text)
        shutil.copytree(ROOT / "examples" / "fleet", folder, dirs_exist_ok=True)
        for out, file in {"out": "ozone.yaml", "old-out": "ozone.yaml", "new-out": "new/ozone.yaml"}.items():
            assert main(["render", file, "-o", out]) == 0
        assert main(["demo-data", "--patients", "20", "-o", "openmrs.sql"]) == 0
        shutil.copy("openmrs.sql", "dump.sql")
        assert main(["dictionary", "ozone.yaml", "-o", "dictionary.json.gz"]) == 0
        for name in ("parquet", "out/parquet", "ozone-analytics"):
            Path(name).mkdir()
        Path("ozone-analytics/docker-compose-db.yaml").write_text("services:\n  postgresql: {image: 'postgres:13'}\n")
        for line in ("init -q -b main", "add sites defaults ozone.yaml", "commit -qm one", "branch origin/main"):
            subprocess.run(["git", *line.split()], check=True)
    return folder


@pytest.fixture
def _sites(tmp_path: Path, prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("OBJECT_STORE_WRITE_SECRET", "OPENMRS_DB_PASSWORD"):
        monkeypatch.setenv(name, "secret")


@pytest.fixture
def _replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """No Flink, no running site, no object store, no registry of images."""

    def preview(site: Any, dump: Path | None, *_: Any, **__: Any) -> None:
        assert dump is None or dump.is_file()

    # By its name it would be the command of the package that has this module.
    monkeypatch.setattr(import_module("ozone_gen.cli.preview"), "run_command", preview)
    monkeypatch.setattr("ozone_gen.doctor.examine", lambda *_: iter(()))
    monkeypatch.setattr("ozone_gen.upload.exports_of", lambda _: ())
    monkeypatch.setattr("ozone_gen.supply.registry.Registries.digest", lambda *_: Digest(f"sha256:{'0' * 64}", True))


def check_arguments(words: list[str]) -> None:
    """Parse only: what it asks for is not here."""
    with cli.make_context("ozone-gen", words) as context:
        name, command, rest = cli.resolve_command(context, words)
        assert command is not None
        command.make_context(name, rest, parent=context)


def run(words: list[str]) -> None:
    """Run a command of ours in the folder of the sites, as its reader would."""
    if words[:1] == ["import"]:
        Path("ozone.yaml").rename("before.yaml")
    if words[:1] == ["suggest"]:
        Path("ozone.lock.yaml").unlink(missing_ok=True)  # what is suggested is another site
    if words[:1] == ["new-site"]:
        shutil.rmtree(words[1], ignore_errors=True)  # whoever makes it has none yet
    asks = words[:1] == ["new-site"] and "--no-input" not in words
    if asks or "--host" in words or "100000" in words:
        check_arguments(words)
        return
    code = main([word.replace("~", str(Path.home())) for word in words])
    assert code == 0 or (code == 1 and words[0] in DIFFERING), words
    if words[:1] == ["import"]:
        Path("before.yaml").replace("ozone.yaml")


def write(step: Step, *, first: bool) -> None:
    """Write a page's own file. What was rendered before is of another site, unless the page goes on from its own."""
    Path(step.file).write_text(step.text)
    if step.file != "ozone.yaml":
        return
    Path("ozone.lock.yaml").unlink(missing_ok=True)
    if first:
        shutil.rmtree("out")
        assert main(["render", step.file, "-o", "out"]) == 0
        Path("out/parquet").mkdir()
    assert main(["validate", step.file]) == 0


def check_compose(words: list[str]) -> None:
    """The files that it names are ones that sites have, and so are its services."""
    words = words[2:]
    files = [words[at + 1] for at, word in enumerate(words) if word == "-f"]
    assert set(files) <= COMPOSE_FILES, words
    rest = [word for at, word in enumerate(words) if word != "-f" and words[at - 1] != "-f"]
    assert rest[0] in ("up", "down", "ps", "logs", "run", "exec", "pull", "build", "config"), words
    named = [word for word in rest[1:] if not word.startswith("-")]
    if rest[0] in ("logs", "run", "exec"):
        assert named[0] in MEMORY, words


@pytest.mark.usefixtures("_sites", "_replaced")
@pytest.mark.parametrize("page", [page for page in PAGES if "```sh" in PAGES[page]])
def test_the_commands_of_a_page_run_in_their_order(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()  # what preparing said
    start, files = Path.cwd(), 0
    for step in steps(page):
        if step.file:
            files += step.file == "ozone.yaml"
            write(step, first=files == 1)
            continue
        for words in commands(step.text):
            if words[0] == "ozone-gen":
                with pytest.MonkeyPatch.context() as patch:
                    patch.chdir(start / ("out" if "../ozone.yaml" in words else "."))
                    run(words[1:])
            elif words[:2] == ["docker", "compose"]:
                check_compose(words)
            elif words[:3] == ["docker", "volume", "rm"]:
                rendered = (start / "old-out/docker-compose-data-pipelines.yaml").read_text()
                rendered += (start / "old-out/docker-compose-db.yaml").read_text()
                assert f"\n  {words[3].removeprefix('ozone-my-clinic_')}: {{}}\n" in rendered, words
            elif words[0] == "export" and words[1].startswith("COMPOSE_FILE="):
                assert set(words[1].partition("=")[2].split(":")) <= COMPOSE_FILES
            assert "error" not in capsys.readouterr().err, words


def test_commands_are_found() -> None:
    found = [words for page in PAGES for step in steps(page) if not step.file for words in commands(step.text)]
    ours = {words[1] for words in found if words[0] == "ozone-gen"}
    assert len(found) > 100
    assert ours >= {name for name in all_commands() if name not in ("schema", "dictionary")}


def test_a_wrong_command_would_be_noticed() -> None:
    with pytest.raises(click.UsageError):
        check_arguments(["resolve", "ozone.yaml", "--hots", "x"])

"""The help of every command has examples, and these can be run; a shell completes what can be completed."""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from ozone_gen.cli import all_commands, cli, main
from ozone_gen.diagnostics import codes

COMMANDS = {"ozone-gen": cli, **all_commands()}
SHELLS = ("bash", "zsh", "fish")


def example_lines(command: click.Command) -> list[str]:
    heading, _, lines = (command.epilog or "").partition("Examples:\n")
    assert heading == "\b\n", f"give {command.name} an epilog of ozone_gen.cli.examples"
    return [line.strip() for line in lines.splitlines()]


def arguments(line: str) -> list[str]:
    """What the program is given, without what a shell does around it."""
    words = shlex.split(re.split(r" [|>] ", line)[0])
    assert words[0] == "ozone-gen", line
    return words[1:]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("parquet").mkdir()
    monkeypatch.setattr("sys.stdin", io.StringIO())  # whoever asks gets no answer
    for name in ("OBJECT_STORE_WRITE_SECRET", "OPENMRS_DB_PASSWORD"):
        monkeypatch.setenv(name, "secret")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_are_commands(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In an empty folder most find nothing to work on; what counts is that none is refused for its arguments."""
    lines = example_lines(COMMANDS[name])
    assert lines
    for line in lines:
        words = arguments(line)
        assert name in ("ozone-gen", words[0]), f"{line} is an example of another command"
        main(words)
        out, err = capsys.readouterr()
        assert "Usage:" not in err, line
        assert "error[OZ901]" not in out + err, line


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_shows_them_line_by_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([] if name == "ozone-gen" else [name, "--help"]) in (0, 2)
    shown = "".join(capsys.readouterr())
    for line in example_lines(COMMANDS[name]):
        assert f"\n    {line}\n" in f"{shown}\n"


# --- completion


def completed(line: str, *, shell: str = "bash") -> list[str]:
    """What a shell would offer at the end of a line, each behind its kind as the shell's script reads it."""
    words = line.split(" ")
    environment = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    if shell == "fish":
        environment["COMP_CWORD"] = words[-1]
    return run_with(f"{shell}_complete", **environment).splitlines()


def run_with(instruction: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "ozone_gen"],
        env={**os.environ, "_OZONE_GEN_COMPLETE": instruction, **environment},
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.fixture
def _sites() -> None:
    for path in ("ozone.yaml", "ozone.lock.yaml", "sites/kigali/ozone.yaml", "out/docker-compose-db.yaml", "x.sql"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_gets_its_script(shell: str) -> None:
    script = run_with(f"{shell}_source")
    assert "_OZONE_GEN_COMPLETE" in script
    if shutil.which(shell):
        Path("script").write_text(script)
        subprocess.run([shell, "-n", "script"], check=True)


def test_commands_are_completed() -> None:
    assert completed("ozone-gen va") == ["plain,validate"]
    assert "plain,demo-data" in completed("ozone-gen ")


def test_options_are_completed() -> None:
    assert completed("ozone-gen validate --format s") == ["plain,sarif"]
    assert "plain,--allow-rebuild" in completed("ozone-gen render --")


def test_codes_are_completed() -> None:
    assert completed("ozone-gen explain oz10")[0] == "plain,OZ101"
    assert len(completed("ozone-gen explain ")) == len(codes.all_codes())
    assert completed("ozone-gen explain unknown-k") == ["plain,unknown-key"]
    assert "A key is not known" in "".join(completed("ozone-gen explain OZ101", shell="fish"))


@pytest.mark.usefixtures("_sites")
def test_files_of_sites_are_completed() -> None:
    assert completed("ozone-gen validate ") == ["plain,ozone.yaml", "plain,sites/kigali/ozone.yaml"]
    assert completed("ozone-gen render sites/k") == ["plain,sites/kigali/ozone.yaml"]
    # Where none is found the shell looks for itself.
    assert completed("ozone-gen doctor elsewhere/") == ["file,elsewhere/"]
    assert completed("ozone-gen preview ozone.yaml --dump x") == ["file,x"]

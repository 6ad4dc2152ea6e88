"""The command line: what it prints where, and its exit codes."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ozone_gen import __version__, cli, load, preview
from ozone_gen.cli import main, outcome
from ozone_gen.diagnostics import OutputError, Position, codes
from ozone_gen.diagnostics.renderers import FORMATS
from ozone_gen.json_schema import schema_text
from ozone_gen.preview import Preview
from ozone_gen.preview.profile import ColumnProfile, Kind, TableProfile
from ozone_gen.preview.results import PreviewTable

EXTERNAL = """\
version: 1
site: {id: %s, name: A}
sources:
  openmrs: {type: openmrs, password: "${P}", host: db.example}
sink: {type: postgresql, password: "${Q}", host: db.example}
flattening: {core: [patients]}
"""

Output = pytest.CaptureFixture[str]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a valid ozone.yaml."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(outcome.DEBUG, raising=False)
    Path("ozone.yaml").write_text(EXTERNAL % "a")
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def broken(name: str) -> str:
    Path(name).write_text(EXTERNAL.replace("name: A", "nam: A") % "broken")
    return name


# --- render


def test_a_site_is_rendered_into_the_folder_itself(site: Path, capsys: Output) -> None:
    assert main(["render", "ozone.yaml", "-o", "out"]) == 0
    made = files(site / "out")
    assert {"docker-compose-data-pipelines.yaml", "manifest.json", "README.md"} <= made.keys()
    out, err = capsys.readouterr()
    assert out.startswith(f"a: {len(made)} written in out\nNext:\n  cd out\n")
    assert "docker compose -f docker-compose-data-pipelines.yaml up -d --build" in out
    assert "cp .env.example .env" in out
    assert err == ""


def test_the_second_run_changes_nothing(site: Path, capsys: Output) -> None:
    main(["render", "ozone.yaml", "-o", "out"])
    before = files(site / "out")
    times = {path: os.stat(site / "out" / path).st_mtime_ns for path in before}
    (site / "out" / ".env").write_text("P=1\n")
    capsys.readouterr()
    assert main(["render", "ozone.yaml", "-o", "out"]) == 0
    assert {path: os.stat(site / "out" / path).st_mtime_ns for path in before} == times
    out, _ = capsys.readouterr()
    assert "files are up to date" in out
    assert "cp .env.example" not in out


def test_a_wrong_file_leaves_the_folder_as_it_was(site: Path, capsys: Output) -> None:
    assert main(["render", broken("bad.yaml"), "-o", "out"]) == 1
    assert not (site / "out").exists()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "bad.yaml:2:20: error[OZ101] site.nam: unknown key"


def test_several_sites_get_a_folder_each_and_do_not_stop_each_other(site: Path, capsys: Output) -> None:
    Path("b.yaml").write_text(EXTERNAL % "b")
    assert main(["render", "ozone.yaml", broken("bad.yaml"), "b.yaml", "-o", "out"]) == 1
    assert sorted(path.name for path in (site / "out").iterdir()) == ["a", "b"]
    out, err = capsys.readouterr()
    assert re.findall(r"^ +(\w+) +[0-9]+ written", out, re.MULTILINE) == ["a", "b"]
    assert out.endswith("3 sites: 2 changed, 1 not rendered\n")
    assert "bad.yaml:2:20: error[OZ101]" in err
    assert err.splitlines()[-1] == "1 error in 1 file"


def test_sites_of_one_id_are_not_rendered(site: Path, capsys: Output) -> None:
    Path("b.yaml").write_text(EXTERNAL % "b")
    Path("same.yaml").write_text("# another one\n" + EXTERNAL % "a")
    assert main(["render", "ozone.yaml", "b.yaml", "same.yaml", "-o", "out"]) == 1
    assert [path.name for path in (site / "out").iterdir()] == ["b"]
    _, err = capsys.readouterr()
    assert err.startswith("same.yaml:3:12: error[OZ312] site.id: `a` is also the id of ozone.yaml\n")


def test_a_file_given_twice_counts_once(site: Path, capsys: Output) -> None:
    assert main(["render", "ozone.yaml", "ozone.yaml", "-o", "out"]) == 0
    assert (site / "out" / "manifest.json").exists()
    assert main(["render", "ozone.yaml", "./ozone.yaml", "-o", "two"]) == 1
    assert "OZ312" in capsys.readouterr().err
    assert not (site / "two").exists()


def test_an_edited_file_is_kept_unless_forced(site: Path, capsys: Output) -> None:
    main(["render", "ozone.yaml", "-o", "out"])
    edited = site / "out" / "README.md"
    edited.write_text("mine\n")
    Path("ozone.yaml").write_text(EXTERNAL.replace("name: A", "name: B") % "a")
    before = files(site / "out")
    capsys.readouterr()
    assert main(["render", "ozone.yaml", "-o", "out"]) == 1
    assert "out/README.md: error[OZ401]" in capsys.readouterr().err
    assert files(site / "out") == before
    assert main(["render", "ozone.yaml", "-o", "out", "--force"]) == 0
    assert edited.read_text() != "mine\n"


def test_check_tells_differences_and_writes_nothing(site: Path, capsys: Output) -> None:
    assert main(["render", "ozone.yaml", "-o", "out", "--check"]) == 1
    assert not (site / "out").exists()
    main(["render", "ozone.yaml", "-o", "out"])
    capsys.readouterr()
    assert main(["render", "ozone.yaml", "-o", "out", "--check"]) == 0
    assert capsys.readouterr().out == "a: out is up to date\n"
    (site / "out" / "README.md").write_text("mine\n")
    (site / "out" / ".gitignore").unlink()
    before = files(site / "out")
    assert main(["render", "ozone.yaml", "-o", "out", "--check"]) == 1
    assert capsys.readouterr().out == "added    out/.gitignore\nchanged  out/README.md\n"
    assert files(site / "out") == before


def test_diff_shows_what_would_change(site: Path, capsys: Output) -> None:
    main(["render", "ozone.yaml", "-o", "out"])
    readme = site / "out" / "README.md"
    was = readme.read_text()
    readme.write_text(was + "mine\n")
    capsys.readouterr()
    assert main(["render", "ozone.yaml", "-o", "out", "--diff"]) == 0
    out, _ = capsys.readouterr()
    assert "--- a/README.md\n+++ b/README.md\n" in out
    assert out.endswith("-mine\n")
    assert readme.read_text() == was + "mine\n"
    assert main(["render", "ozone.yaml", "-o", "out", "--diff", "--check"]) == 1
    assert capsys.readouterr().out == out


def test_force_with_check_is_a_contradiction(site: Path, capsys: Output) -> None:
    assert main(["render", "ozone.yaml", "-o", "out", "--force", "--check"]) == 2
    assert "--force has no meaning" in capsys.readouterr().err


def test_warnings_do_not_stop(site: Path, capsys: Output) -> None:
    Path("ozone.yaml").write_text(EXTERNAL.replace("${P}", "s3cr3t") % "a")
    assert main(["render", "ozone.yaml", "-o", "out"]) == 0
    assert "warning[OZ109]" in capsys.readouterr().err
    assert [path for path, content in files(site / "out").items() if b"s3cr3t" in content] == [".env"]


def test_a_folder_that_cannot_be_written_is_no_finding(site: Path, capsys: Output) -> None:
    Path("out").write_text("a file")
    assert main(["render", "ozone.yaml", "-o", "out"]) == 2
    assert "error[OZ404]" in capsys.readouterr().err


# --- validate


def test_validate_says_so_when_nothing_is_wrong(site: Path, capsys: Output) -> None:
    assert main(["validate", "ozone.yaml"]) == 0
    assert capsys.readouterr() == ("no problems found\n", "")


def test_validate_prints_findings_of_all_files(site: Path, capsys: Output) -> None:
    assert main(["validate", broken("bad.yaml"), "ozone.yaml", "missing.yaml"]) == 1
    out, err = capsys.readouterr()
    assert "bad.yaml:2:20: error[OZ101]" in out
    assert "missing.yaml: error[OZ001] there is no such file" in out
    assert out.endswith("2 errors in 2 files\n")
    assert err == ""


def test_validate_for_programs(site: Path, capsys: Output) -> None:
    assert main(["validate", broken("bad.yaml"), "--format", "json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["file"], found["line"], found["code"]) == ("bad.yaml", 2, "OZ101")
    assert main(["validate", "ozone.yaml", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert main(["validate", "bad.yaml", "--format", "github"]) == 1
    assert capsys.readouterr().out.startswith("::error file=bad.yaml,line=2,col=20,")


def test_the_formats_are_those_of_the_renderers() -> None:
    (option,) = (each for each in cli.validate.params if each.name == "form")
    assert sorted(option.type.choices) == sorted([*FORMATS, "junit", "sarif"])  # type: ignore[attr-defined]


# --- preview


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the command asks of the preview, which then fails."""
    found: dict[str, Any] = {}

    def run(files: Any, tables: Any, data: Any, out: Any, stages: Any, **more: Any) -> None:
        found.update(more, files=files, tables=[table.name for table in tables], data=data, out=out)
        raise OutputError(codes.FlinkMissing.at(Position("preview"), "no Flink in this test"))

    monkeypatch.setattr(preview, "run_preview", run)
    return found


def test_a_preview_of_demo_data(site: Path, asked: dict[str, Any], capsys: Output) -> None:
    assert main(["preview", "ozone.yaml"]) == 2
    assert "preview: error[OZ421] no Flink in this test" in capsys.readouterr().err
    assert asked["tables"] == ["patients"]
    assert "sql/patients.sql" in asked["files"]
    assert asked["data"].startswith(b"SET NAMES utf8mb4;")
    assert (asked["out"], asked["rows"], asked["database"]) == (Path("out/preview"), 5, None)


def test_a_preview_of_a_dump(site: Path, asked: dict[str, Any]) -> None:
    assert main(["preview", "ozone.yaml", "--dump", "x.sql", "-o", "p", "--rows", "9"]) == 2
    assert asked["data"] == Path("x.sql")
    assert (asked["out"], asked["rows"], asked["database"]) == (Path("p"), 9, "openmrs")


def test_a_preview_of_a_wrong_file(site: Path, asked: dict[str, Any], capsys: Output) -> None:
    assert main(["preview", broken("bad.yaml")]) == 1
    assert "error[OZ101]" in capsys.readouterr().err
    assert asked == {}


def test_a_preview_shows_its_tables(site: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    columns, types = ("patient_id", "given_name"), ("bigint", "text")
    table = PreviewTable("patients", columns, types, "patient_id", 1, (1, 1), ((7, "Amina"),), Path("x"))
    warning = codes.DamagedText.at(Position("x.sql", 3), "a letter is damaged")
    result = Preview((table,), {"patient": 1}, {}, (warning,))
    monkeypatch.setattr(preview, "run_preview", lambda *_, **__: result)
    assert main(["preview", "ozone.yaml"]) == 0
    out, err = capsys.readouterr()
    assert "Amina" in out
    assert "x.sql:3:0: warning[OZ027] a letter is damaged" in err


def test_a_report_of_a_preview(site: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    columns, types = ("patient_id", "given_name"), ("bigint", "text")
    table = PreviewTable("patients", columns, types, "patient_id", 1, (1, 1), ((7, "Amina"),), Path("x"))
    profile = TableProfile(
        "patients", 1, tuple(ColumnProfile(name, Kind.TEXT, 1, 1, 1, 1) for name in columns)
    )
    warning = codes.DamagedText.at(Position("x.sql", 3), "a letter of patient 7 is damaged")
    monkeypatch.setattr(preview, "run_preview", lambda *_, **__: Preview((table,), {}, {}, (warning,)))
    monkeypatch.setattr(preview, "profiles_of", lambda *_, **__: {"patients": profile})
    assert main(["preview", "ozone.yaml", "--html", "report.html"]) == 0
    assert capsys.readouterr().out.endswith("report: report.html\n")
    page = Path("report.html").read_text(encoding="utf-8")
    assert "Amina" in page
    assert "a letter of patient 7 is damaged" in page
    assert main(["preview", "ozone.yaml", "--html", "report.html", "--no-rows"]) == 0
    page = Path("report.html").read_text(encoding="utf-8")
    assert "Made to be shared." in page
    assert "Amina" not in page
    assert "patient 7" not in page


def test_no_rows_is_about_a_report(site: Path, capsys: Output) -> None:
    assert main(["preview", "ozone.yaml", "--no-rows"]) == 2
    assert "name a file with --html" in capsys.readouterr().err


# --- the rest


def test_schema(capsys: Output) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == schema_text()


def test_explain(capsys: Output) -> None:
    assert main(["explain", "oz101"]) == 0
    assert capsys.readouterr().out == codes.explain(codes.UnknownKey)
    assert main(["explain"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(codes.all_codes())
    assert main(["explain", "unknown-kye"]) == 2
    assert "did you mean unknown-key" in capsys.readouterr().err


def test_demo_data_goes_into_a_file_or_on(site: Path, capsys: Output) -> None:
    assert main(["demo-data", "--patients", "2", "-o", "demo.sql"]) == 0
    written = Path("demo.sql").read_text(encoding="utf-8")
    assert "INSERT INTO" in written
    assert main(["demo-data", "--patients", "2"]) == 0
    assert capsys.readouterr().out == written
    assert main(["demo-data", "--patients", "2", "--seed", "2", "-o", "other.sql"]) == 0
    assert Path("other.sql").read_text(encoding="utf-8") != written


def test_demo_data_leaves_no_half_file(site: Path, capsys: Output) -> None:
    assert main(["demo-data", "-o", "missing/demo.sql"]) == 2
    assert "missing/demo.sql: error[OZ404]" in capsys.readouterr().err
    assert list(site.iterdir()) == [site / "ozone.yaml"]


def test_version_and_help(capsys: Output) -> None:
    assert main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out
    assert main(["--help"]) == 0
    out, _ = capsys.readouterr()
    for command in ("render", "validate", "schema", "explain", "preview", "demo-data"):
        assert command in out


@pytest.mark.parametrize("arguments", [["rendr"], ["render"], ["validate"], ["validate", "x", "--format", "xml"]])
def test_wrong_usage_is_not_a_finding(arguments: list[str], capsys: Output) -> None:
    assert main(arguments) == 2
    assert "Usage: " in capsys.readouterr().err


def test_our_fault_is_said_without_a_traceback(
    site: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: str) -> None:
        raise RuntimeError("something of ours")

    monkeypatch.setattr(load, "load", fail)
    assert main(["validate", "ozone.yaml"]) == 2
    out, err = capsys.readouterr()
    assert out.startswith("ozone.yaml: error[OZ901]")
    assert "something of ours" in out
    assert "please report" in out
    assert "Traceback" not in out + err
    monkeypatch.setenv(outcome.DEBUG, "1")
    assert main(["render", "ozone.yaml", "-o", "out"]) == 2
    _, err = capsys.readouterr()
    assert err.startswith("Traceback")
    assert "error[OZ901]" in err


def test_an_interrupt_is_no_traceback(site: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(file: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(load, "load", interrupt)
    assert main(["validate", "ozone.yaml"]) == 130
    assert capsys.readouterr().err.strip() == "interrupted"


def test_a_reader_that_leaves_early_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ozone_gen", "demo-data", "--patients", "40"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 141
    process.stderr.close()


def test_names_of_any_alphabet_are_printed_on_any_terminal(site: Path) -> None:
    Path("ozone.yaml").write_text(EXTERNAL.replace("name: A", "name: A, naïve_Ω: 1") % "a", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ozone_gen", "validate", "ozone.yaml"],
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"na\xefve_\\u03a9" in done.stdout
    assert done.stderr == b""


def test_the_help_imports_nothing_heavy() -> None:
    program = "import sys, ozone_gen.cli as c; c.main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    loaded = set(done.stderr.split())
    assert loaded.isdisjoint({"pydantic", "ruamel.yaml", "jinja2", "rich", "jsonschema", "ozone_gen.spec"})


def test_validating_does_not_load_what_renders() -> None:
    example = Path(__file__).parents[2] / "examples" / "demo" / "ozone.yaml"
    program = (
        f"import sys, ozone_gen.cli as c; c.main(['validate', {str(example)!r}]);"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    loaded = set(done.stderr.split())
    assert "ozone_gen.spec" in loaded
    assert loaded.isdisjoint({"jinja2", "rich", "jsonschema", "ozone_gen.generate", "ozone_gen.plan.build"})
    # There is no lock to read.
    assert "ozone_gen.lock" not in loaded
    # pydantic imports it to look for plugins, which it is not to do (ozone_gen.cli).
    assert "importlib.metadata" not in loaded


def on_a_terminal(arguments: list[str], **environment: str) -> str:
    """What the command shows on a terminal, on both outputs."""
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ozone_gen", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=child,
        stderr=child,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", **environment},
    )
    os.close(child)
    shown = b""
    # On Linux reading fails once the other side is closed.
    with suppress(OSError):
        while piece := os.read(parent, 4096):
            shown += piece
    os.close(parent)
    process.wait()
    return shown.decode()


def test_findings_have_colours_on_a_terminal(site: Path) -> None:
    broken("bad.yaml")
    assert "\x1b[31m" in on_a_terminal(["validate", "bad.yaml"])
    assert "\x1b[" not in on_a_terminal(["validate", "bad.yaml"], NO_COLOR="1")
    assert "\x1b[32m+" in on_a_terminal(["render", "ozone.yaml", "-o", "out", "--diff"])


def test_long_work_shows_how_far_it_is(site: Path) -> None:
    shown = on_a_terminal(["demo-data", "--patients", "80", "-o", "demo.sql"])
    assert "making up" in shown
    assert "80/80" in shown


def test_a_database_is_not_poured_onto_a_terminal(site: Path) -> None:
    shown = on_a_terminal(["demo-data"])
    assert "name a file with -o" in shown
    assert "INSERT" not in shown

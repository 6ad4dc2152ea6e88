from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ozone_gen.diagnostics import OutputError
from ozone_gen.preview.flink import child_environment, last_cause, run_flink
from ozone_gen.preview.java import Java

JAVA = Java(Path("/java"), 17)


def run(tmp_path: Path, program: str, started: list[str]) -> None:
    """Run a program in place of flatten.py."""
    path = tmp_path / "program.py"
    path.write_text("import json, os, pathlib, sys, time\n" + program, encoding="utf-8")
    work = tmp_path / "a work's folder"
    work.mkdir()
    log = tmp_path / "flink.log"
    run_flink(path, work, log, JAVA, input_bytes=1, started=lambda: started.append("started"))


def test_a_job_that_runs(tmp_path: Path) -> None:
    started: list[str] = []
    program = """
pathlib.Path("result/vitals").mkdir(parents=True)
told = {name: os.environ[name] for name in ("OZONE_PREVIEW", "JAVA_HOME", "TMPDIR")}
pathlib.Path("told.json").write_text(json.dumps([sys.argv[1:], told]))
time.sleep(0.5)
print("filled: vitals")
"""
    run(tmp_path, program, started)
    work = tmp_path / "a work's folder"
    arguments, environment = json.loads((work / "told.json").read_text(encoding="utf-8"))
    assert arguments == ["--job", str(work / "job.json"), "--mode", "batch"]
    assert environment == {
        "OZONE_PREVIEW": f"file://{work}",
        "JAVA_HOME": "/java",
        "TMPDIR": str(work / "tmp"),
    }
    assert started == ["started"]
    assert not (tmp_path / "flink.log").exists()


def test_a_job_that_fails(tmp_path: Path) -> None:
    program = "print('at some.java.Class'); print('flatten: table vitals: no', file=sys.stderr); sys.exit(1)"
    with pytest.raises(OutputError) as error:
        run(tmp_path, program, [])
    (diagnostic,) = error.value.diagnostics
    log = tmp_path / "flink.log"
    assert (diagnostic.code, diagnostic.position.file) == ("OZ423", str(log))
    assert diagnostic.message == "Flink could not flatten the data: table vitals: no"
    assert diagnostic.hint == f"see {log}"
    assert "some.java.Class" in log.read_text(encoding="utf-8")


def test_an_interrupt_ends_the_child_and_its_children(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    # The grandchild stands for Java, which does not heed a Ctrl-C.
    program.write_text(
        "import os, pathlib, signal, time\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "parent = os.fork()\n"
        "name = 'child' if parent else 'grandchild'\n"
        "pathlib.Path(f'{name}.part').write_text(str(os.getpid()))\n"
        "os.rename(f'{name}.part', name)\n"
        "while not (os.path.exists('child') and os.path.exists('grandchild')): time.sleep(0.01)\n"
        "pathlib.Path('result').mkdir(exist_ok=True)\n"
        "time.sleep(600)\n",
        encoding="utf-8",
    )
    log = tmp_path / "flink.log"

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_flink(program, tmp_path, log, JAVA, input_bytes=1, started=interrupt)
    for name in ("child", "grandchild"):
        assert _ended(int((tmp_path / name).read_text(encoding="utf-8")))
    assert not log.exists()


def _ended(pid: int) -> bool:
    """Whether a process is gone; a killed one may still wait to be collected by its new parent."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text(encoding="utf-8").rpartition(")")[2].split()[0] in "ZX"


def test_the_environment_of_the_child() -> None:
    given = {"PATH": "/bin", "JAVA_HOME": "/other", "JDK_JAVA_OPTIONS": "-Xmx4g"}
    work = Path("/a b")
    small = child_environment(given, work, Path("/log"), JAVA, small=True)
    assert small["PATH"] == "/bin"
    assert small["JAVA_HOME"] == "/java"
    assert small["JDK_JAVA_OPTIONS"].split()[0] == "-XX:+UseSerialGC"
    assert '-Djava.io.tmpdir="/a b/tmp"' in small["JDK_JAVA_OPTIONS"]
    assert small["JDK_JAVA_OPTIONS"].endswith("-XX:TieredStopAtLevel=1 -Xmx4g")
    large = child_environment(given, work, Path("/log"), JAVA, small=False)
    assert "TieredStopAtLevel" not in large["JDK_JAVA_OPTIONS"]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "it said nothing"),
        (
            "Traceback ...\nModuleNotFoundError: No module named 'x'\n\n",
            "ModuleNotFoundError: No module named 'x'",
        ),
        ("Caused by: java.A: a\nCaused by: java.B: b\n\tat x.y\n", "java.B: b"),
        ("Caused by: java.A: a\nflatten: table t: c\nWARN more", "table t: c"),
        ("Exception\n  Caused by: java.A: \ufffd", "java.A: \ufffd"),
    ],
)
def test_the_cause_in_a_log(text: str, cause: str, tmp_path: Path) -> None:
    log = tmp_path / "flink.log"
    log.write_text(text, encoding="utf-8")
    assert last_cause(log) == cause

"""Differences between two sets of files, and their unified diff, which git can apply."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ozone_gen.compare import Difference, Kind, compare, unified_diff
from ozone_gen.render.tree import File, FileTree


def tree(**files: bytes) -> FileTree:
    return FileTree(File(path, content) for path, content in files.items())


def test_differences() -> None:
    old = tree(same=b"1", changed=b"1", removed=b"1")
    new = tree(same=b"1", changed=b"2", added=b"3")
    assert compare(old, new) == [
        Difference("added", Kind.ADDED, None, b"3"),
        Difference("changed", Kind.CHANGED, b"1", b"2"),
        Difference("removed", Kind.REMOVED, b"1", None),
    ]
    assert compare(old, old) == []
    assert unified_diff([]) == ""


def test_an_executable_bit_is_a_difference() -> None:
    old, new = {"run": File("run", b"x")}, {"run": File("run", b"x", executable=True)}
    found = compare(old, new)
    assert found == [Difference("run", Kind.CHANGED, b"x", b"x", False, True)]
    assert unified_diff(found) == "diff --git a/run b/run\nold mode 100644\nnew mode 100755\n"


def test_seeds_are_not_compared() -> None:
    seed = FileTree([File(".env", b"PASSWORD=demo\n", seed=True)])
    assert compare({}, seed) == []
    assert compare({".env": File(".env", b"PASSWORD=mine\n")}, seed) == []
    assert compare(seed, {}) == []


def test_unified_diff() -> None:
    old = tree(a=b"1\n2\n3\n", b=b"x", c=b"\0", gone=b"bye\n")
    new = tree(a=b"1\n2.5\n3\n", b=b"x\n", c=b"\xff", new=b"hello\n")
    assert unified_diff(compare(old, new)) == (
        """\
diff --git a/a b/a
--- a/a
+++ b/a
@@ -1,3 +1,3 @@
 1
-2
+2.5
 3
diff --git a/b b/b
--- a/b
+++ b/b
@@ -1 +1 @@
-x
\\ No newline at end of file
+x
diff --git a/c b/c
Binary files a/c and b/c differ
diff --git a/gone b/gone
deleted file mode 100644
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-bye
diff --git a/new b/new
new file mode 100644
--- /dev/null
+++ b/new
@@ -0,0 +1 @@
+hello
"""
    )


CONTENT = st.text(st.sampled_from("ab\n\r\x0b\x0c\x85\u2028 \t"), max_size=12).map(str.encode)
FILES = st.dictionaries(
    st.sampled_from(["a", "b c", "d/e", "d/f"]),
    st.tuples(CONTENT, st.booleans()),
)


def write(folder: Path, files: dict[str, tuple[bytes, bool]]) -> None:
    for path, (content, executable) in files.items():
        target = folder / path
        target.parent.mkdir(exist_ok=True, parents=True)
        target.write_bytes(content)
        target.chmod(0o755 if executable else 0o644)


def read(folder: Path) -> dict[str, tuple[bytes, bool]]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in folder.rglob("*")
        if path.is_file()
    }


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=FILES, new=FILES)
def test_git_applies_the_diff(
    tmp_path_factory: pytest.TempPathFactory,
    old: dict[str, tuple[bytes, bool]],
    new: dict[str, tuple[bytes, bool]],
) -> None:
    folder = tmp_path_factory.mktemp("diff")
    write(folder, old)
    trees = [
        FileTree(File(path, content, executable) for path, (content, executable) in files.items())
        for files in (old, new)
    ]
    patch = unified_diff(compare(*trees))
    if patch:
        subprocess.run(
            ["git", "apply", "--whitespace=nowarn", "-"], cwd=folder, input=patch.encode(), check=True
        )
    assert read(folder) == new

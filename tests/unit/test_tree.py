"""Paths that may be written, and trees without clashes."""

from __future__ import annotations

import pytest

from ozone_gen.render.tree import File, FileTree


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "manifest.json",
        ".env.example",
        "flink/sql/vitals.sql",
        "a b/c",
        "kafka/é.json",
        "a" * 255,
        "...x",
    ],
)
def test_paths_inside_the_folder(path: str) -> None:
    assert File(path, b"").path == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../a",
        "a/../b",
        "a/..",
        ".",
        "./a",
        "a//b",
        "a/",
        "a\\b",
        "C:/a",
        "a\x00b",
        "a\nb",
        "a*",
        "what?",
        "a|b",
        "<a>",
        'a"b',
        "a.",
        "a ",
        " a",
        "a./b",
        "a" * 256,
        "é" * 128,
        "\ud800",
    ],
)
def test_paths_that_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="cannot be the path of an output file"):
        File(path, b"")


def test_a_tree_is_a_mapping_in_order_of_paths() -> None:
    first, second = File("b/x", b"1"), File("a", b"2", executable=True)
    tree = FileTree([first, second])
    assert list(tree.items()) == [("a", second), ("b/x", first)]
    assert tree["a"] is second
    assert len(tree) == 2
    assert "c" not in tree
    assert tree == FileTree([second, first])
    assert tree != FileTree([first])
    assert repr(tree) == "FileTree(a, b/x)"
    assert FileTree([*tree.values(), File("c", b"")]).keys() == {"a", "b/x", "c"}


@pytest.mark.parametrize(
    ("first", "second"),
    [("kafka/a", "kafka/a"), ("kafka/a", "Kafka/A"), ("kafka", "kafka/a"), ("Kafka", "kafka/b/c")],
)
def test_a_clash_names_both_files_and_their_makers(first: str, second: str) -> None:
    parts = [("kafka", [File(first, b"1")]), ("connect", [File(second, b"2")])]
    for each in (parts, parts[::-1]):
        with pytest.raises(ValueError, match="cannot exist together") as caught:
            FileTree.merge(each)
        assert f"{first} of kafka" in str(caught.value)
        assert f"{second} of connect" in str(caught.value)
    with pytest.raises(ValueError, match=f"{first} and {second}"):
        FileTree([File(first, b""), File(second, b"")])


def test_parts_merge() -> None:
    tree = FileTree.merge([("kafka", [File("k", b"")]), ("connect", [File("c/d", b"")]), ("none", [])])
    assert list(tree) == ["c/d", "k"]

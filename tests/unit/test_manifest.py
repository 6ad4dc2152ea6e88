"""The manifest lists what the tool owns; the hand-written reader takes exactly what the schema takes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import jsonschema
import pytest

from ozone_gen import __version__
from ozone_gen.render.manifest import MANIFEST, Entry, parse_manifest, with_manifest
from ozone_gen.render.tree import File, FileTree
from ozone_gen.resources import load_schema

HASH = "0" * 64
TREE = FileTree(
    [File("b/run", b"x", executable=True), File("a", b"\xff"), File(".env", b"PASSWORD=demo", seed=True)]
)


def test_it_lists_what_was_written_but_seeds_and_itself() -> None:
    tree = with_manifest(TREE, input_sha256=HASH)
    assert list(tree) == [".env", "a", "b/run", MANIFEST]
    content = tree[MANIFEST].content
    jsonschema.validate(json.loads(content), load_schema("manifest"))
    manifest = parse_manifest(content)
    assert (manifest.ozone_gen, manifest.input_sha256) == (__version__, HASH)
    assert manifest.files == {
        "a": Entry(hashlib.sha256(b"\xff").hexdigest(), False),
        "b/run": Entry(hashlib.sha256(b"x").hexdigest(), True),
    }
    assert list(json.loads(content)["files"]) == ["a", "b/run"]


def test_a_tree_has_one_manifest() -> None:
    with pytest.raises(ValueError, match=r"manifest\.json of the site and manifest\.json of the manifest"):
        with_manifest(with_manifest(TREE, input_sha256=HASH), input_sha256=HASH)


ENTRY = {"sha256": HASH, "executable": False}
GOOD = {"ozone_gen": "0.1.0", "input_sha256": HASH, "files": {"a": ENTRY}}


@pytest.mark.parametrize(
    "data",
    [
        GOOD,
        GOOD | {"files": {}},
        [],
        None,
        "x",
        {},
        {key: value for key, value in GOOD.items() if key != "ozone_gen"},
        GOOD | {"more": 1},
        GOOD | {"ozone_gen": ""},
        GOOD | {"ozone_gen": 1},
        GOOD | {"input_sha256": HASH[1:]},
        GOOD | {"input_sha256": HASH[1:] + "A"},
        GOOD | {"input_sha256": None},
        GOOD | {"files": []},
        GOOD | {"files": {"a": HASH}},
        GOOD | {"files": {"a": {"sha256": HASH}}},
        GOOD | {"files": {"a": ENTRY | {"size": 1}}},
        GOOD | {"files": {"a": ENTRY | {"executable": 0}}},
        GOOD | {"files": {"a": ENTRY | {"sha256": 0}}},
    ],
)
def test_reader_and_schema_take_the_same(data: Any) -> None:
    by_schema = jsonschema.Draft7Validator(load_schema("manifest")).is_valid(data)
    try:
        parse_manifest(json.dumps(data).encode())
    except ValueError:
        assert not by_schema
    else:
        assert by_schema


@pytest.mark.parametrize("path", ["../a", "/etc/passwd", "a/../../b", "", "a\\b", MANIFEST])
def test_paths_out_of_the_folder_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="it lists the path"):
        parse_manifest(json.dumps(GOOD | {"files": {path: ENTRY}}).encode())


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it is not JSON"),
        (b"{", "it is not JSON"),
        (b"\xff\xfe{}", "it is not JSON"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b"<<<<<<< HEAD\n{}", "it is not JSON"),
    ],
)
def test_what_is_no_json(content: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_manifest(content)

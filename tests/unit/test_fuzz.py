"""Whatever stands in an ozone.yaml: it is valid and can be rendered, or it has located findings. Never else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozone_gen.cli import main
from ozone_gen.diagnostics import OzoneError
from ozone_gen.diagnostics.renderers import FORMATS
from ozone_gen.load import Site, site_of
from ozone_gen.render.emit import yaml_bytes
from ozone_gen.rendering import site_tree
from ozone_gen.source import parse_source

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/ozone.yaml"))
TEXTS = [path.read_bytes() for path in EXAMPLES]
WORDS = [
    *("yes", "no", "on", "null", "~", "true", "2.5", '"2.5"', "3306", "0o17", "1e3", ".inf", "2024-01-01", "12:30"),
    *("${DB}", "${db}", "$DB", "${", "}", "{}", "[]", "[", "]", "{", "&a", "*a", "<<: *a", "!!int"),
    *("|", ">", "- ", "? ", "all", "openmrs", "x" * 300, "9" * 25),
    *("CIEL:5089", "CIEL: 5089", "5089", "' OR 1=1 --", "`", '"', "'", "\\", "../..", "/etc/passwd", "\0", "\ud800"),
    *(": ", "\n", "\t", " #", "%YAML 1.1", "---", "...", "é", "\u202e", "\ufeff"),
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from([word for word in WORDS if word.isprintable()]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS[:20]), inner, max_size=3),
    max_leaves=6,
)


def checked(content: bytes) -> Site | None:
    """The site, or None after looking at what is said about the file."""
    try:
        return site_of(parse_source(content, "x.yaml"))
    except OzoneError as error:
        findings = error.diagnostics
    assert findings
    for finding in findings:
        assert finding.position.file == "x.yaml"
        assert finding.position.line <= content.count(b"\n") + content.count(b"\r") + 2
        assert finding.message
    for render in FORMATS.values():
        render(findings).encode()
    return None


def places(data: Any) -> list[tuple[Any, Any]]:
    """Every mapping or list of a document, with each key or index in it."""
    found: list[tuple[Any, Any]] = []
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        found.append((data, key))
        found += places(value)
    return found


def mutated(data: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
    """Change a document at one place."""
    parent, key = draw(st.sampled_from(places(data)))
    kind = draw(st.sampled_from(("delete", "replace", "rename", "repeat", "move")))
    if kind == "delete":
        del parent[key]
    elif kind == "replace":
        parent[key] = draw(VALUES)
    elif kind == "rename" and isinstance(parent, dict):
        parent[draw(st.sampled_from(WORDS) | st.text(max_size=5)) or "x"] = parent.pop(key)
    elif kind == "repeat" and isinstance(parent, dict):
        parent[f"{key}_again"] = parent[key]
    elif kind == "repeat":
        parent.append(parent[key])
    else:
        _, other = draw(st.sampled_from(places(data)))
        parent[key] = other


@given(st.data())
def test_changed_documents(data: st.DataObject) -> None:
    document = parse_source(data.draw(st.sampled_from(TEXTS)), "x.yaml").data
    for _ in range(data.draw(st.integers(1, 4))):
        if places(document):
            mutated(document, data.draw)
    try:
        content = yaml_bytes(document)
    except ValueError:
        return  # Half a surrogate pair cannot be written.
    site = checked(content)
    # What is valid can be rendered. (Demo data are left out: a change may ask for thousands of patients.)
    if site is not None and not any(source.demo for source in site.spec.sources.values()):
        assert "manifest.json" in site_tree(site)[1]


@given(st.data())
def test_changed_texts(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(TEXTS)).decode()
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 30)))
        text = text[:start] + data.draw(st.sampled_from(["", *WORDS]) | st.just(text[start:end] * 2)) + text[end:]
    checked(text.encode("utf-8", "surrogatepass"))


@given(st.data())
def test_changed_lines(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from(TEXTS)).splitlines(keepends=True)
    order = data.draw(st.lists(st.integers(0, len(lines) - 1), max_size=len(lines)))
    checked(b"".join(lines[place] for place in order))


@given(st.binary(max_size=200), st.sampled_from(TEXTS), st.integers(0, 400))
def test_any_bytes(content: bytes, example: bytes, place: int) -> None:
    checked(content)
    checked(example[:place] + content + example[place:])


@settings(max_examples=25)
@given(st.data())
def test_the_command_line_never_shows_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    example = data.draw(st.sampled_from(TEXTS))
    place = data.draw(st.integers(0, len(example)))
    word = data.draw(st.sampled_from(WORDS)).encode("utf-8", "surrogatepass")
    file = folder / "ozone.yaml"
    file.write_bytes(example[:place] + word + example[place:])
    for form in FORMATS:
        assert main(["validate", str(file), "--format", form]) in (0, 1)
    out = folder / "out"
    if main(["render", str(file), "-o", str(out), "--check"]) == 1:
        assert not out.exists()

"""What was written is read back as it was, and nothing else is read as if it had been written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozone_gen.render.emit import yaml_bytes
from ozone_gen.render.emitted import read_emitted

TEXTS = st.one_of(
    st.text(alphabet=st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(["yes", "null", "12:30", "CIEL:5089", "a: b", "- a", "{}", "[]", "1e3", "0x1", "", " x ", "|"]),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS)
DATA = st.dictionaries(
    TEXTS,
    st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)),
    max_size=4,
)


@given(DATA)
def test_what_was_written_is_read_back(data: dict[str, Any]) -> None:
    assert read_emitted(yaml_bytes(data, comment="a comment\n\nof ours").decode()) == data


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        "key\n",
        "a:\n",
        "a: 1\n  b: 2\n",
        "a: 1\na: 2\n",
        "a: |\n  text\n",
        "a: {b: 1}\n",
        "a: 'b'\n",
        'a: "b\n',
        '"a: b\n',
        "a:\n    b: 1\n",
        "<<<<<<< HEAD\na: 1\n",
        "a:\n  - 1\n - 2\n",
    ],
)
def test_what_was_not_written_by_us_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        read_emitted(text)

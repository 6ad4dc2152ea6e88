"""Templates fill in strictly and add or swallow no line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from ozone_gen.render import text


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(text, "templates", lambda: tmp_path)
    text._environment.cache_clear()
    yield tmp_path
    text._environment.cache_clear()


def test_a_template_is_filled_in_without_escapes_of_html(folder: Path) -> None:
    (folder / "sql").mkdir()
    (folder / "sql" / "table.sql.j2").write_text(
        "-- {{ table.name }}\n{% for column in columns %}\n  {{ column }},\n{% endfor %}\n<&>'é\n",
        encoding="utf-8",
    )
    rendered = text.render_text("sql/table.sql.j2", table={"name": "a<b"}, columns=["x", "y"])
    assert rendered.decode() == "-- a<b\n  x,\n  y,\n<&>'é\n"


@pytest.mark.parametrize("ending", ["", "\n", "\n\n"])
def test_the_end_of_a_file_is_kept(folder: Path, ending: str) -> None:
    (folder / "a.j2").write_text("a" + ending)
    assert text.render_text("a.j2") == b"a" + ending.encode()


@pytest.mark.parametrize(
    "expression", ["{{ missing }}", "{{ table.missing }}", "{% if missing %}{% endif %}"]
)
def test_a_missing_value_is_an_error(folder: Path, expression: str) -> None:
    (folder / "a.j2").write_text(expression)
    with pytest.raises(jinja2.UndefinedError, match="missing"):
        text.render_text("a.j2", table={})


@pytest.mark.parametrize("name", ["none.j2", "../a.j2", "/etc/hostname"])
def test_a_template_lies_in_the_folder(name: str) -> None:
    with pytest.raises(jinja2.TemplateNotFound):
        text.render_text(name)

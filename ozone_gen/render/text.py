"""Text files from jinja templates. YAML and JSON files are built as data and go through `emit` instead."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ozone_gen.resources import templates

if TYPE_CHECKING:
    from jinja2 import Environment


def render_text(template_name: str, **context: object) -> bytes:
    """The template of `templates/` with that path, filled in, as UTF-8.

    A value that the template names and `context` lacks is jinja2's UndefinedError, a template that does not
    exist its TemplateNotFound: both are bugs of ours and not for a caller to handle.
    """
    return _environment().get_template(template_name).render(context).encode()


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(templates()),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # The texts are SQL, Dockerfiles, Markdown, and none of them HTML.
        auto_reload=False,
    )

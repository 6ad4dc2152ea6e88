"""Text files from jinja templates. YAML and JSON files are built as data and go through `emit` instead."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from ozone_gen.resources import templates

if TYPE_CHECKING:
    from jinja2 import Environment


def render_text(template_name: str, **context: object) -> bytes:
    """The template of `templates/` with that path, filled in, as UTF-8.

    A value that the template names and `context` lacks is jinja2's UndefinedError, a template that does not
    exist its TemplateNotFound: both are bugs of ours and not for a caller to handle.
    """
    return _environment().get_template(template_name).render(context).encode()


# What a page cannot hold, or what turns the direction of the text behind it.
_NOT_FOR_PAGES: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def render_html(template_name: str, **context: object) -> str:
    """The same for a page of HTML: every value is escaped, and control characters become spaces."""
    return _environment(html=True).get_template(template_name).render(context)


def _for_page(value: object) -> object:
    # What a macro made is a subclass of str and stays as it is.
    return _NOT_FOR_PAGES.sub(" ", value) if type(value) is str else value


@cache
def _environment(*, html: bool = False) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(templates()),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=html,  # The other texts are SQL, Dockerfiles, Markdown.
        auto_reload=False,
        finalize=_for_page if html else None,
    )
    made.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    return made

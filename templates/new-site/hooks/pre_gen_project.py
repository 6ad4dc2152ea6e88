"""Refuse answers that no file could hold. `ozone-gen new-site` has asked for them more politely before."""

from __future__ import annotations

import re
import sys

ANSWERS = {
    # As Python literals: an answer may hold quotes.
    "site_name": {{ cookiecutter.site_name | pprint }},
    "site_id": {{ cookiecutter.site_id | pprint }},
    "timezone": {{ cookiecutter.timezone | pprint }},
    "locales": {{ cookiecutter.locales | pprint }},
    "source_host": {{ cookiecutter.source_host | pprint }},
    "sink_host": {{ cookiecutter.sink_host | pprint }},
    "base": {{ cookiecutter.base | pprint }},
}
PATTERNS = {
    "site_name": (r"[^\x00-\x1f\x7f]{1,255}", "one line of text"),
    "site_id": (r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?", "lower-case letters, digits and hyphens, at most 42"),
    "timezone": (r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}", "an IANA time zone such as Africa/Nairobi"),
    "locales": (r"[a-z]{2,3}(_[A-Z]{2})?( *, *[a-z]{2,3}(_[A-Z]{2})?)*", "languages such as en, fr"),
    "source_host": (r"\$\{[A-Z][A-Z0-9_]*\}|[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?", "a host name"),
    "sink_host": (r"\$\{[A-Z][A-Z0-9_]*\}|[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?", "a host name"),
    "base": (r"[^\x00-\x1f\x7f]{1,255}", "the path of a file"),
}
wrong = [
    f"{name}: {ANSWERS[name]!r} is not {what}"
    for name, (pattern, what) in PATTERNS.items()
    if not re.fullmatch(pattern, ANSWERS[name])
]
if wrong:
    sys.exit("\n".join(wrong))

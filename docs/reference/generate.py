"""The pages of the reference that are made of the code: models, registry of codes, commands, formats of files.

They are committed, so that they can be read in git; a test compares them, and `make golden` writes them.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path

from docs.reference.command_page import command_page
from docs.reference.schema_page import SchemaPage
from ozone_gen.diagnostics import codes
from ozone_gen.json_schema import json_schema
from ozone_gen.resources import load_schema

FOLDER = Path(__file__).parent

HUNDREDS: Mapping[str, str] = {
    "OZ0": "Files: ozone.yaml, dumps, locks, dictionaries",
    "OZ1": "The shape of a value",
    "OZ2": "References",
    "OZ3": "Conflicts",
    "OZ4": "What is written, previewed, uploaded, compared, imported",
    "OZ5": "What containers are made of",
    "OZ9": "Our fault",
}
"""The groups of codes, by how they begin."""

OZONE_YAML = """\
# ozone.yaml: every key

Keys that are not listed here are errors. What is required is required wherever its mapping is there; a file that
[extends](../fleet.md) another may leave it to that one. `${VARIABLE}` is a variable of the site's `.env`, never of the
machine that renders.

An editor that knows JSON Schema completes and checks all of this: `ozone-gen schema` prints it, and a first line
`# yaml-language-server: $schema=PATH` names it. What a cell holds that a column declares is told by
[How observations become columns](../language.md).

"""

EXTENDING = """\
## Files that extend others

[Many sites](../fleet.md) tells how files are merged. Beside the keys above such a file has:

"""

CODES = """\
# Findings: every code

`ozone-gen explain CODE` prints the same, for the code or for its name. An error stops the command, a warning does not.
A code is never used again for something else.

"""

FILES = """\
# Files: lock, manifests, diff

What ozone-gen writes beside the site's own files. The JSON Schemas are in the folder `schemas` of the repository;
`ozone-gen schema ozone.lock` and `ozone-gen schema dictionary` print two of them.

"""

FORMATS: Mapping[str, tuple[str, str, str]] = {
    "ozone.lock": (
        "ozone.lock.yaml",
        "[What a site refers to](../resolve.md), as its own dictionary has it. Commit it; never edit it.",
        "of the lock",
    ),
    "dictionary": (
        "dictionary.json",
        "A whole dictionary, by `ozone-gen dictionary`: for machines that cannot reach the database.",
        "of a dictionary",
    ),
    "manifest": (
        "manifest.json",
        "Stands in every rendered folder and says which of its files are ozone-gen's. Others are never touched.",
        "of a folder's manifest",
    ),
    "export-manifest": (
        "The manifest of an export",
        "Stands in `parquet/_exports/site=TAG/date=DAY.json`. [It is written last](../central.md), so what it names is "
        "whole.",
        "of an export's manifest",
    ),
    "diff": (
        "The output of diff --format json",
        "[What a change means](../review.md), for programs. Keys are added in later versions; none is renamed or "
        "removed without another `version`.",
        "of a diff",
    ),
}
"""By the name of their schema: heading, introduction, and whose mappings the page's headings speak of."""


def pages() -> dict[str, str]:
    """Every generated page by its name in this folder."""
    return {
        "ozone-yaml.md": ozone_yaml(),
        "commands.md": command_page(),
        "codes.md": codes_page(),
        "files.md": files_page(),
    }


def ozone_yaml() -> str:
    """Every key of ozone.yaml."""
    schema = json_schema("ozone")
    page = SchemaPage(schema)
    whole = schema["definitions"]["File"]
    part = schema["definitions"]["FilePart"]["properties"]
    more = {key: value for key, value in part.items() if key not in whole["properties"]}
    return tidy(
        OZONE_YAML,
        *page.sections(whole, "", 2),
        EXTENDING,
        *page.sections({"properties": more}, "", 2),
    )


def codes_page() -> str:
    """Every code, by its number."""
    parts = [CODES, "| code | name | |\n|---|---|---|\n"]
    every = codes.all_codes()
    for code in every:
        link = f"[{code.id}](#{code.id.lower()}-{code.name})"
        parts.append(f"| {link} | `{code.name}` | {about(code).splitlines()[0]} |\n")
    group = ""
    for code in every:
        if code.id[:3] != group:
            group = code.id[:3]
            parts.append(f"\n## {HUNDREDS[group]}\n")
        kind = " It is a warning." if code.severity == "warning" else ""
        first, _, rest = about(code).partition("\n")
        parts.append(f"\n### {code.id} {code.name}\n\n{first}{kind}\n{rest}\n")
    return tidy(*parts)


def about(code: type[codes.Code]) -> str:
    """What, why and how to mend it."""
    return inspect.cleandoc(code.__doc__ or "")


def files_page() -> str:
    """The formats of files, each as tables."""
    parts = [FILES]
    for name, (heading, introduction, of) in FORMATS.items():
        schema = load_schema(name)
        parts += [f"## {heading}\n\n{introduction}\n\n", *SchemaPage(schema, of).sections(schema, "", 3)]
    return tidy(*parts)


def tidy(*parts: str) -> str:
    """One text, with one newline at its end."""
    return "".join(parts).strip() + "\n"

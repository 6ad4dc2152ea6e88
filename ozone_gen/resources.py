"""Where the files that are no Python modules lie: templates, schemas, and the Flink programs.

In a checkout they stand beside the package at top level; a wheel carries them inside it, under `_data`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from ozone_gen.diagnostics import OutputError, Position, codes

_PACKAGE = Path(__file__).resolve().parent


def templates() -> Path:
    """The folder of templates, which mirrors the output folder."""
    return _folder("templates")


def schemas() -> Path:
    """The folder of JSON Schemas."""
    return _folder("schemas")


def flink_jobs() -> Path:
    """The folder of programs that run on Flink."""
    return _folder("flink_jobs")


@cache
def load_schema(name: str) -> dict[str, Any]:
    """The JSON Schema `schemas/NAME.schema.json`; read once and shared, so not to be changed."""
    schema: dict[str, Any] = json.loads((schemas() / f"{name}.schema.json").read_text(encoding="utf-8"))
    return schema


@cache
def _folder(name: str) -> Path:
    # The checkout comes first: an editable installation must use what is being edited.
    in_checkout = (_PACKAGE.parent / "pyproject.toml").is_file()
    folder = (_PACKAGE.parent if in_checkout else _PACKAGE / "_data") / name
    if not folder.is_dir():
        raise OutputError(
            codes.InternalError.at(
                Position(str(folder)),
                "a folder of ozone-gen itself is missing",
                hint="the installation is incomplete: install ozone-gen again",
            )
        )
    return folder

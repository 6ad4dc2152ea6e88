"""Two sets of files and how they differ: what `--check`, `--diff` and the golden tests share."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ozone_gen.render.tree import File


class Kind(StrEnum):
    """What becomes of a file on the way from the old set to the new one."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class Difference:
    """One file that differs. `old` is None where it is added, `new` where it is removed."""

    path: str
    kind: Kind
    old: bytes | None
    new: bytes | None
    old_executable: bool = False
    new_executable: bool = False


def compare(old: Mapping[str, File], new: Mapping[str, File]) -> list[Difference]:
    """The differences in the order of paths. Seeds belong to the reader and are left out."""
    differences: list[Difference] = []
    for path in sorted({*old, *new}):
        before, after = old.get(path), new.get(path)
        if (before and before.seed) or (after and after.seed):
            continue
        if before is None or after is None:
            kind = Kind.ADDED if before is None else Kind.REMOVED
        elif (before.content, before.executable) != (after.content, after.executable):
            kind = Kind.CHANGED
        else:
            continue
        differences.append(
            Difference(
                path,
                kind,
                before.content if before else None,
                after.content if after else None,
                before.executable if before else False,
                after.executable if after else False,
            )
        )
    return differences


def unified_diff(differences: Iterable[Difference]) -> str:
    """The differences as `git diff` would show them, for reading and for `git apply`.

    Of a file that is not text it is only said that it differs.
    """
    return "".join(line for difference in differences for line in _file_diff(difference))


def _file_diff(difference: Difference) -> list[str]:
    path = difference.path
    lines = [f"diff --git a/{path} b/{path}\n"]
    old_mode, new_mode = _mode(difference.old_executable), _mode(difference.new_executable)
    if difference.kind is Kind.ADDED:
        lines.append(f"new file mode {new_mode}\n")
    elif difference.kind is Kind.REMOVED:
        lines.append(f"deleted file mode {old_mode}\n")
    elif old_mode != new_mode:
        lines += [f"old mode {old_mode}\n", f"new mode {new_mode}\n"]
    if difference.old == difference.new:
        return lines
    old_name = f"a/{path}" if difference.old is not None else "/dev/null"
    new_name = f"b/{path}" if difference.new is not None else "/dev/null"
    old, new = _text_lines(difference.old), _text_lines(difference.new)
    if old is None or new is None:
        return [*lines, f"Binary files {old_name} and {new_name} differ\n"]
    # A tab after a name with a space in it tells patch where the name ends.
    ending = "\t" if " " in path else ""
    for line in difflib.unified_diff(old, new, old_name + ending, new_name + ending):
        lines.append(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n")
    return lines


def _mode(executable: bool) -> str:
    return "100755" if executable else "100644"


def _text_lines(content: bytes | None) -> list[str] | None:
    """Lines with their ends, or None if it is not text. Only "\\n" ends a line, as for patch."""
    if content is None:
        return []
    if b"\0" in content:
        return None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])

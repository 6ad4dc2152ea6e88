"""The file of a lock: `ozone.lock.yaml` beside `ozone.yaml`.

It is written by `yaml_bytes` and read back by `read_emitted`; a checksum tells whether it is still as it was
written, so that nothing else ever has to be understood.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from ozone_gen import __version__
from ozone_gen.diagnostics import Diagnostic, OzoneError, Position, codes
from ozone_gen.render.emit import yaml_bytes
from ozone_gen.render.emitted import read_emitted

if TYPE_CHECKING:
    from ozone_gen.lock import Lock

_COMMENT: Final = """\
What the ozone.yaml beside this file refers to, as it is in the site's own dictionary. Ids are those of this site's
database. Written by `ozone-gen resolve`: commit it and look at its changes, but never edit it."""
RESOLVE_AGAIN: Final = "run `ozone-gen resolve` again"
_CHECKSUM: Final = re.compile(r"^checksum: .*\n", re.MULTILINE)
_VERSION: Final = re.compile(r"version: ([0-9]{1,9})")
_MERGE_MARK: Final = re.compile(r"^(?:<{7} |={7}$|>{7} |\|{7} )", re.MULTILINE)


def lock_path(file: str | Path) -> Path:
    """Where the lock of a file is: ozone.lock.yaml beside ozone.yaml, kigali.lock.yaml beside kigali.yaml."""
    path = Path(file)
    return path.with_name(f"{path.stem}.lock.yaml")


def lock_bytes(lock: Lock) -> bytes:
    """A lock as it is written, with its checksum."""
    text = yaml_bytes(lock.model_dump(mode="json", exclude_defaults=True), comment=_COMMENT).decode()
    return _CHECKSUM.sub(f'checksum: "{_checksum(text)}"\n', text, count=1).encode()


def _checksum(text: str) -> str:
    return hashlib.sha256(_CHECKSUM.sub("", text, count=1).encode()).hexdigest()


def read_lock(path: Path, site: str) -> Lock | None:
    """Read the lock of the site of that id; None where there is none.

    Raises:
        OzoneError: it cannot be read, is no lock, was edited, or is of another version or another site.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"the lock cannot be read: {error.strerror or error}"
        raise OzoneError(codes.UnreadableFile.at(Position(str(path)), message)) from error
    return parse_lock(content, str(path), site)


def parse_lock(content: bytes, file: str, site: str) -> Lock:
    """Read the content of a lock, of which `file` is the name that findings show. Raises as `read_lock`."""
    # Imported where there is one to read: `validate` is to start fast.
    from ozone_gen.lock import VERSION, Lock

    try:
        # git may have turned line ends into those of Windows.
        text = content.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise OzoneError(_broken(file, 1, "it is not UTF-8 text")) from None
    mark = _MERGE_MARK.search(text)
    if mark:
        line = text.count("\n", 0, mark.start()) + 1
        raise OzoneError(_broken(file, line, "a merge was left unfinished here", "finish it, or "))
    if not text.strip():
        raise OzoneError(_broken(file, 1, "it is empty"))
    lines = enumerate(text.split("\n"), 1)
    keys = {line.partition(":")[0]: (number, line) for number, line in lines if line[:1].isalpha()}
    version = _VERSION.fullmatch(keys["version"][1]) if "version" in keys else None
    if version and int(version[1]) > VERSION:
        message = f"the lock is of format {version[1]}, and this ozone-gen {__version__} knows format {VERSION}"
        position = Position(file, keys["version"][0], 1)
        hint = f"use a newer ozone-gen, or {RESOLVE_AGAIN} with this one"
        raise OzoneError(codes.UnsupportedLockVersion.at(position, message, path="version", hint=hint))
    if version is None or "checksum" not in keys:
        raise OzoneError(_broken(file, 1, f"it has no {'checksum' if version else 'version'}"))
    line, written = keys["checksum"]
    if written != f'checksum: "{_checksum(text)}"':
        message = "the lock is not as it was written: it was edited, formatted or merged"
        position = Position(file, line, 1)
        raise OzoneError(codes.EditedLock.at(position, message, path="checksum", hint=RESOLVE_AGAIN))
    try:
        lock = Lock.model_validate(read_emitted(text))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise OzoneError(_broken(file, 1, f"{where}: {first['msg'].lower()}")) from None
    except ValueError as error:
        raise OzoneError(_broken(file, 1, str(error))) from None
    if lock.site != site:
        message = f"the lock is that of the site `{lock.site}`, and this is `{site}`"
        position = Position(file, keys["site"][0], 1)
        hint = "run `ozone-gen resolve` with this site's own database"
        raise OzoneError(codes.ForeignLock.at(position, message, path="site", hint=hint))
    return lock


def _broken(file: str, line: int, what: str, before: str = "") -> Diagnostic:
    return codes.BrokenLock.at(Position(file, line, 1), f"this is no lock: {what}", hint=before + RESOLVE_AGAIN)

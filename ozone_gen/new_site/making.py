"""Make the folder: cookiecutter fills the template beside its place, and it moves there once it is right."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cookiecutter.exceptions import CookiecutterException
from cookiecutter.generate import generate_files

from ozone_gen.diagnostics import Diagnostic, OutputError, OzoneError, Position, codes
from ozone_gen.extends import extended_source
from ozone_gen.fleet import across_sites
from ozone_gen.load import Site, load
from ozone_gen.lock_file import lock_path
from ozone_gen.new_site.importing import extensions_of
from ozone_gen.new_site.own_data import OwnData
from ozone_gen.new_site.questions import FLEET, FLEET_SITE, LAYOUT, Answers, context, template
from ozone_gen.resolve import resolve
from ozone_gen.write import telling_what_failed

FILE: Final = "ozone.yaml"
_MAY_BE_THERE: Final = (".git",)


@dataclass(frozen=True)
class NewSite:
    """What was made.

    Attributes:
        folder: where.
        file: the site's ozone.yaml.
        files: all files, as paths in the folder, in order.
        warnings: findings about the site.
    """

    folder: Path
    file: Path
    files: tuple[str, ...]
    warnings: tuple[Diagnostic, ...]


def require_free(folder: Path) -> None:
    """Raise OutputError where something is in the way of a new folder. An empty repository is not."""
    with telling_what_failed(folder):
        if not (folder.exists() or folder.is_symlink()):
            return
        found = sorted(each.name for each in folder.iterdir() if each.name not in _MAY_BE_THERE)
    if found:
        message = f"there is something in the folder already, such as {found[0]}"
        hint = "name another folder, or move what is there away"
        raise OutputError(codes.FolderNotEmpty.at(Position(str(folder)), message, hint=hint))


def make(folder: Path, answers: Answers, own_data: OwnData | None, base: str) -> NewSite:
    """Make `folder`, which is there as a whole afterwards or not at all.

    `answers` has one for each question, and the layout; `base` is the file that a site of a repository extends, seen
    from `folder`; empty for others.

    Raises:
        OzoneError: the site that comes of it is not right, such as one of the same id as its neighbour.
        OutputError: the system refuses, or something is in the way.
    """
    require_free(folder)
    with telling_what_failed(folder), _draft(folder) as made:
        _fill(made, answers, own_data, base)
        file = made / ("sites/" + str(answers["site_id"]) if answers[LAYOUT] == FLEET else "") / FILE
        with _named_as(made, folder):
            if own_data is not None:
                _write_lock(file, own_data)
            site = load(str(file))
            if answers[LAYOUT] == FLEET_SITE:
                _require_unique(site, file, folder)
        files = tuple(sorted(str(each.relative_to(made)) for each in made.rglob("*") if each.is_file()))
        _move(made, folder)
    place = folder / file.relative_to(made)
    warnings = _renamed(site.warnings, made, folder)
    return NewSite(folder, place, files, tuple(warnings))


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """A path beside the new folder, from where all paths lead to the same as from there; nothing is left of it.

    Parents that had to be made go, too, unless all went well.
    """
    parents = [each for each in folder.absolute().parents if not each.exists()]
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    draft = folder.absolute().parent / f".{folder.name}-{secrets.token_hex(4)}"
    try:
        yield draft
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        for each in parents:
            with suppress(OSError):
                each.rmdir()
        raise
    shutil.rmtree(draft, ignore_errors=True)


def _fill(draft: Path, answers: Answers, own_data: OwnData | None, base: str) -> None:
    """Let cookiecutter fill the template."""
    tables = own_data if own_data and answers[LAYOUT] != FLEET_SITE else None
    variables = {
        **context(),
        **answers,
        **({"base": base} if base else {}),
        "folder": draft.name,
        "_tables": tables.tables(locales_of(answers)) if tables else "",
        "_state_on_disk": tables is not None and tables.needs_disk,
        "_template": str(template()),
    }
    try:
        with extensions_of(template()):
            generate_files(str(template()), {"cookiecutter": variables}, str(draft.parent))
    except CookiecutterException as error:
        raise OutputError(codes.CannotWrite.at(Position(str(draft)), str(error))) from error


def locales_of(answers: Answers) -> tuple[str, ...]:
    """The locales of an answer."""
    return tuple(each.strip() for each in str(answers["locales"]).split(","))


def _write_lock(file: Path, own_data: OwnData) -> None:
    """Write the lock beside the file. What `resolve` warns of, reading the file with its lock says as well."""
    source = extended_source(str(file))
    dictionary = own_data.vocabulary.seen_in(tuple(source.data["site"]["locales"]))
    lock_path(str(file)).write_bytes(resolve(source, dictionary).content)


def _require_unique(site: Site, file: Path, folder: Path) -> None:
    """Raise OzoneError where the new site claims what one of its neighbours has."""
    sites = {}
    for neighbour in sorted(folder.parent.glob(f"*/{FILE}")):
        with suppress(OzoneError):
            if not neighbour.samefile(file):
                sites[str(neighbour)] = load(str(neighbour))
    found = [each for each in across_sites({**sites, str(file): site}) if each.position.file == str(file)]
    if found:
        raise OzoneError(found)


def _move(made: Path, folder: Path) -> None:
    if not folder.exists():
        os.rename(made, folder)
        return
    moved: list[Path] = []
    try:
        for each in sorted(made.iterdir()):
            os.rename(each, folder / each.name)
            moved.append(folder / each.name)
    except OSError:
        for each in moved:
            shutil.rmtree(each) if each.is_dir() else each.unlink()
        raise


@contextmanager
def _named_as(made: Path, folder: Path) -> Iterator[None]:
    """Let findings name the files as if they were in their place already."""
    try:
        yield
    except OzoneError as error:
        raise type(error)(_renamed(error.diagnostics, made, folder)) from None


def _renamed(findings: Iterable[Diagnostic], made: Path, folder: Path) -> list[Diagnostic]:
    renamed = []
    for finding in findings:
        file = finding.position.file.replace(str(made), str(folder))
        message = finding.message.replace(str(made), str(folder))
        renamed.append(replace(finding, position=replace(finding.position, file=file), message=message))
    return renamed

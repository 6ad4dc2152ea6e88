"""Where the dictionary of a site comes from: its database, a dump of it, an exported file, or the demo data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ozone_gen.diagnostics import Diagnostic, OutputError, Position, codes
from ozone_gen.diagnostics import Path as ValuePath
from ozone_gen.openmrs.vocabulary import Vocabulary
from ozone_gen.source import Source
from ozone_gen.spec import OpenmrsSpec, OzoneSpec
from ozone_gen.values import referenced_variable


@dataclass(frozen=True)
class Origin:
    """What was asked for; all None stands for the database that ozone.yaml names, or the demo data of a demo site.

    Attributes:
        dump: a SQL dump.
        dictionary: an exported dictionary.
        host: of the database, in place of what ozone.yaml says.
        port: of the database.
        user: who reads the database.
    """

    dump: Path | None = None
    dictionary: Path | None = None
    host: str | None = None
    port: int | None = None
    user: str | None = None

    @property
    def is_database(self) -> bool:
        """Whether the database itself was asked for by name."""
        return not (self.host is None and self.port is None and self.user is None)


def steps(origin: Origin, spec: OzoneSpec) -> tuple[str, int]:
    """What `advance` counts, and how far: bytes of a file, tables of a database; 0 for what takes no time."""
    if origin.dump is not None:
        try:
            return "bytes", origin.dump.stat().st_size
        except OSError:
            return "bytes", 0
    if origin.dictionary is not None or _is_demo(origin, spec):
        return "concepts", 0
    from ozone_gen.openmrs.dictionary_database import tables_to_read

    return "tables", tables_to_read()


def vocabulary_from(
    origin: Origin,
    spec: OzoneSpec,
    source: Source,
    environment: Mapping[str, str],
    advance: Callable[[int], None] | None = None,
) -> tuple[Vocabulary, tuple[Diagnostic, ...]]:
    """Read the dictionary of a site, and give warnings about damaged text.

    Raises:
        OzoneError: the dump, file or database has not what is needed.
        OutputError: the database does not answer, or a variable with its password is not set.
    """
    _, openmrs = _only_source(spec)
    if origin.dump is not None:
        from ozone_gen.openmrs.dictionary_dump import vocabulary_of_dump

        return vocabulary_of_dump(origin.dump, advance, database=openmrs.database)
    if origin.dictionary is not None:
        from ozone_gen.openmrs.dictionary_file import read_dictionary

        return read_dictionary(origin.dictionary), ()
    if _is_demo(origin, spec):
        from ozone_gen.openmrs.demo_vocabulary import demo_vocabulary

        return demo_vocabulary(), ()
    return _of_database(origin, spec, source, environment, advance), ()


def _only_source(spec: OzoneSpec) -> tuple[str, OpenmrsSpec]:
    for named in spec.sources.items():
        return named
    message = "there is no source whose dictionary could be read"
    raise OutputError(codes.MissingPart.at(Position(f"site {spec.site.id}"), message))


def _is_demo(origin: Origin, spec: OzoneSpec) -> bool:
    return not origin.is_database and _only_source(spec)[1].demo is not None


def _of_database(
    origin: Origin,
    spec: OzoneSpec,
    source: Source,
    environment: Mapping[str, str],
    advance: Callable[[int], None] | None,
) -> Vocabulary:
    from ozone_gen.openmrs.dictionary_database import DatabaseAddress, vocabulary_of_database

    name, openmrs = _only_source(spec)
    findings: list[Diagnostic] = []

    def value(key: str, said: str) -> str:
        variable = referenced_variable(said)
        if variable is None:
            return said
        if not environment.get(variable):
            path: ValuePath = ("sources", name, key)
            message = f"the variable {variable} is not set"
            option = {"host": ", or give --host", "username": ", or give --user"}.get(key, "")
            hint = f"export {variable} in the shell before{option}; or give a dump by --dump"
            findings.append(codes.MissingPassword.at(source.position(path), message, path=path, hint=hint))
        return environment.get(variable, "")

    address = DatabaseAddress(
        host=origin.host or value("host", openmrs.host),
        port=origin.port or openmrs.port,
        user=origin.user or value("username", openmrs.username),
        password=value("password", openmrs.password),
        database=openmrs.database,
    )
    if findings:
        raise OutputError(findings)
    return vocabulary_of_database(address, advance)

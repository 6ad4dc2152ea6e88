"""Exported dictionaries, good and bad, and databases that do not answer. Servers: tests/contract."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozone_gen.diagnostics import OutputError, OzoneError
from ozone_gen.openmrs.demo_vocabulary import demo_vocabulary
from ozone_gen.openmrs.dictionary import AttributeType, Concept, Dictionary, Named, NamedKind
from ozone_gen.openmrs.dictionary_database import DatabaseAddress, vocabulary_of_database
from ozone_gen.openmrs.dictionary_file import dictionary_bytes, read_dictionary
from ozone_gen.openmrs.vocabulary import LocaleName, Vocabulary
from ozone_gen.resources import load_schema

VALIDATOR = jsonschema.Draft7Validator(load_schema("dictionary"))
TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_dictionary_is_read_back_as_it_was(compressed: bool, tmp_path: Path) -> None:
    file = tmp_path / "d"
    content = dictionary_bytes(demo_vocabulary(), compressed=compressed)
    file.write_bytes(content)
    read = read_dictionary(file)
    assert read.nameless.origin == "the dictionary d"
    assert read.seen_in(["fr", "en"]).concepts == demo_vocabulary().seen_in(["fr", "en"]).concepts
    assert read.names == demo_vocabulary().names
    assert dictionary_bytes(read, compressed=compressed) == content


def test_it_is_what_its_schema_says_one_thing_a_line() -> None:
    text = dictionary_bytes(demo_vocabulary(), compressed=False).decode()
    VALIDATOR.validate(json.loads(text))
    assert len(text.splitlines()) > len(demo_vocabulary().nameless.concepts)


@given(TEXT, TEXT, TEXT, st.booleans(), st.integers(0, 3))
def test_whatever_a_dictionary_holds_can_be_exported(
    tmp_path_factory: pytest.TempPathFactory, one: str, two: str, three: str, retired: bool, rank: int
) -> None:
    made = Vocabulary(
        Dictionary(
            "x",
            (Concept(1, one, two, "", (three,), {}, one, (1, 2), (3,), retired),),
            {kind: (Named(1, one, two, retired, three),) for kind in NamedKind},
            (one, two),
            1,
            None,
            (AttributeType(1, one, two, three, retired),),
            (AttributeType(2, three, one, two, retired),),
        ),
        {1: (LocaleName(one, two, rank),)},
    )
    content = dictionary_bytes(made, compressed=False)
    VALIDATOR.validate(json.loads(content))
    file = tmp_path_factory.mktemp("dictionary") / "d.json"
    file.write_bytes(content)
    assert dictionary_bytes(read_dictionary(file), compressed=False) == content
    assert read_dictionary(file).nameless.concepts == made.nameless.concepts
    assert read_dictionary(file).names == made.names


def _without(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda data: data.pop(key)


@pytest.mark.parametrize(
    ("damage", "code", "words"),
    [
        (lambda data: data.update(version=2), "OZ042", "of format 2"),
        (lambda data: data.update(version=2, something="else"), "OZ042", "of format 2"),
        (lambda data: data.update(version="1"), "OZ041", "version"),
        (lambda data: data.update(format="other"), "OZ041", "format"),
        (_without("forms"), "OZ041", "forms: field required"),
        (lambda data: data["concepts"][3].update(id="x"), "OZ041", "concepts.3.id"),
        (lambda data: data["concepts"][3].pop("uuid"), "OZ041", "concepts.3.uuid: field required"),
        (lambda data: data["concepts"][3].update(colour="red"), "OZ041", "concepts.3.colour"),
    ],
)
def test_a_dictionary_of_another_shape(
    damage: Callable[[dict[str, Any]], None], code: str, words: str, tmp_path: Path
) -> None:
    data = json.loads(dictionary_bytes(demo_vocabulary(), compressed=False))
    damage(data)
    assert words in _refused(tmp_path, json.dumps(data).encode(), code)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "invalid json"),
        (b"{}", "field required"),
        (b"[]", "it is not a mapping"),
        (b"\xff\xfe", "invalid json"),
        (b"-- MariaDB dump 10.19", "it looks like a SQL dump"),
        (dictionary_bytes(demo_vocabulary(), compressed=False)[:-500], "invalid json"),
        (dictionary_bytes(demo_vocabulary(), compressed=True)[:-500], "it is damaged or was cut off"),
        (gzip.compress(b"{}", mtime=0)[:-8] + b"\0" * 8, "it is damaged or was cut off"),
    ],
)
def test_another_file(content: bytes, words: str, tmp_path: Path) -> None:
    assert words in _refused(tmp_path, content, "OZ041")


def _refused(folder: Path, content: bytes, code: str) -> str:
    file = folder / "d.json"
    file.write_bytes(content)
    with pytest.raises(OzoneError) as error:
        read_dictionary(file)
    (finding,) = error.value.diagnostics
    assert (finding.code, finding.position.file) == (code, str(file))
    assert finding.hint
    return finding.message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OzoneError) as error:
        read_dictionary(tmp_path / "d.json")
    assert [each.code for each in error.value.diagnostics] == ["OZ001"]


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_a_server_that_does_not_answer(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    address = DatabaseAddress(host, port, "reader", "very-secret", "openmrs")
    with pytest.raises(OutputError) as error:
        vocabulary_of_database(address)
    (finding,) = error.value.diagnostics
    assert finding.code == "OZ043"
    assert finding.position.file == f"openmrs at {host}:{port}"
    assert "--dump" in finding.hint
    assert "very-secret" not in str(error.value) + repr(address)

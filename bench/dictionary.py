"""How long `resolve` and `dictionary` take on a dictionary of CIEL's size: whole processes, as a person starts them.

    python -m bench.dictionary [--runs 5] [--concepts 60000] [--real openmrs.sql]

Makes a dump with that many made-up concepts, four names and five mappings each, descriptions, answers and sets, as
wide as OpenMRS's own tables, and a file that refers to forty of them. `--real` is a dump to measure beside it.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from bench.render import repeat
from bench.report import machine, middle, show, wait_until_quiet
from ozone_gen.openmrs.demo import demo_sql
from ozone_gen.openmrs.demo.schema import Column, create_table, tables
from ozone_gen.openmrs.demo.sql import literal

ROWS_A_STATEMENT = 3000  # about a megabyte, as mysqldump writes them
LOCALES = ("en", "fr", "es", "pt")
SOURCES = ("CIEL", "SNOMED CT", "ICD-10-WHO", "LOINC", "RxNORM", "PIH", "AMPATH")
WORDS = [
    *("acute", "chronic", "left", "right", "blood", "pressure", "weight", "pain", "fever", "count", "test", "tablet"),
    *("injection", "child", "adult", "disease", "infection", "history", "reported", "screening", "result", "urine"),
]
SITE = """\
version: 1
site: {id: bench, name: Bench, locales: [en, fr]}
sources: {openmrs: {type: openmrs, host: db.example, password: "${OPENMRS_DB_PASSWORD}"}}
sink: {type: postgresql, password: "${ANALYTICS_DB_PASSWORD}"}
flattening:
  tables:
    vitals:
      rows: encounter
      encounter_types: [Vitals]
      columns:
"""


def default(column: Column) -> object:
    """What a row has in a column that does not matter here."""
    if column.nullable:
        return None
    if column.sql_type == "datetime":
        return "2020-01-02 03:04:05"
    if column.name == "creator":
        return 1
    text = (column.default or "0").strip("'")
    return int(text) if text.isdigit() else text


def rows_of(concepts: int) -> Iterator[tuple[str, Iterator[dict[str, object]]]]:
    """Rows of the big tables, with the columns that matter; ids begin where no other rows of the dump are."""
    chance = random.Random(1)
    ids = range(1_000_000, 1_000_000 + concepts)

    def uuid() -> str:
        digits = f"{chance.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def words(number: int) -> str:
        return " ".join(chance.choices(WORDS, k=number)).capitalize()

    def answers(owner: str, owned: str) -> Iterator[dict[str, object]]:
        for number in range(concepts):
            yield {owner: chance.choice(ids), owned: chance.choice(ids), "sort_weight": number % 50, "uuid": uuid()}

    yield "concept", (
        {"concept_id": own, "datatype_id": 1 + own % 4, "class_id": 1, "retired": int(own % 40 == 1), "uuid": uuid()}
        for own in ids
    )
    yield "concept_name", (
        {
            "concept_id": own,
            "name": f"{words(4)} {own}",
            "locale": locale,
            "locale_preferred": 1,
            "concept_name_type": "FULLY_SPECIFIED",
            "uuid": uuid(),
        }
        for own in ids
        for locale in LOCALES
    )
    yield "concept_description", (
        {"concept_id": own, "description": words(25), "locale": "en", "uuid": uuid()} for own in ids
    )
    yield "concept_numeric", ({"concept_id": own, "units": "mg"} for own in ids if own % 4 == 0)
    yield "concept_answer", answers("concept_id", "answer_concept")
    yield "concept_set", answers("concept_set", "concept_id")
    yield "concept_reference_term", (
        {
            "concept_reference_term_id": own * 10 + place,
            "concept_source_id": 1_000 + place,
            "code": str(own) if place == 0 else f"{place}-{own}",
            "uuid": uuid(),
        }
        for own in ids
        for place in range(5)
    )
    yield "concept_reference_map", (
        {"concept_reference_term_id": own * 10 + place, "concept_map_type_id": 1, "concept_id": own, "uuid": uuid()}
        for own in ids
        for place in range(5)
    )


def write(out: TextIO, table: str, rows: Iterable[dict[str, object]]) -> None:
    """Write rows of every column, as mysqldump does."""
    columns = tables()[table].columns
    key = tables()[table].primary_key[0]
    waiting: list[str] = []

    def flush() -> None:
        if waiting:
            out.write(f"INSERT INTO `{table}` VALUES {','.join(waiting)};\n")
            waiting.clear()

    usual = {column.name: literal(default(column)) for column in columns}  # type: ignore[arg-type]
    for number, given in enumerate(rows):
        texts = usual | {key: str(20_000_000 + number)}
        texts |= {name: literal(value) for name, value in given.items()}  # type: ignore[arg-type]
        waiting.append(f"({','.join(texts.values())})")
        if len(waiting) == ROWS_A_STATEMENT:
            flush()
    flush()


def make_dump(path: Path, concepts: int) -> None:
    """Write the demo database with that many more concepts."""
    text = demo_sql(patients=1, seed=1).decode()
    for table in ("concept_description", "concept_numeric"):
        assert create_table(tables()[table]) in text
    with path.open("w", encoding="utf-8") as out:
        out.write(text)
        sources = enumerate(f"{name} of the bench" for name in SOURCES)
        write(
            out,
            "concept_reference_source",
            ({"concept_source_id": 1_000 + place, "name": name, "hl7_code": name} for place, name in sources),
        )
        for table, rows in rows_of(concepts):
            write(out, table, rows)


def make_site(path: Path, concepts: int) -> None:
    """Write a file that refers to forty of the concepts (the type is said, whatever their datatype)."""
    chosen = (1_000_000 + place * 4 for place in range(0, concepts // 4, concepts // 160))
    path.write_text(
        SITE + "".join(f"        c{own}: {{concept: 'CIEL of the bench:{own}'}}\n" for own in chosen), encoding="utf-8"
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--concepts", type=int, default=60_000)
    parser.add_argument("--real", type=Path, help="a dump of a real database that has CIEL:5089")
    parser.add_argument("--wait", type=float, default=0, help="minutes to wait for a quiet machine")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dump = folder / "large.sql"
        make_dump(dump, arguments.concepts)
        make_site(folder / "ozone.yaml", arguments.concepts)
        wait_until_quiet(arguments.wait)
        print(f"{machine()}, Python {sys.version.split()[0]}; the dump has {dump.stat().st_size / 1e6:.0f} MB")
        file = "ozone.yaml"
        cases = [
            (f"resolve, a dump of {arguments.concepts} concepts", ["resolve", file, "--dump", str(dump)], "10 s"),
            ("dictionary, out of that dump", ["dictionary", file, "--dump", str(dump), "-o", "d.json.gz"], ""),
            ("resolve, its exported dictionary", ["resolve", file, "--dictionary", "d.json.gz"], "10 s"),
            ("validate with the lock", ["validate", file], ""),
        ]
        if arguments.real:
            (folder / "real.yaml").write_text(SITE + "        weight: CIEL:5089\n", encoding="utf-8")
            real = ["resolve", "real.yaml", "--dump", str(arguments.real.resolve())]
            cases.insert(0, (f"resolve, a dump of {arguments.real.stat().st_size / 1e6:.1f} MB", real, "3 s"))
        rows = []
        for title, command, limit in cases:
            results = repeat(command, folder, arguments.runs)
            wall = middle([each.wall for each in results], 2)
            cpu = statistics.median(each.cpu for each in results)
            rows.append([title, wall, cpu, f"{max(each.memory for each in results):.0f}", limit])
        show(f"Whole process, {arguments.runs} runs", ["command", "wall s", "cpu s", "MiB", "limit"], rows)


if __name__ == "__main__":
    main()

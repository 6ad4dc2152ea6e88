"""Demo data: a made-up OpenMRS database of any size, the same for the same seed."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TextIO

# Patients whose rows are gathered before they are written. An INSERT of 40 patients' observations has about
# one megabyte, as mysqldump's have; servers refuse 16.
_BATCH: Final = 40

_BEGIN: Final = """\
SET NAMES utf8mb4;
-- Demo data for OpenMRS 2.5, made by ozone-gen: {patients} patients of seed {seed}. Nobody in it ever lived.
SET @OLD_TIME_ZONE=@@TIME_ZONE, TIME_ZONE='+00:00';
SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0;
SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0;
SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='TRADITIONAL,NO_AUTO_VALUE_ON_ZERO';
SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0;
"""
_END: Final = """\
SET TIME_ZONE=@OLD_TIME_ZONE;
SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS;
SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS;
SET SQL_MODE=@OLD_SQL_MODE;
SET SQL_NOTES=@OLD_SQL_NOTES;
-- Demo data completed.
"""


def write_demo_data(
    out: TextIO, *, patients: int, seed: int, advance: Callable[[int], None] | None = None
) -> None:
    """Write a demo database as SQL that MariaDB 10.11 and MySQL 8.4 load into the current database.

    The text is UTF-8 and shaped as mysqldump's: CREATE TABLE statements, then INSERTs of many rows that name
    their columns. Memory does not grow with the number of patients, and patient n is the same whatever that
    number is. `advance(n)` is called whenever n more patients are written. ValueError when there are less
    than none or more than INT ids can number.
    """
    # Imported here, so that whoever only needs the dictionary does not pay for the rest.
    from ozone_gen.openmrs.demo import fixed, schema
    from ozone_gen.openmrs.demo.clinic import Clinic
    from ozone_gen.openmrs.demo.clinical import write_history
    from ozone_gen.openmrs.demo.people import MOST_PATIENTS, Patient, People, write_person
    from ozone_gen.openmrs.demo.records import Records

    if not 0 <= patients <= MOST_PATIENTS:
        raise ValueError(f"patients: {patients} is not between 0 and {MOST_PATIENTS}")
    out.write(_BEGIN.format(patients=patients, seed=seed))
    for table in schema.tables().values():
        out.write(schema.create_table(table))
    out.write("START TRANSACTION;\n")
    for statement in fixed.statements():
        out.write(statement)
    out.write("COMMIT;\n")

    people, records, clinic = People(), Records(), Clinic()
    for start in range(1, patients + 1, _BATCH):
        numbers = range(start, min(start + _BATCH, patients + 1))
        for number in numbers:
            patient = Patient(seed, number)
            write_person(people, patient)
            write_history(records, clinic, patient)
        out.write("START TRANSACTION;\n")
        for buffer in (*people.buffers(), *records.buffers()):
            buffer.flush(out)
        out.write("COMMIT;\n")
        if advance is not None:
            advance(len(numbers))
    out.write(_END)


@lru_cache(maxsize=4)
def demo_sql(patients: int, seed: int) -> bytes:
    """The demo database as one UTF-8 text, kept for the next call: for small numbers of patients."""
    encoded = io.BytesIO()
    with io.TextIOWrapper(encoded, "utf-8", newline="\n", write_through=True) as out:
        write_demo_data(out, patients=patients, seed=seed)
        return encoded.getvalue()

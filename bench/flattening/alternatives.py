"""What somebody would do instead: Flink SQL written joins first over Debezium's envelopes, and views in MariaDB.

The Flink SQL is written as the first measurements and the public projects have it: observations are joined with what
they refer to, one table after the other. It is simpler than what a site needs: of several observations in a cell it
keeps the greatest, not the last, and a concept's second mapping makes a second row.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pymysql

from bench.flattening.servers import process, until
from ozone_gen.flattening import expressions as sql

NAIVE_SETTINGS: Final = {
    "table.exec.mini-batch.enabled": "false",
    "pipeline.object-reuse": "false",
    "table.optimizer.reuse-optimize-block-with-digest-enabled": "false",
}
"""Flink's defaults where the product has others."""


def naive_insert(columns: Mapping[str, int], concept_uuids: Mapping[int, str]) -> str:
    """Write the INSERT of `vitals` joins first; `columns` are the cells with their concepts' ids."""
    cells = ",\n  ".join(
        f"MAX(CASE WHEN c.uuid = '{concept_uuids[concept]}' THEN o.value_numeric END) AS `{name}`"
        for name, concept in columns.items()
    )
    return f"""INSERT INTO `sink`.`vitals`
SELECT 'demo', CAST(e.encounter_id AS BIGINT), MAX(e.uuid),
  {sql.wall_clock("MAX(e.encounter_datetime)")}, MAX(t.name), MAX(f.name), MAX(l.name),
  MAX(l.uuid), CAST(MAX(v.visit_id) AS BIGINT), MAX(v.uuid), MAX(y.name), CAST(MAX(e.patient_id) AS BIGINT),
  MAX(r.uuid),
  {cells}
FROM `openmrs`.`obs` o
JOIN `openmrs`.`concept` c ON c.concept_id = o.concept_id
JOIN `openmrs`.`encounter` e ON e.encounter_id = o.encounter_id
JOIN `openmrs`.`encounter_type` t ON t.encounter_type_id = e.encounter_type
LEFT JOIN `openmrs`.`location` l ON l.location_id = e.location_id
LEFT JOIN `openmrs`.`form` f ON f.form_id = e.form_id
LEFT JOIN `openmrs`.`visit` v ON v.visit_id = e.visit_id
LEFT JOIN `openmrs`.`visit_type` y ON y.visit_type_id = v.visit_type_id
JOIN `openmrs`.`person` r ON r.person_id = e.patient_id
WHERE o.voided IN ('0', 'false') AND e.voided IN ('0', 'false') AND t.name = 'Vitals'
GROUP BY e.encounter_id;"""


def naive_observations() -> str:
    """Write the INSERT of the core table `observations` joins first."""
    return f"""INSERT INTO `sink`.`observations`
SELECT CAST(o.obs_id AS BIGINT), o.voided IN ('1', 'true'), l.name, {sql.wall_clock("o.obs_datetime")},
  qn.name, CONCAT(s.name, ':', m.code), an.name, {sql.wall_clock("o.value_datetime")}, CAST(o.value_drug AS BIGINT),
  o.value_numeric, o.value_text, o.value_complex, o.value_modifier, o.comments, {sql.wall_clock("o.date_created")},
  o.accession_number, t.name, o.form_namespace_and_path, y.name, {sql.wall_clock("v.date_started")},
  {sql.wall_clock("v.date_stopped")}, o.void_reason, CAST(o.previous_version AS BIGINT), CAST(o.obs_group_id AS BIGINT),
  a.uuid, up.uuid, e.uuid, v.uuid, l.uuid, o.uuid, g.uuid, gc.uuid, r.uuid, q.uuid
FROM `openmrs`.`obs` o
JOIN `openmrs`.`concept` q ON q.concept_id = o.concept_id
LEFT JOIN `openmrs`.`concept_name` qn ON qn.concept_id = q.concept_id AND {_NAMED.format("qn")}
LEFT JOIN `openmrs`.`concept_reference_map` cm ON cm.concept_id = q.concept_id
LEFT JOIN `openmrs`.`concept_reference_term` m ON m.concept_reference_term_id = cm.concept_reference_term_id
LEFT JOIN `openmrs`.`concept_reference_source` s ON s.concept_source_id = m.concept_source_id
LEFT JOIN `openmrs`.`concept` a ON a.concept_id = o.value_coded
LEFT JOIN `openmrs`.`concept_name` an ON an.concept_id = a.concept_id AND {_NAMED.format("an")}
JOIN `openmrs`.`person` r ON r.person_id = o.person_id
LEFT JOIN `openmrs`.`encounter` e ON e.encounter_id = o.encounter_id
LEFT JOIN `openmrs`.`encounter_type` t ON t.encounter_type_id = e.encounter_type
LEFT JOIN `openmrs`.`visit` v ON v.visit_id = e.visit_id
LEFT JOIN `openmrs`.`visit_type` y ON y.visit_type_id = v.visit_type_id
LEFT JOIN `openmrs`.`location` l ON l.location_id = o.location_id
LEFT JOIN `openmrs`.`obs` g ON g.obs_id = o.obs_group_id
LEFT JOIN `openmrs`.`concept` gc ON gc.concept_id = g.concept_id
LEFT JOIN `openmrs`.`users` u ON u.user_id = o.creator
LEFT JOIN `openmrs`.`person` up ON up.person_id = u.person_id;"""


_NAMED: Final = "{0}.locale = 'en' AND {0}.concept_name_type = 'FULLY_SPECIFIED' AND {0}.voided IN ('0', 'false')"


def view(columns: Mapping[str, int]) -> str:
    """Write a view that pivots inside MariaDB, with the last observation in each cell."""
    cells = ",\n  ".join(
        f"MAX(CASE WHEN o.concept_id = {concept} THEN o.value_numeric END) AS `{name}`"
        for name, concept in columns.items()
    )
    return f"""CREATE OR REPLACE VIEW vitals AS
SELECT e.encounter_id, e.uuid AS encounter_uuid, e.encounter_datetime, l.name AS location, v.uuid AS visit_uuid,
  r.uuid AS patient_uuid,
  {cells}
FROM encounter e
JOIN patient p ON p.patient_id = e.patient_id AND p.voided = 0
JOIN person r ON r.person_id = e.patient_id
JOIN encounter_type t ON t.encounter_type_id = e.encounter_type AND t.name = 'Vitals'
LEFT JOIN location l ON l.location_id = e.location_id
LEFT JOIN visit v ON v.visit_id = e.visit_id
LEFT JOIN (
  SELECT encounter_id, concept_id, value_numeric, ROW_NUMBER() OVER (
    PARTITION BY encounter_id, concept_id ORDER BY obs_datetime DESC, obs_id DESC) AS place
  FROM obs
  WHERE voided = 0 AND value_numeric IS NOT NULL AND concept_id IN ({", ".join(map(str, columns.values()))})
) o ON o.encounter_id = e.encounter_id AND o.place = 1
WHERE e.voided = 0
GROUP BY e.encounter_id"""


class MariaDB:
    """A server with the made-up database."""

    def __init__(self, folder: Path) -> None:
        """`folder` keeps the data, loaded once."""
        self._folder = folder / "mariadb"
        self.port = 19306

    @contextmanager
    def running(self, dump: Path) -> Iterator[pymysql.Connection[pymysql.cursors.Cursor]]:
        """Run the server, with `dump` loaded into the database `openmrs`."""
        user = pwd.getpwnam("mysql")
        run = {"user": user.pw_uid, "group": user.pw_gid, "cwd": "/"}
        loaded = self._folder / f"loaded-{dump.name}"
        if not loaded.exists():
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
            os.chown(self._folder, user.pw_uid, user.pw_gid)
            subprocess.run(
                [
                    *("mariadb-install-db", "--no-defaults", f"--datadir={self._folder}/data", "--skip-test-db"),
                    "--auth-root-authentication-method=normal",
                ],
                check=True,
                stdout=subprocess.DEVNULL,
                **run,
            )
        command = [
            *("mariadbd", "--no-defaults", f"--datadir={self._folder}/data", f"--port={self.port}"),
            *("--bind-address=127.0.0.1", f"--socket={self._folder}/socket", f"--pid-file={self._folder}/pid"),
            "--innodb-buffer-pool-size=1G",
        ]
        login = {"host": "127.0.0.1", "port": self.port, "user": "root"}
        with process(command, self._folder.with_suffix(".log"), **run) as server:
            until("MariaDB", lambda: bool(pymysql.connect(**login)), server)
            if not loaded.exists():
                with dump.open("rb") as text:
                    client = ["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{self.port}", "-uroot"]
                    subprocess.run([*client, "-e", "CREATE DATABASE openmrs"], check=True)
                    subprocess.run([*client, "openmrs"], stdin=text, check=True)
                loaded.touch()
            with pymysql.connect(**login, database="openmrs") as connection:
                yield connection


def seconds_of_view(connection: pymysql.Connection[pymysql.cursors.Cursor], columns: Mapping[str, int]) -> float:
    """Read the whole view once and return how long it took."""
    with connection.cursor() as cursor:
        cursor.execute(view(columns))
        start = time.monotonic()
        cursor.execute("SELECT COUNT(*), SUM(weight_kg), MAX(pulse), MAX(visit_uuid) FROM vitals")
        cursor.fetchall()
        return time.monotonic() - start

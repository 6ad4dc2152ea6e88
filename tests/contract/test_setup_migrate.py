"""migrate on a real PostgreSQL: tables that evolve, generations, crashes, and what it must not touch."""

import dataclasses
import json
import logging
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

from templates.setup.flink_generation import Volume
from templates.setup.sink_tables import Column, Plan, Table, index_name, parse_plan
from templates.setup.waiting import NotReadyError, RefusedError

with warnings.catch_warnings():
    # kafka-python reads its message schemas by a function that Python 3.11 and 3.12 call deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from templates.setup import migrate as program
    from templates.setup.migrate import read_plan
    from templates.setup.sink_session import ADVISORY_LOCK, connect
    from tests.contract.sink_site import PATIENTS, PLAN, VITALS, Site, plan_of, with_columns


def test_a_first_run_makes_everything(site: Site) -> None:
    token = site.migrate()
    assert site.columns("vitals") == [
        ("site", "character varying(40)", True, None),
        ("encounter_id", "integer", True, "The encounter's number"),
        ("weight_kg", "double precision", False, "CIEL:5089"),
        ("taken_at", "timestamp(3) without time zone", False, None),
    ]
    assert site.run("SELECT obj_description('vitals'::regclass)") == [("Vital signs",)]
    key = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'vitals'::regclass"
    assert site.run(key) == [("PRIMARY KEY (site, encounter_id)",)]
    assert site.run("SELECT site, fingerprint, topics, generation FROM ozone_gen.state") == [
        ("clinic", "f1", "t1", token)
    ]
    assert {path.name for path in site.folder.iterdir()} == {"checkpoints", "ha", "generation", "plan"}


def test_a_second_run_keeps_the_generation_and_the_rows(site: Site) -> None:
    token = site.migrate()
    site.fill()
    (site.folder / "checkpoints" / "chk-1").touch()
    assert site.migrate() == token
    assert site.count() == 1
    assert (site.folder / "checkpoints" / "chk-1").exists()


@pytest.mark.parametrize("lost", ["plan", "topics", "volume", "state", "token", "place"])
def test_what_does_not_belong_together_is_filled_anew_beside(site: Site, lost: str) -> None:
    token = site.migrate()
    site.fill()
    (site.folder / "checkpoints" / "chk-1").touch()
    plan, topics = PLAN, "t1"
    if lost == "plan":
        plan = plan_of("f2", VITALS, PATIENTS)
    elif lost == "topics":
        topics = "t2"
    elif lost == "volume":
        site.volume.clear()
    elif lost == "state":
        site.run("DELETE FROM ozone_gen.state")
    elif lost == "place":
        site.run("CREATE TABLE restored AS SELECT * FROM ozone_gen.state")
        site.run("DROP TABLE ozone_gen.state")
        site.run("ALTER TABLE restored SET SCHEMA ozone_gen")
        site.run("ALTER TABLE ozone_gen.restored RENAME TO state")
        site.run("ALTER TABLE ozone_gen.state OWNER TO analytics")
        site.run("ALTER TABLE ozone_gen.state ADD PRIMARY KEY (site)")
    else:
        site.volume.begin("other", "f1")
    assert site.migrate(plan, topics) != token
    assert site.count() == 1
    assert site.staging
    assert site.count(f"{site.staging}.vitals") == 0
    assert not (site.folder / "checkpoints" / "chk-1").exists()


def test_a_wiped_database_is_filled_anew(site: Site) -> None:
    token = site.migrate()
    site.run("DROP SCHEMA ozone_gen CASCADE")
    site.run("DROP TABLE vitals, patients")
    assert site.migrate() != token


def test_empty_tables_evolve_in_place_with_their_grants(site: Site) -> None:
    site.migrate()
    site.run("CREATE ROLE dashboard")
    site.run("GRANT SELECT ON vitals TO dashboard")
    before = site.run("SELECT 'vitals'::regclass::oid")
    changed = dataclasses.replace(
        with_columns(
            VITALS,
            Column("site", "varchar(40)", False, ""),
            Column("encounter_id", "bigint", False, "The number of the encounter"),
            Column("weight_kg", "text", True, ""),
            Column("taken_at", "timestamp(3)", False, ""),
            Column("pulse", "smallint", True, "CIEL:5087"),
        ),
        comment="",
        primary_key=("encounter_id",),
        indexes=(("pulse",), ("taken_at", "pulse")),
    )
    site.migrate(plan_of("f2", changed, PATIENTS))
    assert site.columns("vitals") == [
        ("site", "character varying(40)", True, None),
        ("encounter_id", "bigint", True, "The number of the encounter"),
        ("weight_kg", "text", False, None),
        ("taken_at", "timestamp(3) without time zone", True, None),
        ("pulse", "smallint", False, "CIEL:5087"),
    ]
    assert site.run("SELECT obj_description('vitals'::regclass)") == [(None,)]
    assert site.run("SELECT 'vitals'::regclass::oid") == before
    assert site.run("SELECT has_table_privilege('dashboard', 'vitals', 'SELECT')") == [(True,)]
    names = {row[0] for row in site.run("SELECT indexname FROM pg_indexes WHERE tablename = 'vitals'")}
    assert names == {
        "vitals_pkey",
        index_name("vitals", ("pulse",)),
        index_name("vitals", ("taken_at", "pulse")),
    }
    site.run("DROP OWNED BY dashboard")
    site.run("DROP ROLE dashboard")
    token = site.migrate(plan_of("f2", changed, PATIENTS))
    site.run("INSERT INTO vitals VALUES ('clinic', 1, 'x', now(), 1)")
    assert site.migrate(plan_of("f2", changed, PATIENTS)) == token
    assert site.count() == 1


def test_columns_and_tables_that_are_no_longer_declared_go(site: Site) -> None:
    site.migrate()
    site.run("CREATE TABLE kept_by_a_person (x int)")
    fewer = dataclasses.replace(with_columns(VITALS, *VITALS.columns[:3]), indexes=())
    site.migrate(plan_of("f2", fewer))
    assert [row[0] for row in site.columns("vitals")] == ["site", "encounter_id", "weight_kg"]
    assert site.tables() == ["kept_by_a_person", "vitals"]
    assert site.run("SELECT table_name FROM ozone_gen.owned_table") == [("vitals",)]


def test_a_dropped_key_column_takes_the_key_with_it(site: Site) -> None:
    site.migrate()
    fewer = dataclasses.replace(
        with_columns(VITALS, *VITALS.columns[1:]), primary_key=("encounter_id",), indexes=()
    )
    site.migrate(plan_of("f2", fewer, PATIENTS))
    keyless = dataclasses.replace(fewer, primary_key=())
    site.migrate(plan_of("f3", keyless, PATIENTS))
    assert site.run("SELECT 1 FROM pg_constraint WHERE conrelid = 'vitals'::regclass AND contype = 'p'") == []


def test_comments_and_indexes_alone_keep_the_generation(site: Site) -> None:
    token = site.migrate()
    site.fill()
    site.run("CREATE INDEX of_a_person ON vitals (weight_kg)")
    site.run("COMMENT ON COLUMN vitals.weight_kg IS 'edited'")
    told = dataclasses.replace(VITALS, comment="Vital signs of adults", indexes=(("weight_kg",),))
    assert site.migrate(plan_of("f1", told, PATIENTS)) == token
    assert site.count() == 1
    assert site.run("SELECT obj_description('vitals'::regclass)") == [("Vital signs of adults",)]
    assert site.columns("vitals")[2][3] == "CIEL:5089"
    names = {row[0] for row in site.run("SELECT indexname FROM pg_indexes WHERE tablename = 'vitals'")}
    assert names == {"vitals_pkey", "of_a_person", index_name("vitals", ("weight_kg",))}


def test_a_table_that_a_person_changed_is_mended_and_filled_anew(site: Site) -> None:
    token = site.migrate()
    site.run("ALTER TABLE vitals DROP COLUMN weight_kg")
    assert site.migrate() != token
    assert {row[0] for row in site.columns("vitals")} == {column.name for column in VITALS.columns}
    site.run("DROP TABLE patients")
    site.migrate()
    assert site.tables() == ["patients", "vitals"]


def test_a_table_of_somebody_else_is_never_touched(site: Site) -> None:
    site.run("CREATE TABLE vitals (mine int)")
    site.run("INSERT INTO vitals VALUES (1)")
    with pytest.raises(RefusedError, match=r'a table or view "public"\."vitals" that this site has not made'):
        site.migrate()
    assert site.count() == 1
    assert site.tables() == ["vitals"]
    assert site.volume.token() is None
    site.run("ALTER TABLE vitals RENAME TO my_vitals")
    site.migrate()
    assert site.count("my_vitals") == 1


def test_two_sites_in_one_database_need_two_schemas(site: Site, tmp_path: Path) -> None:
    site.migrate()
    other = dataclasses.replace(PLAN, site="clinic-b")
    second = dataclasses.replace(site, folder=tmp_path / "b")
    second.folder.mkdir()
    with pytest.raises(RefusedError, match="belongs to the site 'clinic', this site is 'clinic-b'"):
        second.migrate(other)
    token = site.volume.token()
    second.migrate(dataclasses.replace(other, schema="clinic_b"))
    assert site.migrate() == token
    assert site.run("SELECT count(*) FROM clinic_b.vitals") == [(0,)]


def test_moving_to_another_schema_drops_the_tables_of_the_old_one(site: Site) -> None:
    site.migrate()
    site.migrate(dataclasses.replace(PLAN, schema="flat", fingerprint="f2"))
    assert site.tables() == []
    assert site.run("SELECT count(*) FROM flat.patients") == [(0,)]


def test_a_view_in_the_way_is_named_and_the_site_runs_on(site: Site) -> None:
    token = site.migrate()
    site.fill()
    site.run("CREATE VIEW heavy AS SELECT encounter_id FROM vitals WHERE weight_kg > 100")
    dropped = with_columns(VITALS, *VITALS.columns[:2], VITALS.columns[3])
    with pytest.raises(RefusedError, match=r"column weight_kg dropped\).*view heavy depends on"):
        site.migrate(plan_of("f2", dropped, PATIENTS))
    retyped = with_columns(
        VITALS, *VITALS.columns[:2], Column("weight_kg", "text", True, ""), VITALS.columns[3]
    )
    with pytest.raises(RefusedError, match=r"weight_kg is text now, was double precision\).*view"):
        site.migrate(plan_of("f2", retyped, PATIENTS))
    with pytest.raises(RefusedError, match=r"vitals dropped\).*view heavy depends on"):
        site.migrate(plan_of("f2", PATIENTS))
    assert site.volume.token() == token
    assert site.count() == 1
    added = with_columns(VITALS, *VITALS.columns, Column("pulse", "smallint", True, ""))
    assert site.migrate(plan_of("f2", added, PATIENTS)) != token
    assert site.count("heavy") == 0
    assert site.count() == 1


def test_missing_privileges_are_named_and_the_printed_grant_mends_them(site: Site) -> None:
    site.run("ALTER DATABASE analytics OWNER TO admin")
    for what in ("create the schema 'ozone_gen'", "create tables in the schema 'public'"):
        with pytest.raises(NotReadyError, match=what) as refused:
            site.migrate()
    for problem in refused.value.problems:
        assert "in the database 'analytics' as an administrator: GRANT " in problem.cure
        site.run(problem.cure.partition("administrator: ")[2])
    site.migrate()


def test_tables_of_another_owner_are_refused_in_words(site: Site) -> None:
    site.migrate()
    site.run("ALTER TABLE vitals OWNER TO admin")
    with pytest.raises(NotReadyError, match="does not allow it"):
        site.migrate(plan_of("f2", VITALS, PATIENTS))


def test_a_table_in_use_is_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    token = site.migrate()
    monkeypatch.setattr(program, "LOCK_TIMEOUT_MS", 100)
    with site.admin.transaction():
        site.run("SELECT * FROM vitals")
        with pytest.raises(NotReadyError, match="keeps a table in use"):
            site.migrate(plan_of("f2", VITALS, PATIENTS))
    assert site.volume.token() == token
    site.migrate(plan_of("f2", VITALS, PATIENTS))


def test_one_migration_at_a_time(site: Site) -> None:
    site.run(f"SELECT pg_advisory_lock({ADVISORY_LOCK})")
    with pytest.raises(NotReadyError, match="Another migration is at work"):
        site.migrate()
    site.run(f"SELECT pg_advisory_unlock({ADVISORY_LOCK})")
    site.migrate()


@pytest.mark.parametrize("step", ["cancel_jobs", "clear", "prepare", "begin"])
def test_a_crash_at_any_step_leads_to_a_new_generation(
    site: Site, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    class PowerCut(BaseException):
        pass

    def crash(*_: object) -> None:
        raise PowerCut

    first = site.migrate()
    changed = plan_of("f2", VITALS, PATIENTS)
    with monkeypatch.context() as patch:
        patch.setattr(program if step == "cancel_jobs" else Volume, step, crash)
        with pytest.raises(PowerCut):
            site.migrate(changed)
    assert site.volume.token() is None
    second = site.migrate(changed)
    assert second != first
    assert site.migrate(changed) == second


def test_going_back_to_the_plan_before_is_a_new_generation_too(site: Site) -> None:
    first = site.migrate()
    second = site.migrate(plan_of("f2", PATIENTS))
    third = site.migrate()
    assert len({first, second, third}) == 3


def test_why_there_is_no_session(site: Site) -> None:
    place = f"The analytics database at 127.0.0.1:{site.sink.port}"

    def message(**changes: Any) -> str:
        with pytest.raises(NotReadyError) as refused:
            connect(dataclasses.replace(site.sink, **changes))
        return refused.value.problems[0].message

    refuses = "the password is wrong, or there is no such user."
    assert message(password="wrong") == f"{place} refuses the user 'analytics': {refuses}"
    assert message(user="nobody") == f"{place} refuses the user 'nobody': {refuses}"
    assert message(database="other") == f"{place} has no database 'other'."
    assert message(port=9).startswith("The analytics database at 127.0.0.1:9 is down")
    site.run("ALTER ROLE analytics CONNECTION LIMIT 0")
    assert message() == f'{place} gives no session: too many connections for role "analytics"'


def test_names_that_need_quotes(site: Site) -> None:
    column = Column("select", "text", False, "it's")
    odd = Table('Ünd "x"', "a 'b' %s {}", (column,), ("select",), (("select",),))
    plan = dataclasses.replace(PLAN, schema="Clinic A", tables=(odd,))
    token = site.migrate(plan)
    assert site.migrate(plan) == token
    said = site.run("SELECT obj_description(oid) FROM pg_class WHERE relname = 'Ünd \"x\"' AND relkind = 'r'")
    assert said == [("a 'b' %s {}",)]


def test_the_rendered_file(tmp_path: Path) -> None:
    rendered = {
        "site": "clinic",
        "fingerprint": "f1",
        "schema": "public",
        "tables": [
            {
                "name": "patients",
                "comment": "",
                "columns": [{"name": "patient_id", "type": "bigint", "nullable": False, "comment": ""}],
                "primary_key": ["patient_id"],
                "indexes": [],
            }
        ],
    }
    path = tmp_path / "tables.json"
    path.write_text(json.dumps(rendered), encoding="utf-8")
    assert read_plan(path) == Plan("clinic", "f1", "public", (PATIENTS,))
    rendered["tables"][0]["columns"][0]["type"] = "text; DROP TABLE x"  # type: ignore[index]
    path.write_text(json.dumps(rendered), encoding="utf-8")
    with pytest.raises(RefusedError, match="cannot be used"):
        read_plan(path)
    with pytest.raises(RefusedError, match="cannot be used"):
        read_plan(tmp_path / "absent.json")


@pytest.mark.parametrize(
    "name",
    ["numeric(10,2)", "timestamp(3) with time zone", "time without time zone", "text[]", "double precision"],
)
def test_types_that_may_be_rendered(site: Site, name: str) -> None:
    table = Table("t", "", (Column("c", name, True, ""),), (), ())
    token = site.migrate(dataclasses.replace(PLAN, tables=(table,)))
    assert site.migrate(dataclasses.replace(PLAN, tables=(table,))) == token


def test_the_old_job_is_cancelled_before_the_tables_change(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[tuple[int, str | None]] = []

    def cancel(url: str) -> None:
        seen.append((site.count(), site.volume.token()))

    site.migrate()
    site.fill()
    monkeypatch.setattr(program, "cancel_jobs", cancel)
    with caplog.at_level(logging.INFO, "ozone"):
        site.migrate(plan_of("f2", VITALS, PATIENTS))
    assert seen == [(1, None)]
    assert caplog.messages[0] == (
        "The tables are to be filled anew: ozone.yaml has changed, or Flink's volume is new."
    )


def test_two_runs_at_once_end_in_one_generation(site: Site) -> None:
    outcomes: list[str] = []

    def run() -> None:
        try:
            outcomes.append(site.migrate())
        except NotReadyError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tokens = [row[0] for row in site.run("SELECT generation FROM ozone_gen.state")]
    assert site.volume.token() == tokens[0]
    assert set(outcomes) <= {tokens[0], "Another migration is at work in the same database."}


def test_a_plan_needs_all_its_parts() -> None:
    with pytest.raises(KeyError):
        parse_plan({"fingerprint": "f", "schema": "public", "tables": []})

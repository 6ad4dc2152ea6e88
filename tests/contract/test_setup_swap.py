"""swap on a real PostgreSQL: new tables take the place of the old ones while people read and the job writes."""

import dataclasses
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from ozone_gen.doctor.tables import being_filled
from templates.setup.flink_generation import Volume
from templates.setup.sink_tables import Change, Column, Plan, Table
from templates.setup.waiting import NotReadyError, RefusedError

with warnings.catch_warnings():
    # kafka-python reads its message schemas by a function that Python 3.11 and 3.12 call deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from templates.setup import migrate as program
    from templates.setup.sink_session import Work
    from tests.contract.sink_site import PATIENTS, VITALS, Site, plan_of, with_columns

PULSE = Column("pulse", "smallint", True, "CIEL:5087")
GROWN = with_columns(VITALS, *VITALS.columns, PULSE)
RENAMED = with_columns(
    VITALS, *VITALS.columns[:2], Column("mass_kg", "double precision", True, "", "weight_kg"), VITALS.columns[3]
)
VISITS = Table("visits", "", (Column("visit_id", "bigint", False, ""),), ("visit_id",), ())
WRITE = (
    "INSERT INTO vitals (site, encounter_id) VALUES ('clinic', %s)"
    " ON CONFLICT (site, encounter_id) DO UPDATE SET site = EXCLUDED.site"
)


class PowerCut(BaseException):
    pass


def begin(site: Site, plan: Plan, rows: int = 3) -> None:
    """A site with one old row of each table begins another plan, whose `vitals` get some rows beside."""
    site.migrate()
    site.fill()
    site.run("INSERT INTO patients VALUES (7)")
    site.migrate(plan)
    if any(table.name == "vitals" for table in plan.tables):
        write(site, rows)


def write(site: Site, rows: int) -> None:
    with site.job() as job:
        for number in range(rows):
            job.execute(WRITE, (number,))


@contextmanager
def reading(site: Site, query: str) -> Iterator[list[int]]:
    """Ask again and again, as a dashboard does; the numbers that it sees. A failed query fails the test."""
    seen: list[int] = []
    failures: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        try:
            with site.job("reader") as connection:
                while not stop.is_set():
                    row = connection.execute(query, prepare=False).fetchone()
                    assert row
                    seen.append(row[0])
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
    assert not failures, failures


def until(true: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if true():
            return
        threading.Event().wait(0.001)
    raise AssertionError("never")


def test_readers_see_the_old_rows_until_they_see_all_new_ones(site: Site) -> None:
    plan = plan_of("f2", GROWN, PATIENTS)
    begin(site, plan, rows=500)
    with reading(site, "SELECT count(*) FROM vitals") as seen:
        until(lambda: len(seen) > 20)
        site.swap(plan)
        already = len(seen)
        until(lambda: len(seen) > already + 20)
    assert set(seen) == {1, 500}
    assert seen == sorted(seen)
    assert [row[0] for row in site.columns("vitals")][-1] == "pulse"
    assert site.staging == ""
    token = site.volume.token()
    assert site.migrate(plan) == token
    assert site.count() == 500


@pytest.mark.parametrize("kept", [False, True], ids=["moved", "copied"])
def test_the_job_goes_on_in_the_same_connection_and_in_new_ones(site: Site, kept: bool) -> None:
    plan = plan_of("f2", GROWN, PATIENTS)
    begin(site, plan)
    if kept:
        site.run("CREATE VIEW reader AS SELECT encounter_id FROM vitals")
    written: list[int] = []
    stop = threading.Event()
    with site.job() as job:

        def load() -> None:
            while not stop.is_set():
                number = 1_000 + len(written)
                job.execute(WRITE, (number,), prepare=True)
                written.append(number)

        thread = threading.Thread(target=load)
        thread.start()
        try:
            until(lambda: len(written) > 50)
            site.swap(plan)
            already = len(written)
            until(lambda: len(written) > already + 50)
        finally:
            stop.set()
            thread.join()
    assert site.count() == 3 + len(written)
    with site.job() as again:
        again.execute(WRITE, (5,))
    assert site.count() == 4 + len(written)
    if kept:
        assert site.count("reader") == 4 + len(written)


def test_the_doctor_sees_that_tables_are_being_filled(site: Site) -> None:
    assert being_filled(site.admin, "clinic") is None
    plan = plan_of("f2", GROWN, PATIENTS)
    begin(site, plan)
    finding = being_filled(site.admin, "clinic")
    assert finding is not None
    assert site.staging in finding.what
    assert being_filled(site.admin, "other") is None
    site.swap(plan)
    assert being_filled(site.admin, "clinic") is None


def test_rights_go_with_the_table(site: Site) -> None:
    site.run("CREATE ROLE dashboard")
    try:
        site.run("SET ROLE analytics")
        site.run("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO dashboard")
        site.run("RESET ROLE")
        site.migrate()
        site.fill()
        site.run("GRANT INSERT ON vitals TO dashboard WITH GRANT OPTION")
        site.run("GRANT SELECT ON vitals TO PUBLIC")
        site.run("REVOKE ALL ON patients FROM dashboard")
        before = site.run("SELECT relacl::text FROM pg_class WHERE oid = 'vitals'::regclass")
        oid = site.run("SELECT 'vitals'::regclass::oid")
        plan = plan_of("f2", GROWN, PATIENTS, VISITS)
        site.migrate(plan)
        site.swap(plan)
        assert site.run("SELECT 'vitals'::regclass::oid") != oid
        after = site.run("SELECT relacl::text FROM pg_class WHERE oid = 'vitals'::regclass")
        assert sorted(before[0][0].strip("{}").split(",")) == sorted(after[0][0].strip("{}").split(","))
        may = "SELECT has_table_privilege('dashboard', '{}', 'SELECT')"
        assert site.run(may.format("patients")) == [(False,)]
        assert site.run(may.format("visits")) == [(True,)]
    finally:
        site.run("DROP OWNED BY dashboard")
        site.run("DROP ROLE dashboard")


@pytest.mark.parametrize(
    "dependent",
    [
        "CREATE VIEW dependent AS SELECT encounter_id FROM vitals",
        "CREATE MATERIALIZED VIEW dependent AS SELECT encounter_id FROM vitals",
        "CREATE TABLE dependent (v vitals)",
        "CREATE FUNCTION dependent(vitals) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE INDEX dependent ON vitals (weight_kg)",
        "CREATE INDEX dependent ON vitals ((weight_kg + 1)) WHERE encounter_id > 0",
        "CREATE STATISTICS dependent ON site, encounter_id FROM vitals",
        "CREATE RULE dependent AS ON INSERT TO vitals DO ALSO NOTIFY vitals",
        "ALTER TABLE vitals ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE vitals ADD CONSTRAINT dependent CHECK (encounter_id < 1000000)",
        "ALTER TABLE vitals SET (fillfactor = 50)",
        "ALTER TABLE vitals REPLICA IDENTITY FULL",
        "GRANT SELECT (encounter_id) ON vitals TO PUBLIC",
        "CREATE PUBLICATION dependent FOR TABLE vitals",
    ],
)
def test_a_table_that_something_depends_on_stays_and_has_the_new_rows(site: Site, dependent: str) -> None:
    plan = plan_of("f2", GROWN, PATIENTS)
    begin(site, plan)
    site.run(dependent)
    oid = site.run("SELECT 'vitals'::regclass::oid, 'patients'::regclass::oid")[0]
    site.swap(plan)
    after = site.run("SELECT 'vitals'::regclass::oid, 'patients'::regclass::oid")[0]
    assert after[0] == oid[0]
    assert after[1] != oid[1]
    assert site.count() == 3
    assert "pulse" in [row[0] for row in site.columns("vitals")]
    if "VIEW" in dependent:
        site.run("ALTER VIEW dependent RENAME TO found" if "MATER" not in dependent else "SELECT 1")


def test_a_renamed_column_takes_its_views_along(site: Site) -> None:
    plan = plan_of("f2", RENAMED, PATIENTS)
    begin(site, plan)
    site.run("CREATE VIEW heavy AS SELECT encounter_id, weight_kg FROM vitals")
    site.run(f"UPDATE {site.staging}.vitals SET mass_kg = 80")
    site.swap(plan)
    assert site.run("SELECT DISTINCT weight_kg FROM heavy") == [(80,)]
    assert [row[0] for row in site.columns("vitals")] == ["site", "encounter_id", "mass_kg", "taken_at"]


@pytest.mark.parametrize("kept", [False, True], ids=["moved", "copied"])
def test_a_renamed_table_takes_its_rights_and_views_along(site: Site, kept: bool) -> None:
    signs = dataclasses.replace(VITALS, name="signs", renamed_from="vitals")
    plan = plan_of("f2", signs, PATIENTS)
    site.migrate()
    site.fill()
    site.run("GRANT SELECT ON vitals TO PUBLIC")
    if kept:
        site.run("CREATE VIEW reader AS SELECT encounter_id FROM vitals")
    site.migrate(plan)
    assert site.count() == 1
    with site.job() as job:
        job.execute("INSERT INTO signs (site, encounter_id) VALUES ('clinic', 1), ('clinic', 2)")
    site.swap(plan)
    assert site.tables() == ["patients", "signs"]
    assert site.count("signs") == 2
    assert site.run("SELECT relacl::text LIKE '%=r/%' FROM pg_class WHERE oid = 'signs'::regclass") == [(True,)]
    if kept:
        assert site.count("reader") == 2
    # What was its name is free, also that of its key.
    again = dataclasses.replace(plan_of("f3", signs, PATIENTS, VITALS))
    site.migrate(again)
    site.swap(again)
    assert site.tables() == ["patients", "signs", "vitals"]


def test_empty_tables_are_renamed_in_place(site: Site) -> None:
    site.migrate()
    site.run("CREATE VIEW reader AS SELECT weight_kg FROM vitals")
    signs = dataclasses.replace(RENAMED, name="signs", renamed_from="vitals")
    plan = plan_of("f2", signs, PATIENTS)
    site.migrate(plan)
    assert site.tables() == ["patients", "signs"]
    assert site.count("reader") == 0
    assert site.migrate(plan) == site.volume.token()


def test_a_dropped_table_is_there_until_the_swap(site: Site) -> None:
    plan = plan_of("f2", VITALS)
    begin(site, plan)
    assert site.count("patients") == 1
    site.swap(plan)
    assert site.tables() == ["vitals"]
    assert site.run("SELECT schema_name, table_name FROM ozone_gen.owned_table") == [("public", "vitals")]


def test_a_view_that_came_meanwhile_stands_in_the_way_and_is_named(site: Site) -> None:
    fewer = with_columns(VITALS, *VITALS.columns[:2], VITALS.columns[3])
    plan = plan_of("f2", fewer, PATIENTS)
    begin(site, plan)
    site.run("CREATE VIEW heavy AS SELECT encounter_id FROM vitals WHERE weight_kg > 70")
    with pytest.raises(RefusedError, match=r"weight_kg dropped\).*view heavy depends on"):
        site.swap(plan)
    assert site.count() == site.count("heavy") == 1
    assert site.count(f"{site.staging}.vitals") == 3
    site.run("DROP VIEW heavy")
    site.swap(plan)
    assert site.count() == 3


def test_a_table_in_use_is_waited_for_and_nothing_changes(site: Site) -> None:
    plan = plan_of("f2", GROWN, PATIENTS)
    begin(site, plan)
    with site.admin.transaction():
        site.run("SELECT * FROM patients")
        with pytest.raises(NotReadyError, match="keeps a table in use"):
            site.swap(plan, lock_timeout_ms=50)
    assert site.count() == 1
    site.swap(plan)
    assert site.count() == 3


@pytest.mark.parametrize("missing", [False, True], ids=["changed", "dropped"])
def test_tables_that_a_person_changed_beside_are_never_swapped_in(site: Site, missing: bool) -> None:
    plan = plan_of("f2", GROWN, PATIENTS)
    begin(site, plan)
    site.run(f"DROP TABLE {site.staging}.patients" if missing else f"ALTER TABLE {site.staging}.vitals DROP pulse")
    with pytest.raises(RefusedError, match="dropped them" if missing else "A person changed the tables"):
        site.swap(plan)
    assert site.count() == 1
    token = site.volume.token()
    assert site.migrate(plan) != token
    write(site, 2)
    site.swap(plan)
    assert site.count() == 2


def test_another_generation_is_never_swapped_in(site: Site) -> None:
    plan = plan_of("f2", GROWN, PATIENTS)
    begin(site, plan)
    with pytest.raises(RefusedError, match="another filling"):
        site.swap(plan_of("f3", GROWN, PATIENTS))
    site.swap(plan)
    with pytest.raises(RefusedError, match="another filling"):
        site.swap(plan)
    assert site.count() == 3


@pytest.mark.parametrize("kept", [False, True], ids=["moved", "copied"])
def test_a_crash_at_any_statement_of_a_swap_changes_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    signs = dataclasses.replace(RENAMED, name="signs", renamed_from="vitals")
    plan = plan_of("f2", signs, VISITS)
    site.migrate()
    site.fill()
    if kept:
        site.run("CREATE VIEW reader AS SELECT weight_kg FROM vitals")
    site.migrate(plan)
    with site.job() as job:
        job.execute("INSERT INTO signs (site, encounter_id) VALUES ('clinic', 1), ('clinic', 2)")
    done = Work.do
    crashes = 0
    while True:
        left = crashes

        def do(work: Work, changes: list[Change]) -> None:
            nonlocal left
            for change in changes:
                if left == 0:
                    raise PowerCut
                left -= 1
                done(work, [change])

        with monkeypatch.context() as patch:
            patch.setattr(Work, "do", do)
            try:
                site.swap(plan)
            except PowerCut:
                crashes += 1
            else:
                break
        assert site.count() == 1
        assert site.tables() == ["patients", "vitals"]
        assert site.count(f"{site.staging}.signs") == 2
    assert crashes > 10
    assert site.tables() == ["signs", "visits"]
    assert site.count("signs") == 2
    assert site.staging == ""


@pytest.mark.parametrize("step", ["cancel_jobs", "clear", "prepare", "begin"])
def test_a_crash_of_migrate_leaves_the_old_rows_and_no_second_filling(
    site: Site, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def crash(*_: object) -> None:
        raise PowerCut

    first, second = plan_of("f2", GROWN, PATIENTS), plan_of("f3", VITALS, PATIENTS, VISITS)
    begin(site, first)
    with monkeypatch.context() as patch:
        patch.setattr(program if step == "cancel_jobs" else Volume, step, crash)
        with pytest.raises(PowerCut):
            site.migrate(second)
    assert site.count() == 1
    site.migrate(second)
    schemas = site.run("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'ozone_next_%'")
    assert schemas == [(site.staging,)]
    write(site, 2)
    site.swap(second)
    assert site.count() == 2
    assert site.tables() == ["patients", "visits", "vitals"]


def test_a_filling_goes_on_when_migrate_runs_again(site: Site) -> None:
    plan = plan_of("f2", GROWN, PATIENTS)
    begin(site, plan)
    token = site.volume.token()
    told = plan_of("f2", dataclasses.replace(GROWN, comment="Of adults", indexes=()), PATIENTS)
    assert site.migrate(told) == token
    assert site.count(f"{site.staging}.vitals") == 3
    site.swap(told)
    assert site.run("SELECT obj_description('vitals'::regclass)") == [("Of adults",)]
    assert site.run("SELECT indexname FROM pg_indexes WHERE tablename = 'vitals'") == [("vitals_pkey",)]


def test_another_schema_takes_over_at_the_swap(site: Site) -> None:
    plan = dataclasses.replace(plan_of("f2", GROWN, PATIENTS), schema="flat")
    site.migrate()
    site.fill()
    site.run("CREATE VIEW reader AS SELECT encounter_id FROM vitals")
    site.migrate(plan)
    assert site.count() == 1
    with site.job(schema="flat") as job:
        job.execute(WRITE, (1,))
        job.execute(WRITE, (2,))
        site.swap(plan)
        job.execute(WRITE, (3,))
    assert site.tables() == []
    assert site.count("flat.vitals") == site.count("reader") == 3


def test_a_missing_right_to_make_a_schema_is_named(site: Site) -> None:
    site.migrate()
    site.fill()
    site.run("GRANT USAGE, CREATE ON SCHEMA public TO analytics")
    site.run("ALTER DATABASE analytics OWNER TO admin")
    plan = plan_of("f2", GROWN, PATIENTS)
    with pytest.raises(NotReadyError, match="filled anew beside the old ones") as refused:
        site.migrate(plan)
    site.run(refused.value.problems[0].cure.partition("administrator: ")[2])
    site.migrate(plan)
    site.swap(plan)


def test_a_foreign_table_that_came_meanwhile_is_left_as_it_is(site: Site) -> None:
    plan = plan_of("f2", GROWN, PATIENTS, VISITS)
    begin(site, plan)
    site.run("CREATE TABLE visits (mine int)")
    with pytest.raises(RefusedError, match=r'"public"\."visits" that this site has not made'):
        site.swap(plan)
    assert site.count() == 1
    site.run("DROP TABLE visits")
    site.swap(plan)


def test_a_sink_of_an_earlier_version_goes_on(site: Site) -> None:
    site.migrate()
    site.fill()
    site.run("ALTER TABLE ozone_gen.state DROP COLUMN database, DROP COLUMN staging")
    site.migrate()
    write(site, 2)
    site.swap()
    assert site.count() == 2


def test_rows_are_not_lost_to_a_dashboard_that_holds_its_table(site: Site) -> None:
    """One that reads in a transaction of its own keeps what it saw, and is waited for."""
    plan = plan_of("f2", GROWN, PATIENTS)
    begin(site, plan)
    with site.job("reader") as dashboard, dashboard.transaction():
        assert dashboard.execute("SELECT count(*) FROM vitals").fetchone() == (1,)
        with pytest.raises(NotReadyError):
            site.swap(plan, lock_timeout_ms=50)
        assert dashboard.execute("SELECT count(*) FROM vitals").fetchone() == (1,)
    site.swap(plan)
    assert site.count() == 3

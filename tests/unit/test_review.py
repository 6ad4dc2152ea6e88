"""`ozone-gen diff`: what a change means for a running site, in words and as a verdict."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from ozone_gen.cli import main
from ozone_gen.diagnostics import OzoneError
from ozone_gen.generate import generate
from ozone_gen.load import load, site_of
from ozone_gen.plan.build import build_plan
from ozone_gen.render.tree import FileTree
from ozone_gen.rendering import site_tree
from ozone_gen.review.alike import review_alike
from ozone_gen.review.as_json import as_json
from ozone_gen.review.compose import project
from ozone_gen.review.impact import WHILE_DOWN
from ozone_gen.review.markdown import MARKER, markdown
from ozone_gen.review.model import SiteReview, Status, Verdict
from ozone_gen.review.points import sections
from ozone_gen.review.run import review_all
from ozone_gen.review.sides import Pair, Side
from ozone_gen.review.site import added_site, review_site
from ozone_gen.source import parse_source

ROOT = Path(__file__).parents[2]
DEMO = (ROOT / "examples" / "demo" / "ozone.yaml").read_text()
EXTERNAL = """\
version: 1
site: {id: clinic, name: Clinic}
sources:
  openmrs: {type: openmrs, password: "${P}", host: db.example}
sink: {type: postgresql, password: "${Q}", host: warehouse.example}
flattening: {core: [visits]}
"""
CENTRAL = (ROOT / "examples" / "central" / "ozone.yaml").read_text()


def tree_of(text: str) -> FileTree:
    site = site_of(parse_source(text.encode(), "ozone.yaml"))
    return generate(build_plan(site.spec, site.dictionary))


def review(old: str, new: str) -> SiteReview:
    return review_site("demo", "ozone.yaml", tree_of(old), tree_of(new))


def changed(*replacements: tuple[str, str], text: str = DEMO) -> str:
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def words(found: SiteReview, heading: str) -> list[str]:
    return [point.words for section in sections(found) if section.heading == heading for point in section.points]


def said(found: SiteReview) -> str:
    return "\n".join(point.words for section in sections(found) for point in section.points)


HEIGHT = "        height_cm: CIEL:5090\n"
SUPERSET = '  superset: {admin_password: "${SUPERSET_ADMIN_PASSWORD}"}\n'


def test_nothing_changes() -> None:
    found = review(DEMO, "# another comment\n" + DEMO)
    assert (found.status, found.verdict, found.files) == (Status.UNCHANGED, Verdict.NONE, ())


def test_a_description_is_safe() -> None:
    found = review(DEMO, changed(("The highest one of the visit", "The highest of the visit")))
    assert found.tables.cost.name == "IN_PLACE"
    assert words(found, "Tables and columns")[1:] == ["vitals: column temperature_c is described in other words"]
    assert "migrate runs once more" in said(found)


@pytest.mark.parametrize(
    ("replacement", "verdict", "change"),
    [
        ((HEIGHT, ""), Verdict.DATA_LOSS, "vitals: column height_cm is dropped"),
        (
            (HEIGHT, "        height: {concept: CIEL:5090, renamed_from: height_cm}\n"),
            Verdict.REBUILD,
            "vitals: column height_cm is called height",
        ),
        (
            (HEIGHT, "        height_cm: {concept: CIEL:5090, type: integer}\n"),
            Verdict.REBUILD,
            "vitals: column height_cm becomes bigint, was double precision",
        ),
        (
            (HEIGHT, f"{HEIGHT}        height_max: {{concept: CIEL:5090, repeat: max}}\n"),
            Verdict.REBUILD,
            "vitals: column height_max is added",
        ),
        (("core: [patients, visits,", "core: [patients,"), Verdict.DATA_LOSS, "visits: the table is dropped"),
    ],
)
def test_tables(replacement: tuple[str, str], verdict: Verdict, change: str) -> None:
    found = review(DEMO, changed(replacement))
    assert found.verdict is verdict
    assert change in words(found, "Tables and columns")
    assert set(found.tables.rebuilt) >= {"patients", "vitals"}


def test_another_captured_table_needs_a_new_snapshot() -> None:
    found = review(DEMO, changed(("core: [patients,", "core: [orders, patients,")))
    assert found.verdict is Verdict.REBUILD
    assert words(found, "Source, topics and connector")[0].startswith("A new snapshot of OpenMRS is needed, as care_s")
    assert len(found.topics_added) > len(found.topics_removed) > 0
    assert "topic.prefix" in {each.key for each in found.settings}


def test_an_image_restarts_its_service_alone() -> None:
    found = review(DEMO, DEMO + "images: {redis: 'redis:7.4'}\n")
    assert found.verdict is Verdict.RESTART
    assert words(found, "Images") == ["redis:7.4 instead of redis:7, for redis"]
    assert words(found, "Services") == ["redis starts anew (image redis:7 becomes redis:7.4)"]
    assert words(found, "For a minute or two") == ["dashboards are slower"]


@pytest.mark.parametrize(
    ("image", "verdict", "risk"),
    [
        ("postgresql: 'postgres:17'", Verdict.DATA_LOSS, "PostgreSQL 17 cannot read the volume of PostgreSQL 16"),
        ("postgresql: 'postgres:16.9'", Verdict.RESTART, ""),
        ("mysql: 'mysql:8.4'", Verdict.NONE, ""),
        ("mariadb: 'mariadb:10.6'", Verdict.DATA_LOSS, "goes back from version 10.11 to 10.6"),
        ("mariadb: 'registry.example:5000/mirror/mariadb:11.4'", Verdict.RESTART, ""),
        ("redis: 'mirror.example/redis:8'", Verdict.RESTART, ""),
    ],
)
def test_a_database_that_cannot_read_its_volume(image: str, verdict: Verdict, risk: str) -> None:
    found = review(DEMO, DEMO + f"images: {{{image}}}\n")
    assert found.verdict is verdict
    assert risk in "".join(found.risks)
    assert bool(risk) == bool(found.risks)


def test_a_database_of_another_kind() -> None:
    found = review(DEMO, changed(("engine: mariadb", "engine: mysql")))
    assert found.verdict is Verdict.DATA_LOSS
    assert "`mysql` becomes mysql instead of mariadb" in found.risks[0]


def test_another_id_is_another_project() -> None:
    found = review(DEMO, changed(("id: demo", "id: other")))
    assert found.verdict is Verdict.DATA_LOSS
    assert "docker compose -p ozone-demo down" in found.risks[0]


def test_a_sink_that_moves_is_filled_anew() -> None:
    found = review(EXTERNAL, changed(("warehouse.example", "elsewhere.example"), text=EXTERNAL))
    assert found.verdict is Verdict.REBUILD
    assert "elsewhere.example" in found.notes[0]
    assert "filled anew there" in found.notes[0]


def test_a_source_that_moves_is_a_question() -> None:
    found = review(EXTERNAL, changed(("db.example", "db2.example"), text=EXTERNAL))
    assert found.verdict is Verdict.RESTART
    assert "db2.example:3306 instead of db.example:3306" in found.notes[0]
    assert "No new snapshot: the connector goes on from where it was" not in said(found)


def test_ports_are_named_with_who_reaches_them() -> None:
    found = review(DEMO, DEMO + "ports: {superset: 9999}\n")
    assert words(found, "Ports of the host") == ["superset is at 127.0.0.1:9999 instead of 127.0.0.1:8088"]
    found = review(DEMO, DEMO + "ports: {bind_address: 0.0.0.0}\n")
    assert "superset is at 0.0.0.0:8088 instead of 127.0.0.1:8088, which other machines reach" in said(found)
    found = review(DEMO, DEMO + "ports: {superset: null}\n")
    assert words(found, "Ports of the host") == ["127.0.0.1:8088 of superset is closed"]


def test_a_component_brings_services_variables_and_dashboards() -> None:
    without = changed((SUPERSET, ""))
    found = review(without, DEMO)
    assert found.verdict is Verdict.RESTART, "secrets have to be set"
    assert "superset is new" in words(found, "Services")
    key = "SUPERSET_SECRET_KEY has to be set in .env, the key that signs Superset's sessions"
    assert any(point.startswith(key) for point in words(found, "Before you bring it up"))
    assert "dashboard new: “Demo clinic”" in words(found, "Dashboards")
    back = review(DEMO, without)
    assert "superset goes" in words(back, "Services")
    assert "SUPERSET_SECRET_KEY is no longer needed in .env" in said(back)
    assert "`--remove-orphans`" in said(back)


def test_a_volume_that_stays_behind_is_named() -> None:
    elsewhere = ("{type: seaweedfs}", "{type: s3, endpoint: 'https://s3.example.org'}")
    found = review(CENTRAL, changed(elsewhere, text=CENTRAL))
    assert "object-store goes" in words(found, "Services")
    assert any("object-store-data" in note and "until somebody removes" in note for note in found.notes)


def test_memory_restarts_what_has_it() -> None:
    found = review(DEMO, DEMO + "memory: {taskmanager: 3g}\n")
    (service,) = (each for each in found.services if each.name == "taskmanager")
    assert "memory limit 1152m becomes 3072m" in service.reasons
    assert "kafka" not in {each.name for each in found.services}


def test_it_is_known_what_people_notice_of_every_service() -> None:
    for example in sorted((ROOT / "examples").glob("*/ozone.yaml")):
        services = project(site_tree(load(str(example)))[1]).services.values()
        stays = {each.name for each in services if not each.is_step and not each.on_demand}
        assert stays <= WHILE_DOWN.keys(), example


def test_formats_say_the_same() -> None:
    found = [
        review(DEMO, changed((HEIGHT, ""))),
        SiteReview("other", "other.yaml", Status.UNCHANGED),
        SiteReview("bad", "bad.yaml", Status.BROKEN),
    ]
    document = json.loads(as_json(found))
    schema = json.loads((ROOT / "schemas" / "diff.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    assert document["verdict"] == "data-loss"
    assert [site["verdict"] for site in document["sites"]] == ["data-loss", "none", "unknown"]
    assert {
        "table": "vitals",
        "column": "height_cm",
        "change": "column-dropped",
        "loses": True,
        "words": "column height_cm is dropped",
    } in document["sites"][0]["tables"]["changes"]
    text = markdown(found)
    assert text.startswith(f"{MARKER}\n### ozone-gen: 1 of 3 sites cannot be compared\n")
    assert "| demo | **data loss** | vitals: column height\\_cm is dropped |" in text
    assert "| other " not in text
    assert markdown([found[0]]).startswith(f"{MARKER}\n### ozone-gen: data loss\n")


def test_sites_that_change_alike_are_told_once_and_a_comment_is_never_too_long() -> None:
    found = review(DEMO, changed((HEIGHT, "")))
    text = markdown([replace(found, site=f"site-{number}") for number in range(300)])
    assert text.count("<details>") == 1
    assert "<b>site-0, site-1," in text
    assert "and 290 more</b>" in text
    assert "| and 200 more | | |" in text
    others = [replace(found, site=f"s{number}", notes=(f"note {number}",)) for number in range(300)]
    long = markdown(others)
    assert len(long) < 65_536
    assert long.endswith("do not fit into a comment.\n")


def test_names_cannot_break_out_of_a_comment() -> None:
    text = changed(("name: Demo clinic", "name: '<img src=x> @team `a` [b](c) | d'"))
    comment = markdown([review(DEMO, text)])
    assert "<img" not in comment
    assert "@team" not in comment


# --- sites that are alike


FIRST = EXTERNAL.replace("core: [visits]", "core: [visits, patients]")
EXTRAS = "components: {superset: {}, parquet_export: {}, kafka_ui: {}}\nports: {flink: 9999}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (FIRST, EXTERNAL),
        (EXTERNAL, EXTERNAL + EXTRAS),
        (EXTERNAL + EXTRAS, EXTERNAL),
        (FIRST, FIRST.replace("id: clinic", "id: other")),
        (FIRST, FIRST.replace("name: Clinic", "name: '“Clinic”: ünï & <co>'")),
        (FIRST, FIRST.replace("db.example", "db2.example")),
        (FIRST, FIRST.replace("warehouse.example", "db2.example")),
        (FIRST.replace("warehouse.example", "postgresql"), EXTERNAL),
        (DEMO, DEMO.replace(HEIGHT, "")),
        ("", EXTERNAL + EXTRAS),
        (CENTRAL, CENTRAL.replace("drill: {sites: [musanze, huye, kigali]}", "drill: {sites: [musanze]}")),
    ],
)
@pytest.mark.parametrize("names", [("clinic", "Clinic", "db.example"), ("x-1", "Über: 'a' #b", "10.0.0.1")])
def test_what_is_said_of_sites_that_are_alike_is_what_would_be_said_of_each(
    before: str, after: str, names: tuple[str, str, str]
) -> None:
    def named(text: str) -> str:
        text = text.replace("id: clinic", f"id: {names[0]}").replace("db.example", names[2])
        return text.replace("name: Clinic}", f"name: {json.dumps(names[1])}}}")

    before, after = named(before), named(after)
    old, new = (site_of(parse_source(text.encode(), "a.yaml")) if text else None for text in (before, after))
    assert new is not None
    found = review_alike("a", "a.yaml", old, new)
    assert found == (review_site("a", "a.yaml", tree_of(before), tree_of(after)) if before else
                     added_site("a", "a.yaml", tree_of(after)))  # fmt: skip


def test_many_sites_on_several_cores_are_as_one_after_the_other(tmp_path: Path) -> None:
    sites(tmp_path, **{f"s{number}": EXTERNAL for number in range(40)})
    changed_folder = tmp_path / "new"
    changed_folder.mkdir()
    sites(changed_folder, **{f"s{number}": EXTERNAL.replace("id: clinic", "id: demo") for number in range(40)})
    pairs = [
        Pair(name, Side(tmp_path / name / "ozone.yaml"), Side(changed_folder / name / "ozone.yaml"))
        for name in (f"s{number}" for number in range(40))
    ]
    (tmp_path / "s7" / "ozone.yaml").write_text("version: 1\n")
    found = list(review_all(pairs))
    assert [pair.name for pair, _ in found] == [pair.name for pair in pairs]
    assert [isinstance(result, OzoneError) for _, result in found] == [number == 7 for number in range(40)]
    assert [result.site for _, result in found if isinstance(result, SiteReview)] == [
        f"s{number}" for number in range(40) if number != 7
    ]


# --- the command


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"):
        monkeypatch.setenv(name, "A")
    for name in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "a@example.org")

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q", "-b", "main")
    return git


def sites(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "ozone.yaml").write_text(text.replace("id: demo", f"id: {name}"))


def test_two_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sites(tmp_path, old=DEMO, new=changed(("        height_cm: CIEL:5090\n", "")))
    old, new = str(tmp_path / "old" / "ozone.yaml"), str(tmp_path / "new" / "ozone.yaml")
    Path(new).write_text(Path(new).read_text().replace("id: new", "id: old"))
    assert main(["diff", old, new]) == 1
    assert capsys.readouterr().out.startswith("old: data loss. ")
    assert main(["diff", old, old]) == 0
    assert main(["diff", old, new, "--fail-on", "data-loss"]) == 1
    assert main(["diff", new, old, "--fail-on", "data-loss"]) == 0, "what is added is no loss"


def test_two_rendered_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "ozone.yaml"
    for name, text in {"old": DEMO, "new": DEMO + "ports: {superset: 9999}\n"}.items():
        file.write_text(text)
        assert main(["render", str(file), "-o", str(tmp_path / name)]) == 0
    capsys.readouterr()
    assert main(["diff", str(tmp_path / "old"), str(tmp_path / "new"), "--format", "json"]) == 1
    (site,) = json.loads(capsys.readouterr().out)["sites"]
    assert [port["change"] for port in site["ports"]] == ["moved"]
    assert site["site"] == "demo"
    assert main(["diff", str(tmp_path / "old"), str(file), "--format", "json"]) == 1, "a folder and a file"


def test_revisions(repository: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sites(tmp_path, kept=DEMO, altered=DEMO, gone=DEMO)
    repository("add", ".")
    repository("commit", "-qm", "one")
    sites(tmp_path, altered=DEMO + "ports: {superset: 9999}\n", fresh=DEMO)
    repository("rm", "-rq", "gone")
    repository("add", ".")
    repository("commit", "-qm", "two")
    for span in ("HEAD~1..HEAD", "HEAD~1...HEAD", "HEAD~1..", "HEAD~1"):
        assert main(["diff", "--git", span, "--format", "json"]) == 1
        found = {site["file"]: site for site in json.loads(capsys.readouterr().out)["sites"]}
        assert {name.split("/")[-2].split(":")[-1]: site["verdict"] for name, site in found.items()} == {
            "kept": "none",
            "altered": "restart",
            "gone": "data-loss",
            "fresh": "safe",
        }, span
    assert main(["diff", "--git", "HEAD~1..HEAD", "kept"]) == 0
    (tmp_path / "kept" / "ozone.yaml").write_text(DEMO + "ports: {superset: 9999}\n")
    assert main(["diff", "--git", "HEAD", "kept"]) == 1, "the work tree"


def test_what_git_refuses_is_said(
    repository: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sites(tmp_path, one=DEMO)
    repository("add", ".")
    repository("commit", "-qm", "one")
    assert main(["diff", "--git", "nonsense..HEAD"]) == 2
    assert "nonsense: error[OZ452] `nonsense` is no revision of this repository" in capsys.readouterr().err
    assert main(["diff", "--git", "--upload-pack=x..HEAD"]) == 2
    assert main(["diff", "--git", "HEAD", "/"]) == 2
    assert "OZ451" in capsys.readouterr().err
    monkeypatch.setenv("PATH", "/nonexistent")
    assert main(["diff", "--git", "HEAD"]) == 2
    assert "git is not installed" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.chdir("/")
    assert main(["diff", "--git", "HEAD"]) == 2
    assert "in no git repository" in capsys.readouterr().err


def test_a_side_that_cannot_be_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sites(tmp_path, good=DEMO, bad="version: 1\n")
    good, bad = str(tmp_path / "good" / "ozone.yaml"), str(tmp_path / "bad" / "ozone.yaml")
    assert main(["diff", good, bad]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "OZ102" in captured.err
    assert main(["diff", good, str(tmp_path / "nothing")]) == 2
    assert "there is no such file or folder" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["diff", str(tmp_path / "empty"), str(tmp_path / "good")]) == 2
    assert "there is no site in this folder" in capsys.readouterr().err
    assert main(["diff", good]) == 2

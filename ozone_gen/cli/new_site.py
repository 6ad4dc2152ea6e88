"""The command `new-site`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ozone_gen.cli.examples import examples
from ozone_gen.cli.outcome import BYTES, Outcome, progress

if TYPE_CHECKING:
    from ozone_gen.new_site.making import NewSite
    from ozone_gen.new_site.own_data import OwnData
    from ozone_gen.new_site.questions import Answer, Answers, Question


@click.command(
    "new-site",
    epilog=examples(
        "ozone-gen new-site kigali",
        "ozone-gen new-site kigali --no-input --from-dump kigali.sql",
        "ozone-gen new-site our-sites --fleet",
        "ozone-gen new-site sites/musanze --extends ../../defaults/ozone.base.yaml",
    ),
)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--fleet", is_flag=True, help="Make a repository of sites: a shared base, and a first site.")
@click.option("--extends", metavar="BASE", help="One more site of a repository: the base, as seen from FOLDER.")
@click.option("--no-input", is_flag=True, help="Ask nothing: take answers, and defaults for the others.")
@click.option("--answers", "answers_file", type=click.Path(path_type=Path), help="A YAML file of answers, by name.")
@click.option("--from-dump", type=click.Path(path_type=Path), help="A SQL dump of the site: its tables, and its lock.")
@click.option("--dictionary", type=click.Path(path_type=Path), help="In place of a dump: an exported dictionary.")
def new_site_command(
    folder: Path | None,
    fleet: bool,
    extends: str | None,
    no_input: bool,
    answers_file: Path | None,
    from_dump: Path | None,
    dictionary: Path | None,
) -> int:
    """Make FOLDER with the ozone.yaml of a new site, a README and a check for CI.

    Left out, FOLDER is the site's id. What is asked for can be answered by a file, too: site_name, site_id, country,
    timezone, locales, source, source_host, platform, appointments, sink, sink_host, superset, kafka_ui, parquet_export,
    high_availability, ci. The same template works with `cookiecutter` alone.
    """
    if fleet and extends:
        raise click.UsageError("--fleet makes a new repository, --extends a site of one that is there: give one")
    if from_dump and dictionary:
        raise click.UsageError("--from-dump and --dictionary exclude each other: a dump holds a dictionary")
    outcome = Outcome()
    with outcome.telling(str(folder or "")):
        from ozone_gen.new_site.answers import read_answers
        from ozone_gen.new_site.making import make, require_free
        from ozone_gen.new_site.questions import FLEET, FLEET_SITE, SITE, answers_of_folder, questions

        if folder is not None:
            require_free(folder)
        asked = questions()
        given = read_answers(answers_file, asked) if answers_file else {}
        own_data = _own_data(from_dump, dictionary, outcome)
        layout = FLEET if fleet else FLEET_SITE if extends else SITE
        # The folder of a repository tells nothing of its first site.
        named = answers_of_folder(folder) if folder is not None and not fleet else {}
        known: Answers = {**(own_data.defaults() if own_data else {}), **named}
        answers = _answered(asked, given, known, layout, ask=not no_input)
        made = make(folder or Path(str(answers["site_id"])), answers, own_data, extends or "")
        outcome.add(made.warnings)
        _tell(made)
    outcome.show()
    return outcome.code


def _own_data(dump: Path | None, dictionary: Path | None, outcome: Outcome) -> OwnData | None:
    path = dump or dictionary
    if path is None:
        return None
    from ozone_gen.new_site.own_data import read_own_data

    size = path.stat().st_size if dump and path.is_file() else 0
    with progress(f"reading {path.name}", BYTES, 2 * size) as advance:
        own_data = read_own_data(path, is_dump=dump is not None, advance=advance)
    outcome.add(own_data.warnings)
    return own_data


def _answered(asked: tuple[Question, ...], given: Answers, known: Answers, layout: str, *, ask: bool) -> Answers:
    """An answer for each question: as given, else as asked for, else a default, that of the site's data first."""
    from ozone_gen.diagnostics import OzoneError, Position, codes
    from ozone_gen.new_site.questions import LAYOUT, applies, default_of, problem

    answers: Answers = {LAYOUT: layout}
    for question in asked:
        if question.name in given:
            answers[question.name] = given[question.name]
            continue
        default = known.get(question.name, default_of(question, answers))
        wrong = problem(question, default)
        if ask and applies(question, answers):
            answers[question.name] = _asked(question, "" if wrong else default)
        elif wrong:
            name = question.name
            raise OzoneError(codes.NotAnAnswer.at(Position("ozone-gen new-site"), wrong, path=name, hint=question.text))
        else:
            answers[question.name] = default
    return answers


def _asked(question: Question, default: Answer) -> Answer:
    """Ask until the answer fits."""
    from ozone_gen.new_site.questions import problem

    if question.is_yes_or_no:
        return click.confirm(question.text, default=bool(default), err=True)
    if question.choices:
        listed = "" if any(question.choices.values()) else f" ({', '.join(question.choices)})"
        click.echo(f"{question.text}{listed}:", err=True)
        for name, text in question.choices.items() if not listed else ():
            click.echo(f"  {name:<10} {text}".rstrip(), err=True)
    while True:
        text = question.name if question.choices else question.text
        answer: str = click.prompt(text, default=str(default) or None, err=True)
        wrong = problem(question, answer.strip())
        if not wrong:
            return answer.strip()
        click.secho(wrong, err=True, fg="yellow")


def _tell(made: NewSite) -> None:
    for file in made.files:
        click.echo(f"{click.style('added', fg='green')}    {made.folder / file}")
    click.echo(f"\nNext: ozone-gen preview {made.file} --html preview/report.html")
    click.echo(f"      ozone-gen render {made.file} -o {made.file.parent / 'out'}")

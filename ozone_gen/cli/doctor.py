"""The command `doctor`."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import click

from ozone_gen.cli.completion import complete_site
from ozone_gen.cli.examples import examples
from ozone_gen.cli.outcome import CLEAN, FINDINGS, Outcome, colour


@click.command(
    "doctor",
    epilog=examples(
        "ozone-gen doctor ozone.yaml --folder out/",
        "ozone-gen doctor ozone.yaml --folder out/ --format json",
    ),
)
@click.argument("file", shell_complete=complete_site)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="The site's rendered folder, whose .env holds the passwords; left out, the environment does.",
)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", help="How it is printed.")
def doctor_command(file: str, folder: Path | None, form: str) -> int:
    """Look at the running site of FILE: what is well, what is not, and what to do.

    Run it on the site's machine. It looks at the containers, at Kafka Connect and Flink through their published ports,
    and counts the rows of every flattened table in both databases. It changes nothing.

    Exit codes: 0 all is well (or not known), 1 something is not, 2 it could not run.
    """
    outcome = Outcome()
    with outcome.telling(file):
        import sys

        from ozone_gen.doctor import State, examine
        from ozone_gen.doctor.reach import environment
        from ozone_gen.load import load
        from ozone_gen.plan.build import build_plan

        site = load(file)
        outcome.add(site.warnings)
        plan = build_plan(site.spec, site.dictionary, locked=site.locked)
        variables = environment(os.environ, folder / ".env" if folder else None)
        findings = list(examine(plan, variables))
        if form == "json":
            import json

            click.echo(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
        else:
            from rich.console import Console

            from ozone_gen.doctor.terminal import show_findings

            show_findings(findings, Console(no_color=not colour(sys.stdout)))
        bad = any(finding.state in (State.ILL, State.WARNING) for finding in findings)
        outcome.code = max(outcome.code, FINDINGS if bad else CLEAN)
    outcome.show()
    return outcome.code

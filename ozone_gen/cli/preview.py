"""What `ozone-gen preview` does: flatten, show, and write the report."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ozone_gen.cli.outcome import DEMO_PATIENTS, DEMO_SEED, Outcome, progress

if TYPE_CHECKING:
    from ozone_gen.load import Site
    from ozone_gen.plan import DemoData


def run_command(
    site: Site, dump: Path | None, out: Path, rows: int, outcome: Outcome, *, html: Path | None, shared: bool
) -> None:
    """Preview a site; `html` is the report to write, where one is wanted, `shared` as in Report."""
    from rich.console import Console

    from ozone_gen.plan import DemoData
    from ozone_gen.plan.build import build_plan, counting_tables, own_tables, source_schema
    from ozone_gen.preview import (
        FEW,
        Counting,
        ProgressStages,
        Report,
        findings,
        job_files,
        profiles_of,
        report_html,
        run_preview,
        show_preview,
    )
    from ozone_gen.text_output import text_file

    site.require_source()
    plan = build_plan(site.spec, site.dictionary)
    own = own_tables(site.spec, site.dictionary)
    counts = counting_tables(site.spec, own)
    demo = plan.source.demo or DemoData(patients=DEMO_PATIENTS, seed=DEMO_SEED)
    result = run_preview(
        job_files(f"preview of {plan.site.id}", plan.source.name, (*plan.tables, *counts)),
        plan.tables,
        dump or _demo_data(demo),
        out,
        ProgressStages(Console(stderr=True)),
        rows=rows,
        database=plan.source.database if dump else None,
        counting=Counting(own, counts, source_schema(site.spec)),
    )
    outcome.add(result.warnings)
    outcome.add(findings(site.source, own, result.cells, result.occurrences))
    profiles = profiles_of(result.tables, own, whole=html is not None)
    declared = {name: tuple(table.columns) for name, table in site.spec.flattening.tables.items()}
    show_preview(result, Console(), declared, profiles)
    if html is None:
        return
    found = findings(site.source, own, result.cells, result.occurrences, few=FEW if shared else 0)
    report = Report(
        site=plan.site.name,
        origin=f"from the dump {dump.name}" if dump else f"from made-up data of {demo.patients:,} patients",
        made_up=dump is None,
        source=site.source,
        dictionary=site.dictionary,
        flattened=plan.tables,
        plans=own,
        tables=result.tables,
        profiles=profiles,
        warnings=found if shared else (*result.warnings, *found),  # those of the data name rows
        shared=shared,
    )
    with text_file(html) as stream:
        stream.write(report_html(report))
    click.echo(f"{click.style('report', bold=True)}: {html}")


def _demo_data(demo: DemoData) -> bytes:
    from ozone_gen.openmrs.demo import write_demo_data

    out = io.StringIO()
    with progress("making up", "patients", demo.patients) as advance:
        write_demo_data(out, patients=demo.patients, seed=demo.seed, advance=advance)
    return out.getvalue().encode()

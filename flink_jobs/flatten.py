"""Submit the rendered SQL of a site as one Flink job.

    flatten.py --job JOB.json|- [--mode streaming|batch] [--checkpoints FOLDER]

The job file (schemas/job.schema.json) names the SQL files. All INSERTs go into one statement set, so that the job
reads each topic once. No Python runs per row: the SQL is planned here and executed by Flink.

Exit codes: 0 submitted (streaming) or complete (batch), 1 the SQL of a table is refused, 2 the job cannot start.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pyflink.table import EnvironmentSettings, TableEnvironment

SINK_DATABASE = "sink"


class JobError(Exception):
    """A fault that is said in one sentence and ends the program with `exit_code`."""

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def statements(text: str) -> Iterator[str]:
    """Split SQL at the semicolons that stand outside of quotes, identifiers and comments."""
    token = re.compile(r"'(?:[^']|'')*'|`(?:[^`]|``)*`|--[^\n]*|;|[^'`;-]+|.", re.DOTALL)
    part: list[str] = []
    for match in token.finditer(text):
        piece = match.group()
        if piece == ";":
            yield from _statement(part)
            part = []
        elif not piece.startswith("--"):
            part.append(piece)
    yield from _statement(part)


def _statement(part: list[str]) -> Iterator[str]:
    statement = "".join(part).strip()
    if statement:
        yield statement


def fill_in(statement: str, values: Mapping[str, str]) -> str:
    """Put the values of declared variables into the options of a CREATE TABLE, as SQL text."""
    return re.sub(
        r"\$\{([A-Z][A-Z0-9_]*)\}",
        lambda found: values[found.group(1)].replace("'", "''") if found.group(1) in values else found.group(),
        statement,
    )


def declared_values(variables: list[dict[str, str]]) -> dict[str, str]:
    """Read the job's variables from the environment; JobError names each one that is missing."""
    names = [variable["name"] for variable in variables]
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise JobError(f"these environment variables are not set: {', '.join(missing)}")
    return {name: os.environ[name] for name in names}


def read_job(path: Path) -> dict[str, Any]:
    """Read the job file; JobError where it is missing or of another version."""
    try:
        job: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise JobError(f"cannot read the job file {path}: {error}") from error
    if job.get("version") != 1:
        raise JobError(f"{path} is of version {job.get('version')}; this program reads version 1")
    return job


def newest_checkpoint(folder: Path) -> str | None:
    """Find the newest complete checkpoint below a folder (`<job id>/chk-<n>/_metadata`)."""
    found = list(folder.glob("*/chk-*/_metadata"))
    if not found:
        return None
    newest = max(found, key=lambda path: (path.stat().st_mtime, int(path.parent.name.removeprefix("chk-"))))
    return newest.parent.as_uri()


def cause(error: BaseException) -> str:
    """Give the lines of a Java failure that say why, without its stack."""
    lines = [line.strip() for line in str(error).splitlines()]
    # Py4J puts the Java exception on a line of its own, after ": ".
    causes = [line.removeprefix("Caused by: ").removeprefix(": ") for line in lines
              if line.startswith(("Caused by: ", ": "))]
    first = next((line for line in lines if line and not line.startswith("at ")), type(error).__name__)
    return (causes or [first])[-1]


def refusal(table_env: TableEnvironment, planned: list[tuple[str, str]]) -> str | None:
    """Find the table whose statement cannot be planned: the failure of the whole set does not name it."""
    for what, statement in planned:
        try:
            table_env.explain_sql(statement)
        except Exception as error:
            return f"{what}: {cause(error)}"
    return None


def environment(mode: str) -> TableEnvironment:
    """Start Java and what plans the SQL; it takes seconds."""
    builder = EnvironmentSettings.new_instance()
    settings = (builder.in_batch_mode() if mode == "batch" else builder.in_streaming_mode()).build()
    return TableEnvironment.create(settings)


def run(job_path: Path, mode: str, checkpoints: Path | None, started: TableEnvironment | None = None) -> None:
    """Plan and submit the job of a job file, from its newest checkpoint if there is one."""
    job = read_job(job_path)
    values = declared_values(job["variables"])
    table_env = environment(mode) if started is None else started
    config = table_env.get_config()
    for name, value in job["settings"].items():
        config.set(name, value)
    config.set("pipeline.name", job["name"])
    # Without high availability nothing else remembers where an earlier job of this plan was.
    restored = newest_checkpoint(checkpoints) if checkpoints else None
    if restored:
        print(f"restoring from {restored}", flush=True)
        config.set("execution.state-recovery.path", restored)

    table_env.execute_sql(f"CREATE DATABASE `{SINK_DATABASE}`")
    for name in job["sources"]:
        for statement in statements((job_path.parent / name).read_text(encoding="utf-8")):
            table_env.execute_sql(fill_in(statement, values))
    inserts = table_env.create_statement_set()
    planned: list[tuple[str, str]] = []
    for table in job["tables"]:
        try:
            for statement in statements((job_path.parent / table["sql"]).read_text(encoding="utf-8")):
                if statement.upper().startswith("INSERT"):
                    inserts.add_insert_sql(statement)
                    planned.append((f"table {table['name']} ({table['sql']})", statement))
                else:
                    table_env.execute_sql(fill_in(statement, values))
        except Exception as error:
            raise JobError(f"table {table['name']} ({table['sql']}): {cause(error)}", 1) from error
    names = ", ".join(table["name"] for table in job["tables"])
    try:
        result = inserts.execute()
        if mode == "batch":
            result.wait()
    except Exception as error:
        raise JobError(refusal(table_env, planned) or f"the job of {names} failed: {cause(error)}", 1) from error
    print(f"{'filled' if mode == 'batch' else 'submitted'}: {names}", flush=True)


def main() -> int:
    """Run the program and return its exit code."""
    parser = argparse.ArgumentParser(description="Submit the rendered SQL of a site as one Flink job.")
    parser.add_argument("--job", required=True, help="the rendered job file; - reads its path once Flink is up")
    parser.add_argument("--mode", choices=["streaming", "batch"], default="streaming")
    parser.add_argument("--checkpoints", type=Path, help="where earlier checkpoints of this job may be")
    arguments = parser.parse_args()
    try:
        if arguments.job == "-":
            started = environment(arguments.mode)
            # Nothing comes where it has turned out that there is nothing to do.
            if path := sys.stdin.readline().rstrip("\n"):
                run(Path(path), arguments.mode, arguments.checkpoints, started)
        else:
            run(Path(arguments.job), arguments.mode, arguments.checkpoints)
    except JobError as error:
        print(f"flatten: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

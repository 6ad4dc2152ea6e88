"""Runs jobs one after another on Flink's mini cluster, all in one Java: `{"job": path}` on a line asks for one.

An answer is a line of JSON, too: what failed, or null, and the plan where it was asked for.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pyflink.table import EnvironmentSettings, ExplainDetail, TableEnvironment

from flink_jobs.flatten import SINK_DATABASE, cause, fill_in, read_job, statements


def run(job_path: Path, *, explain: bool) -> str:
    """Run the job of a job file to its end as a stream, as flink_jobs/flatten.py submits it; or explain it."""
    job = read_job(job_path)
    table_env = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    for name, value in job["settings"].items():
        table_env.get_config().set(name, value)
    table_env.execute_sql(f"CREATE DATABASE `{SINK_DATABASE}`")
    inserts = table_env.create_statement_set()
    values = {"OZONE_PREVIEW": str(job_path.parent)}
    for name in [*job["sources"], *(table["sql"] for table in job["tables"])]:
        for statement in statements((job_path.parent / name).read_text(encoding="utf-8")):
            if statement.upper().startswith("INSERT"):
                inserts.add_insert_sql(statement)
            else:
                table_env.execute_sql(fill_in(statement, values))
    if explain:
        return str(inserts.explain(ExplainDetail.CHANGELOG_MODE, ExplainDetail.JSON_EXECUTION_PLAN))
    inserts.execute().wait()
    return ""


def main() -> None:
    """Answer line by line."""
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        answer: dict[str, Any] = {"failed": None}
        try:
            answer["plan"] = run(Path(asked["job"]), explain=asked.get("explain", False))
        except Exception as error:
            print(error, file=sys.stderr, flush=True)
            answer["failed"] = cause(error)
        print(f"\x1e{json.dumps(answer)}", flush=True)


if __name__ == "__main__":
    main()

"""Does what flatten.py does with the job of an export, without Flink: SQL to PostgreSQL, rows to Parquet.

    instead_of_flink.py FLATTEN --job - --mode batch          the path of the job comes on standard input

FAULT in the environment makes it fail: `no room`, `half` (it writes the first part alone), `cut` (a file is cut off).
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from urllib.parse import urlparse

import psycopg
import pyarrow
import pyarrow.parquet

INSERT = re.compile(
    r"INSERT INTO `parquet`.`\w+` /\*\+ OPTIONS\('path' = '([^']+)'\) \*/\s"
    r"SELECT \* FROM `sink`.(`\w+`)\sWHERE ([^;]+);"
)


def main() -> int:
    fault = os.environ.get("FAULT", "")
    assert sys.argv[2:] == ["--job", "-", "--mode", "batch"]
    path = sys.stdin.readline().rstrip("\n")
    if not path:
        return 0
    job = Path(path)
    with Path(os.environ["CALLS"]).open("a") as calls:
        calls.write("x")
    statements = [
        (path, f"SELECT * FROM {table} WHERE {where}".replace("`", '"'))
        for each in json.loads(job.read_text())["tables"]
        for path, table, where in INSERT.findall((job.parent / each["sql"]).read_text())
    ]
    names = ("HOST", "PORT", "NAME", "USER", "PASSWORD")
    host, port, database, user, password = (os.environ[f"ANALYTICS_DB_{name}"] for name in names)
    with psycopg.connect(host=host, port=port, dbname=database, user=user, password=password) as connection:
        for number, (path, query) in enumerate(statements):
            if fault == "half" and number:
                print("flatten: the job of t failed: connection lost", file=sys.stderr)
                return 1
            if fault == "no room" and number:
                print(f"Caused by: java.io.IOException: {os.strerror(28)}", file=sys.stderr)
                return 1
            cursor = connection.execute(query)
            assert cursor.description is not None
            columns = [column.name for column in cursor.description]
            rows = cursor.fetchall()
            folder = Path(urlparse(path).path)
            folder.mkdir(parents=True)
            file = folder / "part-0-task-0-file-0"
            table = pyarrow.table({name: [row[place] for row in rows] for place, name in enumerate(columns)})
            pyarrow.parquet.write_table(table, file, compression="zstd")
            if fault == "cut":
                file.write_bytes(file.read_bytes()[:-5])
    return 0


if __name__ == "__main__":
    sys.exit(main())

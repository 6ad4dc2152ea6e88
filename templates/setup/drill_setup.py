"""Shows the newest whole export of every site in Drill, and goes on doing so.

A site's upload ends with its manifest. Whenever one is new, its files are compared with the hashes in it, and the views
of Drill are written anew, each at once. An export that is incomplete or damaged is named in the log and not shown;
the one before it stays. Once uploads have come to rest, the exports of many sites are merged into few files, and the
views read these.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from minio import Minio

from .drill_views import EMPTY_PARQUET, TYPES, decoy, merged_columns, merged_decoy, view_file
from .merged_exports import MergedExports
from .store_session import FILES, VIEWS, store_of_environment, store_problems
from .uploaded_exports import BrokenExportError, Listed, SiteExport, UploadedExports, unneeded
from .waiting import (
    Announcer,
    Backoff,
    NotReadyError,
    Problem,
    RefusedError,
    log,
    start_log,
    stop_on_sigterm,
    variable,
)

TABLES = Path("/etc/ozone/drill-tables.json")
HEALTHY = Path("/tmp/healthy")
PAUSE_S = 5.0
GRACE_S = 24 * 3600.0
"""How long a file that no export has may stay: an upload that goes on has not written its manifest yet."""

QUIET_S = 30.0
LATEST_S = 600.0
"""Exports are merged when nothing was uploaded for the first time, or the second has passed since the first of them:
a merged file holds many sites, and need not be written once for each."""

KEEP = 2
"""How many exports of a site stay in the store: the one that is shown, and the one before it."""


def read_tables(path: Path) -> tuple[frozenset[str], dict[str, dict[str, str]]]:
    """The sites and the tables, with columns and types, that were rendered; none stands for all there are."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        tables = {table["name"]: {c["name"]: c["type"] for c in table["columns"]} for table in document["tables"]}
        sites = frozenset(document["sites"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RefusedError(
            Problem(f"The rendered file {path} cannot be used: {error!r}.", "Render the site again.")
        ) from None
    return sites, tables


class Views:
    """The views in the bucket, and what they were made of."""

    def __init__(
        self,
        client: Minio,
        bucket: str,
        sites: frozenset[str],
        tables: Mapping[str, Mapping[str, str]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`client` may read and write the whole bucket; `sites` and `tables` are those of the rendered file.

        `clock` gives seconds since 1970.
        """
        self._client = client
        self._bucket = bucket
        self._sites = sites
        self._tables = tables
        self._clock = clock
        self._uploaded = UploadedExports(client, bucket)
        self._merged = MergedExports(client, bucket, clock)
        self._shown: list[SiteExport] = []
        self._unmerged_since: float | None = None
        self._changed_at = 0.0
        self._seen: dict[str, dict[str, Listed]] | None = None
        self._written: dict[str, bytes] = {}
        self._with_decoy: set[str] = set()
        self._problems: list[Problem] = []

    def look(self) -> list[Problem]:
        """Bring the views up to date; return what is wrong with exports that are therefore not shown."""
        manifests = self._uploaded.manifests()
        if manifests == self._seen:
            return self._problems + self._merged.problems(self._shown)
        problems, shown, kept = [], [], []
        for site in sorted(manifests):
            if self._sites and site not in self._sites:
                problems.append(
                    Problem(f"There are exports of {site}, which is no site of this server.", "Add it to drill.sites.")
                )
                continue
            export, wrong = self._uploaded.newest(site, manifests[site])
            problems += wrong
            if export is not None:
                shown.append(export)
                kept += self._kept(site, manifests[site], export)
        if self._write(shown):
            rows = ", ".join(f"{export.site} of {export.date}" for export in shown) or "no export yet"
            log.info("%d views show: %s.", len(self._written), rows)
        self._clean(shown, kept, manifests)
        # What was there before this program started is at rest.
        now = self._clock() if self._seen is not None else 0.0
        self._changed_at = now
        self._unmerged_since = now if self._unmerged_since is None else self._unmerged_since
        self._seen, self._problems, self._shown = manifests, problems, shown
        return problems

    def merge(self, alive: Callable[[], None]) -> bool:
        """Write one merged file where one is due, and show it; return whether more may be due at once.

        Call it after `look`. `alive` is called while it goes on.
        """
        self._merged.clean(self._shown)
        if self._unmerged_since is None:
            return False
        now = self._clock()
        if now - self._changed_at < QUIET_S and now - self._unmerged_since < LATEST_S:
            return False
        if not self._merged.merge_next(self._shown, self._names(self._shown), alive):
            self._unmerged_since = None
            return False
        self._write(self._shown)
        return True

    def _names(self, exports: Sequence[SiteExport]) -> set[str]:
        return set(self._tables) or {name for export in exports for name in export.columns}

    def _kept(self, site: str, manifests: Mapping[str, Listed], newest: SiteExport) -> list[SiteExport]:
        kept = [newest]
        for moment in sorted(manifests, reverse=True):
            if moment != newest.moment and (moment > newest.moment or len(kept) < KEEP):
                try:
                    kept.append(self._uploaded.read(site, moment, manifests[moment]))
                except BrokenExportError:
                    continue
        return kept

    def _write(self, exports: Sequence[SiteExport]) -> bool:
        """Bring the views up to date; return whether one was written."""
        names, segments = self._names(exports), self._merged.current(exports)
        wanted = {}
        for name in sorted(names):
            columns = dict(self._tables[name]) if self._tables else merged_columns(exports, name)
            known = {column: kind if kind in TYPES else "text" for column, kind in columns.items()}
            wanted[f"{VIEWS}{name}.view.drill"] = view_file(name, known, exports, segments)
        for name in sorted(names - self._with_decoy):
            for key in (decoy(name), merged_decoy(name)):
                self._client.put_object(self._bucket, key, BytesIO(EMPTY_PARQUET), len(EMPTY_PARQUET))
            self._with_decoy.add(name)
        for key, content in wanted.items():
            if self._written.get(key) != content:
                self._client.put_object(self._bucket, key, BytesIO(content), len(content))
        for listed in self._uploaded.listed(VIEWS):
            if listed.key not in wanted:
                self._client.remove_object(self._bucket, listed.key)
        changed, self._written = wanted != self._written, wanted
        return changed

    def _clean(
        self, shown: Sequence[SiteExport], kept: Sequence[SiteExport], manifests: Mapping[str, Mapping[str, Listed]]
    ) -> None:
        """Remove what was replaced long enough ago."""
        objects = [
            (each.object_name or "", each.last_modified.timestamp() if each.last_modified else time.time())
            for each in self._client.list_objects(self._bucket, FILES, recursive=True)
        ]
        sites = [export.site for export in shown]
        for key in unneeded(objects, kept, sites, time.time() - GRACE_S):
            self._client.remove_object(self._bucket, key)
            log.info("Removed %s, which no export has any more.", key)
        moments = {(export.site, export.moment) for export in kept}
        for export in shown:
            for moment, listed in manifests[export.site].items():
                if moment < export.moment and (export.site, moment) not in moments:
                    self._client.remove_object(self._bucket, listed.key)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code; it ends only where a person has to change something."""
    start_log()
    stop_on_sigterm()
    announcer, backoff = Announcer(), Backoff()
    views: Views | None = None
    store = None
    while True:
        try:
            store = store or store_of_environment()
            with store_problems(store):
                views = views or _views(store)
                problems = views.look()
                HEALTHY.touch()
                merged = views.merge(HEALTHY.touch)
        except NotReadyError as error:
            announcer.problems(error.problems)
            backoff.wait()
            continue
        except RefusedError as error:
            for problem in error.problems:
                log.error("%s", problem)
            return 1
        if problems:
            announcer.problems(problems)
        HEALTHY.touch()
        backoff.reset()
        if not merged:
            time.sleep(PAUSE_S)


def _views(store: Any) -> Views:
    key = variable("OBJECT_STORE_ROOT_KEY", "the key that may write the views into the object store")
    secret = variable("OBJECT_STORE_ROOT_SECRET", "the secret of that key")
    sites, tables = read_tables(TABLES)
    return Views(store.client(key, secret), store.bucket, sites, tables)


if __name__ == "__main__":
    sys.exit(main())

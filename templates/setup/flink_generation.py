"""Which run of the flattening the state on Flink's volume belongs to.

A generation is one filling of the sink's tables from the first event on. Its token stands in the sink and in
the file `generation` on the volume; Flink's checkpoints and its high-availability folder belong to it. A job
must never restore the state of another generation, as that state says which rows the sink already has.
"""

import json
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .waiting import NotReadyError, Problem, RefusedError, log

FOLDERS = ("checkpoints", "ha")
FLINK_USER = 9999
"""The user and group id that Flink's image runs as."""

TERMINAL = frozenset(("FINISHED", "CANCELED", "FAILED"))
"""The states of a job that has ended for good (Flink's documentation, "REST API")."""

STOP_FLINK = "stop it: docker compose stop jobmanager taskmanager"

CANCEL_TRIES = 120
CANCEL_PAUSE_S = 0.5


class Volume:
    """The folder that job manager, task managers and migrate share."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise RefusedError(
                Problem(f"The folder {root} is missing: it holds Flink's state.", "Mount the volume there.")
            )
        self._root = root

    def token(self) -> str | None:
        """The token of the present generation, if there is one."""
        return self._read("generation")

    def fingerprint(self) -> str | None:
        """The fingerprint of the plan that the present generation was begun with."""
        return self._read("plan")

    def forget(self) -> None:
        """From here on there is no generation, also after a crash, until `begin` is called."""
        for name in ("generation", "plan"):
            (self._root / name).unlink(missing_ok=True)
        self._sync()

    def clear(self) -> None:
        """Remove the state of earlier generations, and whatever else is there."""
        for entry in self._root.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                if entry.name != "lost+found":  # of a volume that is a disk of its own
                    shutil.rmtree(entry)
            else:
                entry.unlink()

    def prepare(self) -> None:
        """Make the folders that Flink writes to, and give them to its user: a new volume belongs to root."""
        for name in FOLDERS:
            folder = self._root / name
            folder.mkdir(exist_ok=True)
            owner = folder.stat()
            if (owner.st_uid, owner.st_gid) != (FLINK_USER, FLINK_USER):
                try:
                    os.chown(folder, FLINK_USER, FLINK_USER)
                except PermissionError:
                    raise RefusedError(
                        Problem(
                            f"The folder {folder} cannot be given to Flink's user.", "Run migrate as root."
                        )
                    ) from None

    def begin(self, token: str, fingerprint: str) -> None:
        """Make a generation the present one: the last step of all."""
        self._write("plan", fingerprint)
        self._write("generation", token)

    def _read(self, name: str) -> str | None:
        try:
            return (self._root / name).read_text(encoding="ascii").strip() or None
        except (FileNotFoundError, UnicodeDecodeError):
            return None

    def _write(self, name: str, text: str) -> None:
        """Write a file so that it is there whole or not at all, also after a power cut."""
        new = self._root / f".{name}.new"
        with new.open("w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        new.rename(self._root / name)
        self._sync()

    def _sync(self) -> None:
        descriptor = os.open(self._root, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def cancel_jobs(url: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """Cancel what runs on a Flink cluster, and return when it has ended; no cluster is fine.

    Raises NotReadyError where the cluster cannot say, or the job does not end: what it still writes would mix
    with the new rows.
    """
    cancelled: set[str] = set()
    for _ in range(CANCEL_TRIES):
        running = running_jobs(url)
        if not running:
            for job in cancelled:
                log.info("The old Flink job %s has ended.", job)
            return
        for job in running - cancelled:
            log.info("Cancelling the old Flink job %s.", job)
            call(url, f"/jobs/{job}?mode=cancel", "PATCH")
            cancelled.add(job)
        sleep(CANCEL_PAUSE_S)
    raise NotReadyError(Problem("The old Flink job does not end.", f"Wait, or {STOP_FLINK}"))


def running_jobs(url: str) -> set[str]:
    """The ids of the jobs that have not ended. Raises NotReadyError where the cluster cannot say."""
    answer = call(url, "/jobs", "GET")
    return {job["id"] for job in answer["jobs"] if job["status"] not in TERMINAL} if answer else set()


def call(url: str, path: str, method: str, document: Any = None) -> Any:
    """The answer's JSON; None where nothing listens, or where there is no such job (any more).

    Raises NotReadyError where the cluster cannot say.
    """
    request = urllib.request.Request(
        url.rstrip("/") + path,
        method=method,
        data=None if document is None else json.dumps(document).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        with error:
            if error.code in (404, 409):  # it ended in the meantime
                return None
            raise NotReadyError(
                Problem(
                    f"The old Flink cluster answers with status {error.code}, so that its job cannot be "
                    "cancelled (is ZooKeeper down?).",
                    f"Wait, or {STOP_FLINK}",
                )
            ) from None
    except (OSError, ValueError) as error:
        cause = getattr(error, "reason", error)
        if isinstance(cause, TimeoutError):
            raise NotReadyError(
                Problem(
                    "The old Flink cluster does not answer in time, so that its job cannot be cancelled.",
                    f"Wait, or {STOP_FLINK}",
                )
            ) from None
        return None

"""OZ03x: the lock beside an ozone.yaml does not fit it, or cannot be trusted."""

from __future__ import annotations

from ozone_gen.diagnostics.codes.base import Code


class StaleLock(Code):
    """The lock was made for other contents of ozone.yaml, or the dictionary has changed since.

    `ozone.lock.yaml` holds what ozone.yaml refers to as it was found in the site's own dictionary. After a new
    column, another encounter type or another order of locales it has to be made again. Run `ozone-gen resolve`,
    look at what it changes, and commit both files together. `ozone-gen resolve --check` tells in CI.
    """

    id = "OZ031"


class ForeignLock(Code):
    """The lock was made for another site.

    The ids in it are those of the other site's database, and would read other concepts here. Did you copy the
    folder of another site? Run `ozone-gen resolve` with this site's database.
    """

    id = "OZ032"


class EditedLock(Code):
    """The lock is not as `ozone-gen resolve` wrote it.

    Somebody edited it, a tool formatted it, or a merge took a part from either side: its checksum does not fit.
    Nothing in it can be relied on then. Say in ozone.yaml what you want, and run `ozone-gen resolve` again.
    """

    id = "OZ033"


class BrokenLock(Code):
    """The file in the lock's place is not a lock.

    It is empty, not text, holds the marks of a merge that was never finished, or is another file. Run
    `ozone-gen resolve`, which writes it anew. Or remove it: without a lock the site resolves while streaming,
    which takes more time and gives the same rows.
    """

    id = "OZ034"


class UnsupportedLockVersion(Code):
    """The lock was written by a newer ozone-gen, in a format that this one does not know.

    Use that version or a newer one, or run `ozone-gen resolve` again with this one.
    """

    id = "OZ035"

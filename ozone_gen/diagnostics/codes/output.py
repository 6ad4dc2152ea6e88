"""OZ4xx: the output folder cannot be written as wanted."""

from __future__ import annotations

from ozone_gen.diagnostics.codes.base import Code


class EditedFile(Code):
    """A rendered file was changed by hand since it was written.

    Rendering again would undo that change, so nothing was written at all. Express the change in ozone.yaml
    and undo it in the file (`--diff` shows it); or let it go with `--force`.
    """

    id = "OZ401"


class ForeignFile(Code):
    """A file or folder that ozone-gen did not write stands where it has to write one.

    What is in the output folder and not in its manifest is never touched. Move it away, choose another output
    folder, or overwrite it with `--force`. (A folder is not overwritten even then.)
    """

    id = "OZ402"


class BrokenManifest(Code):
    """The output folder's `manifest.json` cannot be read.

    It tells which files ozone-gen wrote and how they looked, so without it there is no telling which may be
    overwritten or removed. Restore it, for instance from version control. Or render with `--force`, which
    overwrites every file of the same name and leaves old files that are no longer made for you to remove. A
    manifest of a newer ozone-gen needs that newer one.
    """

    id = "OZ403"


class CannotWrite(Code):
    """The operating system refused to write: no permission, a full disk, a read-only file system, ...

    The folder is as it was before. Where even putting it back failed, the next run does so first; the old
    files are in `.ozone-gen/old` of the output folder until then.
    """

    id = "OZ404"


class OutsideFolder(Code):
    """Writing a file would leave the output folder, since a folder on the way is a symbolic link.

    ozone-gen writes inside the folder that it was given and nowhere else. Replace the link by a folder, or
    mount the other place there.
    """

    id = "OZ405"


class FolderInUse(Code):
    """Another ozone-gen is writing to the same output folder, or an export or upload is using a folder of exports.

    Wait until it has ended and try again. The lock is the operating system's and cannot stay behind after a
    crash.
    """

    id = "OZ406"


class RebuildNotAllowed(Code):
    """Rendering into this folder would change the running site in a way that ought not to happen unasked.

    Either something that people read goes (a table or a column is dropped, a column becomes another type), or the
    source's database has to be read anew, since other tables or columns of it are needed; that is work for its server.
    Where nobody meant it, correct ozone.yaml: `renamed_from` says that something has only got another name. Where it
    is meant, render with `--allow-rebuild`. In both cases the tables that are there stay readable until the new ones
    are complete. `--diff` and `--check` tell the same and write nothing.
    """

    id = "OZ407"

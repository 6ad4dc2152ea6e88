"""OZ45x: two sides cannot be compared."""

from __future__ import annotations

from ozone_gen.diagnostics.codes.base import Code


class NothingToCompare(Code):
    """A side of a comparison is not there, or holds no site.

    `ozone-gen diff` takes two ozone.yaml files, two rendered folders, two folders of sites, or with `--git` two
    revisions of the repository that the command is run in.
    """

    id = "OZ451"


class GitRefused(Code):
    """git does not give a revision's files.

    It is not installed, the command was not run in a repository, or the repository does not have the revision. What CI
    checks out has often only the newest commit: let it fetch the history (`fetch-depth: 0` on GitHub, `GIT_DEPTH: 0` on
    GitLab).
    """

    id = "OZ452"

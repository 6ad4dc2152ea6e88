"""OZ47x: a new site."""

from __future__ import annotations

from ozone_gen.diagnostics.codes.base import Code


class NotAnAnswer(Code):
    """An answer for `ozone-gen new-site` does not fit, or there is no question of its name.

    The names are those of `templates/new-site/cookiecutter.json`; `ozone-gen new-site --help` lists them.
    """

    id = "OZ471"


class FolderNotEmpty(Code):
    """The folder of a new site has something in it already.

    A new site never overwrites anything. Only a repository that is still empty (`.git` alone) may be there.
    """

    id = "OZ472"

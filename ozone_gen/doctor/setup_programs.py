"""The programs of the site's setup image, as modules here: what they check is checked here the same."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from typing import Any, Final

from ozone_gen.resources import templates

_PACKAGE: Final = "ozone_setup"


def setup_module(name: str) -> Any:
    """A module of the setup image's package, which is rendered from the templates as it is."""
    if _PACKAGE not in sys.modules:
        folder = templates() / "setup"
        found = importlib.util.spec_from_file_location(
            _PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert found is not None, "a package in a folder has a location"
        assert found.loader is not None, "as it is a file"
        package = importlib.util.module_from_spec(found)
        sys.modules[_PACKAGE] = package
        found.loader.exec_module(package)
        # It tells its steps in the container's log; here its findings are the table's.
        logging.getLogger("ozone").setLevel(logging.CRITICAL)
    return importlib.import_module(f"{_PACKAGE}.{name}")

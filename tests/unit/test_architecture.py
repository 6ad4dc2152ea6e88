"""Imports point one way, only the command line prints, and no module grows out of sight."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ozone_gen"

# Each unit, a module or a package, with the units that it may import beside itself. A unit is listed after
# all that it may import, so there are no cycles. The longest name that fits a module is its unit.
MAY_IMPORT = {
    "diagnostics": (),
    "resources": ("diagnostics",),
    "text_output": ("diagnostics",),
    "yaml_syntax": (),
    "values": (),
    "processes": (),
    "source": ("diagnostics", "yaml_syntax"),
    "extends": ("diagnostics", "source"),
    "shown": ("source",),
    "openmrs": ("diagnostics",),
    "flattening": ("openmrs",),
    "plan": ("flattening", "openmrs"),
    "render": ("resources",),
    "superset": ("flattening", "plan", "render"),
    "compare": ("diagnostics", "render"),
    "evolution": ("diagnostics", "render"),
    "write": ("diagnostics", "render"),
    "components.base": ("plan", "render"),
    "components": (
        *("components.base", "flattening", "openmrs", "plan", "render", "resources", "superset", "values"),
    ),
    "spec": ("components", "flattening", "openmrs", "values"),
    "places": ("diagnostics", "spec"),
    "shape": ("diagnostics", "places", "source", "spec", "values"),
    "references": ("diagnostics", "openmrs", "spec"),
    "lock": ("openmrs", "references", "spec"),
    "json_schema": ("lock", "openmrs", "render", "spec"),
    "lock_file": ("diagnostics", "lock", "render"),
    "checks": (
        *("components", "diagnostics", "flattening", "openmrs", "references", "source", "spec", "superset", "values"),
    ),
    "plan.build": ("checks", "components", "flattening", "openmrs", "plan", "spec", "values"),
    "load": ("checks", "diagnostics", "extends", "lock_file", "openmrs", "shape", "source", "spec"),
    "fleet": ("checks", "components", "diagnostics", "load", "plan.build"),
    "generate": ("components", "components.base", "plan", "render", "resources"),
    "rendering": ("diagnostics", "evolution", "generate", "load", "plan", "plan.build", "render"),
    "review": (
        *("compare", "diagnostics", "evolution", "extends", "load", "lock_file", "processes", "render", "rendering"),
        "write",
    ),
    "supply": ("diagnostics", "load", "render", "rendering", "resources", "review", "spec", "write"),
    "preview": ("diagnostics", "flattening", "openmrs", "render", "resources", "source"),
    "resolve": ("diagnostics", "load", "lock", "lock_file", "openmrs", "source", "spec", "values"),
    "doctor": ("flattening", "plan", "resources"),
    "upload": ("diagnostics", "resources"),
    "suggest": ("diagnostics", "flattening", "openmrs", "render", "spec", "values"),
    "migration": ("diagnostics", "extends", "shape", "source", "text_output"),
    "new_site": (
        *("checks", "diagnostics", "extends", "fleet", "load", "lock_file", "openmrs", "resolve", "resources"),
        *("source", "suggest", "values", "write"),
    ),
    "by_hand": ("diagnostics", "flattening", "render", "spec", "values"),
    "cli": (
        *("by_hand", "migration", "new_site"),
        *("compare", "components.base", "diagnostics", "doctor", "evolution", "extends", "fleet"),
        *("json_schema", "load", "openmrs", "plan", "plan.build", "preview", "processes", "render", "rendering"),
        *("resolve", "review", "shape", "shown", "source", "spec", "suggest", "supply", "text_output", "upload"),
        "write",
    ),
    "__main__": ("cli",),
}
MOST_LINES = 500

MODULES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def unit_of(module: str) -> str | None:
    fitting = [unit for unit in MAY_IMPORT if module == unit or module.startswith(f"{unit}.")]
    return max(fitting, key=len, default=None)


def imported(path: Path) -> Iterator[tuple[str, str]]:
    """Modules of the package that a file imports, also inside functions, each with the name taken."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "ozone_gen":
                    yield alias.name.removeprefix("ozone_gen").lstrip("."), ""
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ozone_gen":
            base = (node.module or "").removeprefix("ozone_gen").lstrip(".")
            for alias in node.names:
                inner = PACKAGE.joinpath(*base.split("."), alias.name) if base else PACKAGE / alias.name
                is_module = inner.with_suffix(".py").is_file() or (inner / "__init__.py").is_file()
                yield (f"{base}.{alias.name}".lstrip(".") if is_module else base), alias.name


def test_a_unit_is_listed_after_all_that_it_may_import() -> None:
    listed: set[str] = set()
    for unit, allowed in MAY_IMPORT.items():
        assert set(allowed) <= listed, unit
        listed.add(unit)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_one_way(path: Path) -> None:
    module = name_of(path)
    unit = unit_of(module)
    assert unit is not None or module == "", f"{module} is no part of the architecture: list it in MAY_IMPORT"
    for target, name in imported(path):
        other = unit_of(target)
        if not target or other == unit:
            continue
        assert unit is not None
        assert other in MAY_IMPORT[unit], f"{module} imports {target}, which {unit} may not"
        assert not name.startswith("_"), f"{module} imports {name} from {target}, which keeps it to itself"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_are_absolute(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"line {node.lineno}"


def test_programs_of_a_site_never_import_the_tool() -> None:
    programs = [*ROOT.joinpath("flink_jobs").rglob("*.py"), *ROOT.joinpath("templates").rglob("*.py")]
    assert programs
    assert [path for path in programs if list(imported(path))] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_command_line_prints(path: Path) -> None:
    if unit_of(name_of(path)) in ("cli", "__main__"):
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("print", "click.echo", "click.secho", "sys.exit"), f"line {node.lineno}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_are_of_a_size_to_be_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES

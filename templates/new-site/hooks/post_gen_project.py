"""Remove what the layout has no use for, and copy what the project keeps in one place only."""

from __future__ import annotations

import shutil
from pathlib import Path

LAYOUT = "{{ cookiecutter.layout }}"
CI = "{{ cookiecutter.ci }}"
TEMPLATES = Path({{ cookiecutter._template | pprint }}).resolve().parent
SCHEMAS = ("ozone.schema.json", "ozone.base.schema.json") if LAYOUT == "fleet" else ("ozone.schema.json",)
WORKFLOWS = {"github": ("github.yml", ".github/workflows/sites.yml"), "gitlab": ("gitlab.yml", ".gitlab-ci.yml")}


def copy(source: Path, target: str) -> None:
    """Copy a file. A template that was fetched alone, without the project around it, has none."""
    if source.is_file():
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


folder = Path("sites", "{{ cookiecutter.site_id }}") if LAYOUT == "fleet" else Path()
folder.mkdir(parents=True, exist_ok=True)
for file in Path("site").iterdir():
    file.rename(folder / file.name)
Path("site").rmdir()
if LAYOUT != "fleet":
    shutil.rmtree("defaults")
if LAYOUT == "fleet-site":
    # The repository has these already.
    Path(".gitignore").unlink()
    Path("README.md").unlink()
else:
    for schema in SCHEMAS:
        copy(TEMPLATES.parent / "schemas" / schema, f"schemas/{schema}")
    if CI in WORKFLOWS:
        workflow, target = WORKFLOWS[CI]
        copy(TEMPLATES / "ci" / workflow, target)

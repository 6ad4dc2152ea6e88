"""The commands of docs/upgrade.md, docs/review.md and docs/new-site.md work as they stand there."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from ozone_gen.cli import main

ROOT = Path(__file__).parents[2]
DEMO = (ROOT / "examples" / "demo" / "ozone.yaml").read_text()
# It asks a running site; tests/e2e runs it.
NEEDS_A_SITE = ("doctor",)


def commands(page: str) -> list[list[str]]:
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs" / page).read_text(), re.MULTILINE | re.DOTALL)
    lines = [line.split("  #")[0].split(" | ")[0] for block in blocks for line in block.splitlines()]
    words = [shlex.split(line) for line in lines if line.startswith("ozone-gen ")]
    return [each[1:] for each in words if each[1] not in NEEDS_A_SITE]


@pytest.fixture(autouse=True)
def _sites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "A")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "a@example.org")
    other = DEMO + "ports: {superset: 9999}\n"
    for place, text in {".": DEMO, "old": DEMO, "new": other, "sites/kigali": DEMO, "sites-before/a": DEMO,
                        "sites-after/a": other}.items():  # fmt: skip
        Path(place).mkdir(parents=True, exist_ok=True)
        Path(place, "ozone.yaml").write_text(text)
    for folder, file in {"out": "ozone.yaml", "old-out": "ozone.yaml", "new-out": "new/ozone.yaml"}.items():
        assert main(["render", file, "-o", folder]) == 0
    Path("ozone-analytics").mkdir()
    Path("ozone-analytics/docker-compose-db.yaml").write_text("services:\n  postgresql: {image: 'postgres:13'}\n")
    answers = re.search(r"^```yaml\n(# answers.yaml.*?)^```", (ROOT / "docs/new-site.md").read_text(), re.M | re.S)
    assert answers
    Path("answers.yaml").write_text(answers[1])
    for line in ("init -q -b main", "add sites ozone.yaml", "commit -qm one", "branch origin/main"):
        subprocess.run(["git", *line.split()], check=True)
    capsys.readouterr()


@pytest.mark.parametrize("page", ["upgrade.md", "review.md", "new-site.md"])
def test_the_commands_of_a_page_run_in_their_order(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = commands(page)
    assert len(found) > 4
    for command in found:
        Path("ozone.yaml").unlink() if command[0] == "import" else None
        assert main(command) in (0, 1), command
        assert "error" not in capsys.readouterr().err, command

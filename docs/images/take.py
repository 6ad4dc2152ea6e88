"""Take the README's picture of a preview's report: on a desktop in light colours, on a phone in dark ones.

    python docs/images/take.py out/preview/report.html docs/images/report.png

It needs Chromium (on Debian: apt-get install chromium) and fonts (fonts-inter, fonts-dejavu-core), and says first
whether anything of the page is wider than a phone's screen.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WIDTH, HEIGHT = 1640, 1010
SCENE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; height: {height}px; background: #d9dfdc; position: relative; overflow: hidden; }}
iframe {{ position: absolute; border: 0; box-shadow: 0 18px 50px -12px rgb(15 30 27 / .35); }}
.desktop {{ left: 40px; top: 40px; width: 1180px; height: {height}px; border-radius: 10px 10px 0 0; }}
.phone {{ right: 40px; top: 96px; width: 390px; height: 844px; border-radius: 30px; border: 7px solid #0c1110; }}
.desktop {{ color-scheme: light; }}
.phone {{ color-scheme: dark; background: #101514; }}
</style>
<iframe class="desktop" scrolling="no" src="{page}#table-vitals"></iframe>
<iframe class="phone" scrolling="no" src="{page}#column-visit_notes-complaints"></iframe>"""
MEASURE = """<!doctype html><iframe style="width: 390px; height: 844px" src="{page}"></iframe><script>
const frame = document.querySelector('iframe');
frame.onload = () => {{ document.body.textContent = 'width ' + frame.contentDocument.documentElement.scrollWidth; }};
</script>"""


def chromium(folder: Path, scene: str, *options: str) -> str:
    page = folder / "scene.html"
    page.write_text(scene, encoding="utf-8")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.exit("Chromium is not installed: on Debian, apt-get install chromium")
    done = subprocess.run(
        [
            *(program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            "--force-prefers-reduced-motion",
            *("--allow-file-access-from-files", f"--user-data-dir={folder}/profile", "--virtual-time-budget=5000"),
            *(*options, page.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def main() -> None:
    report, picture = (Path(each).resolve() for each in sys.argv[1:])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measured = re.search(r"width ([0-9]+)", chromium(folder, MEASURE.format(page=report.as_uri()), "--dump-dom"))
        if measured is None or int(measured[1]) > 390:
            sys.exit(f"the page is wider than a phone: {measured and measured[1]} pixels instead of 390")
        scene = SCENE.format(page=report.as_uri(), height=HEIGHT)
        chromium(folder, scene, f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={picture}")
    print(f"{picture.name}: {picture.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()

"""Chromium without a screen, by its debugging protocol over a pipe: opens pages, asks them, takes pictures."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def chromium() -> str | None:
    """The path of Chromium, or None where it is not installed."""
    return shutil.which("chromium") or shutil.which("google-chrome")


class Page:
    """One tab."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._number = 0
        self._buffer = b""
        self._session: str | None = None
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._call("Page.enable")

    def open(self, address: str) -> None:
        """Go to an address; what it loads later is waited for by `until`."""
        self._call("Page.navigate", url=address)

    def size(self, width: int, height: int, scale: float = 1) -> None:
        """Make the window so large."""
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def until(self, expression: str, timeout: float = 180) -> Any:
        """Wait until an expression is true, and return its value."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            with contextlib.suppress(RuntimeError):
                value = self.ask(expression)
                if value:
                    return value
            time.sleep(0.3)
        raise AssertionError(f"not within {timeout:.0f} s: {expression}\n{self.ask('document.body.innerText')[:2000]}")

    def write(self, selector: str, text: str) -> None:
        """Write into a field, as from a keyboard."""
        self.until(f"!!document.querySelector({json.dumps(selector)})")
        self.ask(f"document.querySelector({json.dumps(selector)}).focus()")
        self._call("Input.insertText", text=text)

    def picture(self, path: Path) -> None:
        """Take a picture of what is in the window."""
        data = self._call("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            more = os.read(self._from, 1 << 20)
            if not more:
                raise RuntimeError("Chromium has ended")
            self._buffer += more
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message


@contextlib.contextmanager
def page() -> Iterator[Page]:
    """A tab of a Chromium that is started for it and ended with it."""
    program = chromium()
    assert program, "Chromium is not installed: on Debian, apt-get install chromium"
    commands, to_browser = os.pipe()
    from_browser, answers = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # The protocol's ends are the descriptors 3 and 4.
        shell = f"exec {program} \"$@\" 3<&{commands} 4>&{answers}"
        process = subprocess.Popen(
            [
                *("bash", "-c", shell, "chromium", "--headless=new", "--no-sandbox", "--disable-gpu"),
                *("--hide-scrollbars", "--force-prefers-reduced-motion", "--disable-dev-shm-usage"),
                *("--remote-debugging-pipe", f"--user-data-dir={profile}", "--lang=en-GB"),
            ],
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        try:
            yield Page(to_browser, from_browser)
        finally:
            process.terminate()
            process.wait(timeout=20)
            os.close(to_browser)
            os.close(from_browser)

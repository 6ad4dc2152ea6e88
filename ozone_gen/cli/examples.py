"""The examples below a command's help."""

from __future__ import annotations


def examples(*lines: str) -> str:
    """An epilog for click: each line is a command as people type it; tests run them."""
    # \b keeps click from wrapping the lines into one paragraph.
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))

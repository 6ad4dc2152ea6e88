"""`python -m ozone_gen` is `ozone-gen`."""

from __future__ import annotations

import sys

from ozone_gen.cli import main

if __name__ == "__main__":
    sys.exit(main())

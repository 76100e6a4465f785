"""`python -m psp_harness.reference.shop [--port PORT]`: the shop as a process of its own, on loopback."""

from __future__ import annotations

import argparse
import os
import sys

import uvicorn

from psp_harness.errors import UsageError
from psp_harness.reference import shop


def main() -> None:
    """Serve until it is told to end; what is wrong with the settings is one line, and status 2."""
    options = argparse.ArgumentParser(prog="python -m psp_harness.reference.shop")
    options.add_argument("--port", type=int, default=8090, help="of 127.0.0.1")
    asked = options.parse_args()
    try:
        app = shop.application(os.environ)
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None
    uvicorn.run(app, host="127.0.0.1", port=asked.port, log_level="warning")


if __name__ == "__main__":
    main()

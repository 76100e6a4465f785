"""What every test has: telemetry of libraries off, faults and rules registered."""

from __future__ import annotations

import os

os.environ["PACT_DO_NOT_TRACK"] = "true"

pytest_plugins = ["pytester"]

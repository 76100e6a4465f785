from __future__ import annotations

import os

os.environ["PACT_DO_NOT_TRACK"] = "true"  # telemetry is on otherwise; no other value than "true" turns it off

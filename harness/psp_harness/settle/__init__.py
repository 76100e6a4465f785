"""Settle a run: what is known is no news, and what no longer holds of QUARANTINE.md is. Pure.

The laws (`laws`) are the same for verdicts of ours (`verdicts`) and for the results of any test runner (`results`).
"""

from __future__ import annotations

from psp_harness.settle.laws import Excused, LeftOut, Watch, not_run, quarantined
from psp_harness.settle.results import OF_TESTS, SUBJECT, Told, settle_results, signature, signatures
from psp_harness.settle.verdicts import OF_VERDICTS, Settled, exit_status, settle

__all__ = [
    "OF_TESTS",
    "OF_VERDICTS",
    "SUBJECT",
    "Excused",
    "LeftOut",
    "Settled",
    "Told",
    "Watch",
    "exit_status",
    "not_run",
    "quarantined",
    "settle",
    "settle_results",
    "signature",
    "signatures",
]

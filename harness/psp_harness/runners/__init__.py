"""What other test runners report: JUnit XML, read and written again without the failures that are excused.

What must hold here: a file may be of any size, and takes no more room than its largest test; a document that is cut
off, that declares entities, or that is no JUnit XML is one clear error; a failure that a suite counts and does not
show is never a pass.
"""

from __future__ import annotations

from psp_harness.runners.failing import what_failed
from psp_harness.runners.junit import NOT_LOADED, read
from psp_harness.runners.reported import Reported
from psp_harness.runners.rewriting import Skip, rewrite

__all__ = ["NOT_LOADED", "Reported", "Skip", "read", "rewrite", "what_failed"]

"""What a run says, in one file per format. Every format takes a `Clean` report, which cannot be made without scrubbing.

    clean = Clean(report)
    files = evidence.write(clean, evidence.beside(Path("report.json")))
    json.write(clean, Path("report.json"), files)
    junit.write(clean, Path("report.xml"))
    text.render(clean, profile, Console(), files)

A new format is one more file here.
"""

from __future__ import annotations

from psp_harness.reports.scrub import Clean

__all__ = ["Clean"]

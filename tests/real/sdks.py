"""Published SDKs for tests: each set up as its adapter does it, in front of whatever the test listens with."""

from __future__ import annotations

import pytest

from psp_harness import profile
from psp_harness.subjects.sdks import Use, use_of
from psp_harness.subjects.sdks.adapter import Adapter, Setting, load

MARKS = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # what the SDKs leave open when they are gone
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # what they have not kept up with
]


def connected(use: Use | str, base_url: str, *, timeout: float = 30.0) -> Adapter:
    """The SDK, set up as tenant A; skipped where its package is missing."""
    use = use_of(use) if isinstance(use, str) else use
    pytest.importorskip(f"psp_harness.subjects.sdks.{use.name}", reason="pip install 'psp-harness[sdks]'")
    token = profile.load(use.sdk.profile).credentials["tenant-a"]
    return load(use)(Setting(base_url, token, timeout, use.chosen))

"""The reference PSP: one pure engine behind a thin shell; how it speaks and what a key does are facts of a profile.

app ─► service ─► execution ─► engine
         │           ├─► policy    what a key decides
         │           └─► stores    one step for the effect and its answer
         └─► dialect               the profile's words
"""

from __future__ import annotations

from collections.abc import Mapping

from psp_harness.profile import Profile
from psp_harness.reference.provider.app import asgi
from psp_harness.reference.provider.service import Provider
from psp_harness.reference.provider.stores.opening import open_store

__all__ = ["Provider", "asgi", "build"]


def build(profile: Profile, store: str = "memory", credentials: Mapping[str, str] | None = None) -> Provider:
    """A provider over `memory`, `sqlite:PATH`, `postgresql://…` or `redis://…`.

    Raises `UsageError` for any other store, and for one that cannot be reached.
    """
    return Provider(profile, open_store(store), credentials=credentials)

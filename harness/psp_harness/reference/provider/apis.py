"""Which API a profile is spoken in: the plain one, or that of a PSP that has a room of its own here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from psp_harness.profile import Profile
from psp_harness.reference.provider.api import Api, World
from psp_harness.reference.provider.hyperswitch import HyperswitchApi
from psp_harness.reference.provider.hyperswitch.payout_standing import told_of_payout
from psp_harness.reference.provider.plain import PlainApi
from psp_harness.reference.provider.sending.events import Reader

IN_FULL: Final[Mapping[str, Callable[[World], Api]]] = {"hyperswitch": HyperswitchApi}
"""By `Profile.api`."""


FURTHER: Final[Mapping[str, Mapping[str, Reader]]] = {"hyperswitch": {"payout": told_of_payout}}
"""By `Profile.api`: how what it has beside payments and refunds stands, for those who are told of it."""


def further_of(profile: Profile) -> Mapping[str, Reader]:
    """What of that kind the PSP has."""
    return FURTHER.get(profile.api or "", {})


def api_of(world: World) -> Api:
    """The API of that world's profile."""
    return IN_FULL.get(world.profile.api or "", PlainApi)(world)

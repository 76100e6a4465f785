"""Which API a profile is spoken in: the plain one, or that of a PSP that has a room of its own here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from psp_harness.reference.provider.api import Api, World
from psp_harness.reference.provider.hyperswitch import HyperswitchApi
from psp_harness.reference.provider.plain import PlainApi

IN_FULL: Final[Mapping[str, Callable[[World], Api]]] = {"hyperswitch": HyperswitchApi}
"""By `Profile.api`."""


def api_of(world: World) -> Api:
    """The API of that world's profile."""
    return IN_FULL.get(world.profile.api or "", PlainApi)(world)

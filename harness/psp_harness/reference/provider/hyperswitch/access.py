"""Who asks: the keys of Hyperswitch (crates/router/src/services/authentication.rs:688-728, 5852-5889, 6176-6178).

A key that is missing, empty, wrong, over or revoked is one and the same 401, but where the route first asks which kind
of key it is: there a missing one is 400.
"""

from __future__ import annotations

import hmac
from typing import Final

from psp_harness.model import Request
from psp_harness.profile import REFRESHED
from psp_harness.reference.provider.api import World
from psp_harness.reference.provider.hyperswitch.accounts import merchant_of_publishable_key
from psp_harness.reference.provider.hyperswitch.api_keys import merchant_of_key
from psp_harness.reference.provider.hyperswitch.asked import Door, Holder
from psp_harness.reference.provider.hyperswitch.bodies import missing
from psp_harness.reference.provider.ledger import Refusal

HEADER: Final = "api-key"

ADMIN: Final = b"test_admin"
"""The key of whoever runs the switch, as it is set for development (config/docker_compose.toml:53)."""

_NOBODY = Refusal("unauthorized", "API key not provided or invalid API key used")


async def who(world: World, door: Door, request: Request, named: str | None) -> tuple[str, Holder] | Refusal:
    """The merchant, and what was shown for it; `named`: the merchant in the path, if there is one."""
    lines = request.lines(HEADER)
    if door is Door.EITHER and not lines:
        return missing("api_key")
    if len(lines) != 1:
        return _NOBODY
    if door in {Door.ADMIN, Door.MERCHANT} and hmac.compare_digest(lines[0], ADMIN):
        return named or "", Holder.ADMIN
    if door is Door.ADMIN:
        return _NOBODY
    found = await _merchant(world, door, lines[0])
    if isinstance(found, Refusal) or door is not Door.MERCHANT or found[0] == named:
        return found
    return Refusal("forbidden", "this is another merchant's")


async def _merchant(world: World, door: Door, shown: bytes) -> tuple[str, Holder] | Refusal:
    for tenant, credential in world.credentials.items():
        if hmac.compare_digest(shown, credential.encode()):
            return tenant.removesuffix(REFRESHED), Holder.SECRET
    if (merchant := await merchant_of_key(world, shown)) is not None:
        return merchant, Holder.SECRET
    if door is Door.EITHER and (merchant := await merchant_of_publishable_key(world, shown)) is not None:
        return merchant, Holder.PUBLISHABLE
    return _NOBODY

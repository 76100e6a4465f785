"""How webhooks come that a receiver has to survive: no PSP promises once, in order, or after its own answer."""

from __future__ import annotations

from typing import Annotated

import msgspec


class Manner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is odd about the deliveries from now on; as it stands here, nothing is."""

    copies: Annotated[int, msgspec.Meta(ge=1, le=20)] = 1
    """How many of one delivery are under way at once."""
    withheld: bool = False
    """Nothing is sent; what is due then is sent when that is over."""
    newest_first: bool = False
    """Of what is due, the latest event comes first: a refund before its payment."""
    before_the_answer: bool = False
    """A change is told before the request for it is answered."""

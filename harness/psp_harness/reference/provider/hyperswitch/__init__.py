"""Hyperswitch's own API, v1, beyond what every PSP has: what its router does at release 2026.06.25.0.

    routes      which room answers a route, and who may ask there
    access      who asks: secret keys, publishable keys, the admin's key
    bodies      what a body must look like, and the words for what is wrong with it
    payments · refunds · payouts · customers · accounts · api_keys · connectors
                each: a request and the ledger in, an entry or a refusal out; and how it is shown

What must live here: what no other PSP does in this way. The money itself is decided by the engine and by `standing`, as
for every PSP; how a no is worded stands in the profile, each with its source.
"""

from __future__ import annotations

from psp_harness.reference.provider.hyperswitch.router import HyperswitchApi

__all__ = ["HyperswitchApi"]

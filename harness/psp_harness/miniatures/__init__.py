"""Subjects with exactly one documented fault each, and correct ones: the test of the rules, and a demonstration.

Most speak profile `generic`. They are an implementation of their own, so that rules and reference are not their own
proof: nothing here imports `reference` or `rules`. `MINIATURES["careful-client"].make()` gives a fresh subject. Which
failure mode has none, and why, stands in `modes`.
"""

from __future__ import annotations

from psp_harness.miniatures import (
    adyen_receivers,
    captures,
    chosen_ids,
    clients,
    correct_providers,
    correct_receivers,
    credulous_receivers,
    durable,
    durable_receivers,
    faulty_amounts,
    faulty_captures,
    faulty_clients,
    faulty_health,
    faulty_keys,
    faulty_locks,
    faulty_memory,
    faulty_providers,
    faulty_receivers,
    faulty_retries,
    faulty_scope,
    faulty_shops,
    faulty_storing,
    form_bodies,
    mistaken_shops,
    odd_clients,
    providers,
    receivers,
    receivers_of_psps,
    shops,
)
from psp_harness.miniatures.declaration import MINIATURES, Miniature, miniature

__all__ = [
    "MINIATURES",
    "Miniature",
    "adyen_receivers",
    "captures",
    "chosen_ids",
    "clients",
    "correct_providers",
    "correct_receivers",
    "credulous_receivers",
    "durable",
    "durable_receivers",
    "faulty_amounts",
    "faulty_captures",
    "faulty_clients",
    "faulty_health",
    "faulty_keys",
    "faulty_locks",
    "faulty_memory",
    "faulty_providers",
    "faulty_receivers",
    "faulty_retries",
    "faulty_scope",
    "faulty_shops",
    "faulty_storing",
    "form_bodies",
    "miniature",
    "mistaken_shops",
    "odd_clients",
    "providers",
    "receivers",
    "receivers_of_psps",
    "shops",
]

"""What the project itself brings: reference subjects, and miniatures by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psp_harness.errors import UsageError
from psp_harness.miniatures import MINIATURES, Miniature
from psp_harness.miniatures.modes import MODES, modes_in
from psp_harness.model import Role
from psp_harness.profile import Profile
from psp_harness.reference.provider import build
from psp_harness.reference.provider.app import asgi
from psp_harness.registry import suggest
from psp_harness.subjects import unprotected_shops as unprotected_shops  # noqa: PLC0414 - its miniatures are ours, too
from psp_harness.subjects.reference_provider import presentable

__all__ = ["MINIATURES", "MODES", "expect", "miniature", "modes_in", "our_psp", "our_psp_app"]


def our_psp(profile: Profile, credentials: Mapping[str, str]) -> Any:
    """The PSP that a client is given: the reference provider under the profile, with nothing in its books."""
    return build(profile, credentials=credentials)


def our_psp_app(profile: Profile, store: str, webhooks: Sequence[str] = ()) -> Any:
    """The reference provider as an ASGI application: its books in `store`, tenant-a's webhooks to those URLs."""
    return asgi(build(profile, store), webhooks)


def miniature(name: str, role: Role) -> Miniature:
    """The miniature of that name; raises `UsageError` where there is none of this role."""
    found = MINIATURES.named(name)
    if found.role is not role:
        raise UsageError(f"miniature {name!r} is a {found.role}, not a {role}", do=suggest(name, _of_role(role)))
    return found


def _of_role(role: Role) -> Iterable[str]:
    return (name for name, each in MINIATURES.items() if each.role is role)


def expect(name: str, wanted: str) -> None:
    """Raise `UsageError` unless it is that reference which is asked for."""
    if name != wanted:
        raise UsageError(f"unknown reference {presentable(name)!r} in this role", do=f"use reference:{wanted}")

"""What every adapter to an SDK shares: the protocol's verbs, over two calls and what their errors tell the caller.

What must hold here: a verdict is about the SDK. An adapter calls it as its documentation does, adds no attempt and no
key, and reports what the SDK told: an error that does not say whether money moved is *unknown*.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, Literal

from psp_harness import profile
from psp_harness.errors import UsageError
from psp_harness.model import Retries
from psp_harness.subjects.sdks import Use

Params = Mapping[str, Any]
"""What a step is asked with; `key` is missing where the caller gives none."""

Told = Literal["declined", "rejected", "unknown", "refused"]

NEVER = Retries()


@dataclass(frozen=True, slots=True)
class Setting:
    """What an SDK is set up with, for one case."""

    base_url: str
    token: str
    timeout: float
    """Seconds."""
    chosen: Mapping[str, str]
    ca_file: str | None = None
    """PEM: the authorities to trust."""
    until: ExitStack = field(default_factory=ExitStack)
    """Closed when the case is over: what was changed for it outside of the SDK is put back."""


@dataclass(frozen=True, slots=True)
class Made:
    """What the SDK returned: the id that the PSP gave, and the PSP's word for its status."""

    id: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class Adapter:
    """An SDK, set up."""

    pay: Callable[[Params], Made]
    refund: Callable[[Params], Made]
    told: Callable[[Exception], Told]
    """What an error says to whoever called."""
    keys: frozenset[str]
    """`caller-keys`, `own-keys`."""
    retries: Retries = NEVER
    """By itself, as measured: tests/real/test_sdk_retries.py."""


Connect = Callable[[Setting], Adapter]


def load(use: Use) -> Connect:
    """The adapter to an SDK. Raises `UsageError` where its package is not installed."""
    try:
        connect: Connect = importlib.import_module(f"psp_harness.subjects.sdks.{use.name}").connect
    except ImportError as error:
        problem = f"sdk:{use.name} needs a package that is not installed ({error.name})"
        raise UsageError(problem, do="pip install 'psp-harness[sdks]'") from None
    return connect


class SdkSubject:
    """One SDK in one case, for the channel to call."""

    def __init__(self, use: Use, connect: Connect) -> None:
        self._use, self._connect, self._facts = use, connect, profile.load(use.sdk.profile)
        self._until = ExitStack()

    def start(
        self, base_url: str, credentials: Mapping[str, str], answer_timeout: float, ca_file: str | None = None
    ) -> dict[str, Any]:
        """Set it up, and say what it is."""
        where = base_url, credentials["token"], answer_timeout
        self._sdk = self._connect(Setting(*where, self._use.chosen, ca_file, self._until))
        retries = self._sdk.retries
        features = self._sdk.keys | {"refunds", "parallel", "tls"} | ({"retries"} if retries.max else set())
        claims = {
            "name": self._use.sdk.package,
            "version": metadata.version(self._use.sdk.package),
            "language": "python",
            "features": sorted(features),
            "retries": {"max": retries.max, "on": sorted(retries.on)},
        }
        return {"ok": claims}

    def do(self, step: str, params: Params) -> dict[str, Any]:
        """Call it, and say what it told."""
        kind = step.removeprefix("create-")
        try:
            made = self._sdk.pay(params) if kind == "payment" else self._sdk.refund(params)
        except Exception as error:  # noqa: BLE001 - whatever it raises is what its caller gets
            return _said(self._sdk.told(error), f"{type(error).__name__}: {error}"[:300])
        if profile.meaning(self._facts, kind, made.status) == "failed":
            return _said("declined", f"it returned a {kind} in status {made.status!r}")
        return {"ok": {f"{kind}_id": made.id, "status": made.status}}

    def close(self) -> None:
        """The case is over, however it ended."""
        self._until.close()


def by_status(status: int | None) -> Told:
    """What an HTTP status tells, where the SDK hands it on; None where it has none."""
    if status == 402:
        return "declined"
    if status is None or status in _NOT_YET_TOLD or not 400 <= status < 500:
        return "unknown"
    return "rejected"


_NOT_YET_TOLD = frozenset({408, 409, 425, 429})
"""A first request with this key may be at work, or have been."""


def _said(told: Told, message: str) -> dict[str, Any]:
    return {"refused": {"message": message}} if told == "refused" else {"failed": {"kind": told, "message": message}}

"""A provider or receiver of ours as an ASGI application of a process of its own, for uvicorn to serve.

What it is comes through the environment, for an address of a store may hold a password, and arguments are seen by all.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from psp_harness.miniatures import MINIATURES
from psp_harness.profile import Profile
from psp_harness.reference.provider import build
from psp_harness.reference.provider.app import asgi
from psp_harness.reference.receiver import reference_receiver

TARGET = "psp_harness.subjects.own_server:app"
VARIABLE = "PSP_HARNESS_OWN_SERVER"


class Reference(msgspec.Struct, frozen=True, tag=True):
    """The reference provider."""

    profile: Profile
    credentials: Mapping[str, str]
    store: str
    webhooks: tuple[str, ...] = ()
    """Where the events of tenant-a go."""

    def make(self) -> Any:
        """The application."""
        return asgi(build(self.profile, self.store, self.credentials), self.webhooks)


class OfMiniatures(msgspec.Struct, frozen=True, tag=True):
    """A miniature that keeps something."""

    name: str

    def make(self) -> Any:
        """The application."""
        return MINIATURES[self.name].make()


class ReferenceReceiver(msgspec.Struct, frozen=True, tag=True):
    """The reference receiver."""

    profile: Profile
    folder: str
    """Where it keeps its inbox."""

    def make(self) -> Any:
        """The application."""
        return reference_receiver(self.profile, self.folder)


Described = Reference | OfMiniatures | ReferenceReceiver


def environment(described: Described) -> dict[str, str]:
    """That of the process which is to be it."""
    return {VARIABLE: msgspec.json.encode(described).decode()}


if VARIABLE in os.environ:
    app = msgspec.json.decode(os.environ[VARIABLE], type=Described).make()

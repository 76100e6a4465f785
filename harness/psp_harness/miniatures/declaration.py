"""What a miniature is, and how one is registered: a class with a decorator, its docstring the one sentence on it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from psp_harness.model import Role
from psp_harness.registry import Registry

C = TypeVar("C", bound=Callable[[], object])


@dataclass(frozen=True, slots=True)
class Miniature:
    """A tiny subject, with one fault or none."""

    name: str
    role: Role
    mode: str
    """The failure mode that it shows (`C05`); empty for a correct one."""
    says: str
    """One sentence: what it does wrong, or what a correct one does in its own way."""
    breaks: frozenset[str]
    """The rules that must report it; empty for a correct one."""
    may: frozenset[str]
    """Rules that report it truly too, where requests happen to meet: no others may."""
    profile: str
    """What it speaks."""
    durable: bool
    """It is a process of its own, with a folder to keep things in, and may be killed and started again."""
    make: Callable[[], object]
    """A fresh one: for a client an object with the protocol's verbs, for a provider an ASGI application."""


MINIATURES: Registry[Miniature] = Registry("miniature")


def miniature(  # noqa: PLR0913 - a declaration: each argument is one fact of the miniature
    name: str,
    *,
    role: Role,
    mode: str = "",
    breaks: Collection[str] = (),
    may: Collection[str] = (),
    profile: str = "generic",
    durable: bool = False,
) -> Callable[[C], C]:
    """Register a class under a kebab-case name; without a mode it is correct."""

    def register(make: C) -> C:
        says = " ".join((inspect.getdoc(make) or "").split())
        made = Miniature(name, role, mode, says, frozenset(breaks), frozenset(may), profile, durable, make)
        MINIATURES.add(name, made)
        return make

    return register

"""What the reference provider answers, held against the committed contracts of `contracts/pacts/`."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from msgspec.structs import replace
from pact import Verifier

from psp_harness.model import Answer, Request
from psp_harness.profile import Profile, load
from psp_harness.reference.provider import Provider, build
from psp_harness.reference.provider.app import asgi
from psp_harness.template import encode, fill

PACTS = Path(__file__).parents[2] / "contracts" / "pacts"


@dataclass(frozen=True, slots=True)
class Served:
    """A reference provider that answers on a loopback port."""

    profile: Profile
    provider: Provider
    loop: asyncio.AbstractEventLoop
    port: int

    def ask(self, operation: str, key: object, values: Mapping[str, object]) -> None:
        """Do what a provider state says: ask the provider as the first tenant, and insist on a yes."""
        facts, auth = self.profile.operations[operation], self.profile.auth
        assert self.profile.key is not None
        lines = {
            auth.header: auth.value.replace("{credential}", self.profile.credentials["tenant-a"]),
            self.profile.key.name: str(key),
            "Content-Type": "application/json",
        }
        headers = tuple((name.encode(), value.encode()) for name, value in lines.items())
        request = Request(facts.method, facts.path, headers, encode(fill(facts.request, values), facts.encoding))
        done: Answer = asyncio.run_coroutine_threadsafe(self.provider.handle(request), self.loop).result(timeout=10)
        assert done.accepted, done


@contextmanager
def served(profile: Profile) -> Iterator[Served]:
    """Serve the reference provider of a profile; the port takes connections from the beginning."""
    provider = build(profile)
    server = uvicorn.Server(uvicorn.Config(asgi(provider), log_level="warning", ws="none"))
    loop = asyncio.new_event_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: loop.run_until_complete(server.serve(sockets=[listener])))
        thread.start()
        try:
            yield Served(profile, provider, loop, listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(20)
            loop.close()


def broken(pact: Path, served: Served) -> dict[str, Any]:
    """Replay every interaction of a contract; give those that failed, with what Pact says of them."""

    def a_payment_was_made(parameters: dict[str, Any]) -> None:
        values = {
            "chosen_id": parameters["payment_id"],
            "token": served.profile.cards.get("good", "tok_visa"),
            **parameters,
        }
        served.ask("create-payment", parameters["key"], values)

    def a_refund_was_made(parameters: dict[str, Any]) -> None:
        served.ask("create-refund", parameters["key"], {"chosen_id": parameters["refund_id"], **parameters})

    verifier = (
        Verifier(served.profile.name, host="127.0.0.1")
        .add_transport(url=f"http://127.0.0.1:{served.port}")
        .add_source(pact)
        .state_handler({"a payment was made": a_payment_was_made, "a refund was made": a_refund_was_made})
    )
    with suppress(RuntimeError):  # it says no more than that something failed
        verifier.verify()
    replayed = verifier.results["interactionResults"]
    asked = json.loads(pact.read_text(encoding="utf-8"))["interactions"]
    assert {each["description"] for each in replayed} == {each["description"] for each in asked}
    return {each["description"]: each for each in replayed if each["result"] != "OK"}


def pact_with(provider: str) -> Path:
    """Name the committed contract with that provider."""
    (pact,) = PACTS.glob(f"*-{provider}.json")
    return pact


@pytest.mark.parametrize("provider", ["hyperswitch-docs", "generic"])
def test_contract_is_kept(provider: str) -> None:
    """The reference provider of a profile answers every interaction of its contract as its consumer counts on."""
    with served(load(provider)) as psp:
        assert broken(pact_with(provider), psp) == {}


def test_every_contract_is_verified() -> None:
    """No contract is committed that the test above does not replay."""
    assert set(PACTS.glob("*.json")) == {pact_with("hyperswitch-docs"), pact_with("generic")}


def test_router_breaks_what_its_documentation_promises() -> None:
    """Hyperswitch as its source behaves breaks both replays of that contract, and nothing else."""
    with served(load("hyperswitch")) as psp:
        failed = broken(pact_with("hyperswitch-docs"), psp)
    assert set(failed) == {"a payment again, with its key", "a refund again, with its key"}
    assert {kind for each in failed.values() for kind in kinds(each)} == {"StatusMismatch", "BodyMismatch"}


def test_provider_that_takes_requests_without_a_key() -> None:
    """A provider that lets a POST without a key through breaks the contract of one that requires it."""
    profile = load("generic")
    assert profile.key is not None
    lax = replace(profile, key=replace(profile.key, required=False))
    with served(lax) as psp:
        failed = broken(pact_with("generic"), psp)
    assert set(failed) == {"a payment without a key"}


def kinds(result: Mapping[str, Any]) -> set[str]:
    """Name the kinds of mismatch in one of Pact's results."""
    return {each["type"] for each in result["mismatch"]["mismatches"]}

"""Two providers in two processes over one store; and what is left when one of them is killed."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import pytest_asyncio

from psp_harness.profile import load
from psp_harness.reference.provider import build
from psp_harness.reference.provider.execution import LEASE
from reference.provider.asking import Caller, Clock

SERVE = "from psp_harness.cli import main; main()"
TENANT = {"authorization": "Bearer tenant-a"}

KEYS = 60
PAYS = f"""
import asyncio, sys
from psp_harness.profile import load
from psp_harness.reference.provider import Provider
from psp_harness.reference.provider.stores.opening import open_store
from reference.provider.asking import Caller, Clock

async def forever():
    print("claimed", flush=True)
    await asyncio.Event().wait()

async def pay(caller, keys):
    for key in keys:
        await caller.pay(f"key-{{key}}")
        print("paid", flush=True)

async def main(address, hangs):
    profile, options = load("generic"), {{"processing": forever}} if hangs else {{}}
    caller = Caller(profile, Provider(profile, open_store(address), clock=Clock(), **options))
    keys = iter(range({KEYS}))
    await asyncio.gather(*(pay(caller, keys) for _ in range(1 if hangs else 4)))

asyncio.run(main(sys.argv[1], sys.argv[2] == "hangs"))
"""


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that is killed at the end."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", *command], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process, process.stdout:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    """Wait for the next line of its output."""
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.fixture
def two(shared_store: str) -> Iterator[tuple[str, str]]:
    """The base URLs of two `psp-harness serve` over one store."""
    command = (SERVE, "serve", "--profile", "generic", "--port", "0", "--store", shared_store)
    with ExitStack() as stack:
        processes = [stack.enter_context(running(*command)) for _ in range(2)]
        urls = [re.search(r"http://\S+", said(process)) for process in processes]
        assert urls[0] is not None
        assert urls[1] is not None
        yield urls[0][0], urls[1][0]


@pytest_asyncio.fixture
async def http() -> httpx.AsyncClient:
    """A client without limits of its own."""
    return httpx.AsyncClient(limits=httpx.Limits(max_connections=None), headers=TENANT, timeout=30)


async def pay(http: httpx.AsyncClient, url: str) -> httpx.Response:
    """Ask for the same payment each time."""
    payment = {"amount": 1000, "currency": "EUR", "reference": "order-1"}
    return await http.post(f"{url}/payments", json=payment, headers={"idempotency-key": "one-key"})


async def refund(http: httpx.AsyncClient, url: str, payment_id: str, key: str) -> httpx.Response:
    """Ask for 3.00 back."""
    wanted = {"payment_id": payment_id, "amount": 300, "reference": key}
    return await http.post(f"{url}/refunds", json=wanted, headers={"idempotency-key": key})


async def test_fifty_duplicates_at_two_processes(two: tuple[str, str], http: httpx.AsyncClient) -> None:
    """One has an effect; the others get its answer, or are told that it is in flight."""
    async with http:
        answers = await asyncio.gather(*(pay(http, two[n % 2]) for n in range(50)))
        assert {answer.status_code for answer in answers} <= {201, 409}
        assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
        effects = [(await http.get(f"{url}/psp-harness/effects")).json()["effects"] for url in two]
        assert len(effects[0]) == 1
        assert effects[0] == effects[1]


async def test_refunds_at_two_processes(two: tuple[str, str], http: httpx.AsyncClient) -> None:
    """Of twenty refunds of 3.00 at once, of a payment of 10.00, three succeed, and no more was given back."""
    async with http:
        payment = (await pay(http, two[0])).json()["id"]
        answers = await asyncio.gather(*(refund(http, two[n % 2], payment, f"refund-{n}") for n in range(20)))
        assert sorted(answer.status_code for answer in answers) == [201] * 3 + [422] * 17
        effects = (await http.get(f"{two[1]}/psp-harness/effects")).json()["effects"]
        assert sum(effect["amount"] for effect in effects if effect["kind"] == "refund") == 900


async def test_killed_between_claim_and_effect(shared_store: str, clock: Clock) -> None:
    """The key is in flight until the lease ends; then the retry has the one and only effect."""
    with running(PAYS, shared_store, "hangs") as process:
        assert said(process) == "claimed\n"
        process.send_signal(signal.SIGKILL)
    caller = later(shared_store, clock)
    assert (await caller.pay("key-0")).status == 409
    clock.now += LEASE
    assert (await caller.pay("key-0")).status == 201
    assert len(await caller.provider.effects()) == 1
    await caller.provider.close()


@pytest.mark.parametrize("paid", [1, 17, 40])
async def test_killed_at_any_moment(shared_store: str, clock: Clock, paid: int) -> None:
    """Wherever the kill strikes four payments at once: every retry succeeds, and each key has one effect, its own."""
    with running(PAYS, shared_store, "goes on") as process:
        for _ in range(paid):
            assert said(process) == "paid\n"
        process.send_signal(signal.SIGKILL)
    clock.now += LEASE
    caller = later(shared_store, clock)
    stood = await caller.provider.effects()
    assert len(stood) >= paid
    answers = [caller.id_of("create-payment", await caller.pay(f"key-{key}")) for key in range(KEYS)]
    effects = await caller.provider.effects()
    assert effects[: len(stood)] == stood
    assert sorted(answers) == sorted(effect.id for effect in effects)
    await caller.provider.close()


def later(address: str, clock: Clock) -> Caller:
    """A caller of a provider that comes after the dead one."""
    provider = build(load("generic"), address)
    provider._clock = clock
    return Caller(load("generic"), provider)

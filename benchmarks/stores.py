"""How many keyed payments per second the reference provider makes on each store, and beside memory.

    python benchmarks/stores.py [--payments N] [--at-once N] [ADDRESS …]

Without addresses: memory, a SQLite file, and PostgreSQL and Redis where DATABASE_URL and REDIS_TEST_URL say they are,
or where they listen on loopback. Each payment is a claim, a decision and an answer that is kept: two durable steps.
What comes out tells the stores apart on this machine, with these settings; it is no promise.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from psp_harness.errors import UsageError
from psp_harness.model import Request
from psp_harness.profile import load
from psp_harness.reference.provider import Provider
from psp_harness.reference.provider.stores import opening

BODY = b'{"amount":1000,"currency":"EUR","reference":"order-1"}'


def payment(number: int) -> Request:
    """A payment under a key of its own."""
    key = b"key-%d" % number
    return Request("POST", "/payments", ((b"Authorization", b"Bearer tenant-a"), (b"Idempotency-Key", key)), BODY)


async def per_second(address: str, payments: int, at_once: int) -> float:
    """Payments per second, so many at once."""
    provider = Provider(load("generic"), opening.open_store(address))
    numbers: Iterator[int] = iter(range(payments))

    async def pay() -> None:
        for number in numbers:
            assert (await provider.handle(payment(number))).status == 201

    started = time.perf_counter()
    await asyncio.gather(*(pay() for _ in range(at_once)))
    seconds = time.perf_counter() - started
    assert len(await provider.effects()) == payments
    await provider.close()
    return payments / seconds


def measure(address: str, payments: int, at_once: int) -> float:
    """The same, in a store that is there for this alone."""
    own = opening.apart(address)
    try:
        return asyncio.run(per_second(own, payments, at_once))
    finally:
        opening.remove(own)


def main() -> None:
    """Measure, and print a table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--payments", type=int, default=2000)
    asked.add_argument("--at-once", type=int, default=16)
    asked.add_argument("addresses", nargs="*", metavar="ADDRESS")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        addresses = given.addresses or [
            f"sqlite:{Path(folder) / 'provider.db'}",
            os.environ.get("DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres"),
            os.environ.get("REDIS_TEST_URL", "redis://127.0.0.1:6379"),
        ]
        memory = measure("memory", given.payments, given.at_once)
        print(f"{'payments/s':>10}  {'of memory':>9}  store ({given.payments} payments, {given.at_once} at once)")
        print(f"{memory:10.0f}  {'100 %':>9}  memory")
        for address in addresses:
            try:
                rate = measure(address, given.payments, given.at_once)
                print(f"{rate:10.0f}  {rate / memory:9.1%}  {opening.shown(address)}")
            except UsageError as error:
                print(f"{'-':>10}  {'-':>9}  {error}")


if __name__ == "__main__":
    main()

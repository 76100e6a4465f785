"""The first answer to a refund is lost, between an SDK that tries again and a PSP double that ignores its key.

Both are published packages: stripe, which sends one key with both attempts, and localstripe, which refunds twice.
"""

import asyncio
import socket
import sys
from contextlib import asynccontextmanager

import httpx
import stripe

from psp_harness import faults, profile
from psp_harness.model import Answer, Strike
from psp_harness.profile import operation_of
from psp_harness.wire.server import Server

STRIPE = profile.load("stripe")
TOKEN = "sk_test_lost_refund"  # noqa: S105 - nobody's
REFUND = 2


@asynccontextmanager
async def localstripe():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = (sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch")
    quiet = {"stdout": asyncio.subprocess.DEVNULL, "stderr": asyncio.subprocess.DEVNULL}
    process = await asyncio.create_subprocess_exec(*command, **quiet)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as psp, asyncio.timeout(60):
            while True:
                try:
                    await psp.get("/")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.02)
            yield psp
    finally:
        process.terminate()
        await process.wait()


def shop(base_url):
    """A payment of 10.00 and its refund, as stripe's documentation has them."""
    client = stripe.StripeClient(TOKEN, base_addresses={"api": base_url}, max_network_retries=2)
    card = {"payment_method": "pm_card_visa", "confirm": True}
    paid = client.v1.payment_intents.create({"amount": 1000, "currency": "eur", **card}, {"idempotency_key": "order-7"})
    return client.v1.refunds.create({"payment_intent": paid.id, "amount": 1000}, {"idempotency_key": "refund-3"})


async def main():
    faults.load()
    async with localstripe() as psp:

        async def forward(request):
            headers = [line for line in request.headers if line[0].lower() != b"host"]
            answer = await psp.request(request.method, request.target, headers=headers, content=request.body)
            return Answer(answer.status_code, ((b"Content-Type", b"application/json"),), answer.content)

        def step_of(request):
            operation = operation_of(STRIPE, request)
            return (REFUND if operation and operation[0] == "create-refund" else 1), None

        lost_once = Strike("response-lost", REFUND, attempts=(1,))
        async with Server(forward, step_of, [lost_once], patience=5) as server:
            told = await asyncio.to_thread(shop, server.base_url)
        listed = await psp.get("/v1/refunds", headers={"Authorization": f"Bearer {TOKEN}"})

    for exchange in server.exchanges:
        key = exchange.request.lines("Idempotency-Key")[0].decode()
        seen = exchange.seen.status if exchange.seen else "nothing: the answer was lost"
        print(f"{exchange.request.method} {exchange.request.target}  key {key}  its sender saw {seen}")
    refunds = listed.json()["data"]
    print(f"the shop was told of {told.amount} given back")
    print(f"the PSP gave back {sum(refund['amount'] for refund in refunds)} of 1000, in {len(refunds)} refunds")


if __name__ == "__main__":
    asyncio.run(main())

"""Providers in profile `generic` that take two requests for one, or one for two: whose a key is, what a body is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from psp_harness.miniatures.asgi import Receive, Scope, Send
from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.providers import TENANTS, Asked, CarefulGateway, Slot
from psp_harness.model import Answer, Effect, Request, Role

EXECUTES_AGAIN = {"retry-gets-the-first-answer", "retry-names-the-same-resource", "one-key-has-one-effect"}

# --- what a key belongs to -----------------------------------------------------------------------------------------


@miniature("keys-without-route", role=Role.PROVIDER, mode="P08", breaks={"a-key-belongs-to-its-operation"})
class KeysWithoutRoute(CarefulGateway):
    """Stores answers under tenant and key alone, so that a refund with its payment's key is refused as another body."""

    def slot(self, asked: Asked) -> Slot:
        return asked.tenant, asked.key


@miniature(
    "refund-gets-the-payment", role=Role.PROVIDER, mode="P11", breaks={"another-operation-never-gets-the-answer"}
)
class RefundGetsThePayment(CarefulGateway):
    """Compares bodies on one route alone, so that a refund with its payment's key is answered with the payment."""

    async def claim(self, asked: Asked) -> Answer | None:
        of_payment = self.kept.get((asked.tenant, "payment", asked.key))
        if asked.kind == "refund" and of_payment and of_payment.answer:
            return self.replay(of_payment.answer)
        return await super().claim(asked)


@miniature("keys-by-address", role=Role.PROVIDER, mode="P13", breaks=EXECUTES_AGAIN)
class KeysByAddress(CarefulGateway):
    """Makes the client's address a part of its scope, so that a retry after a change of network executes again."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = str((scope.get("client") or [""])[0]).encode()
        headers = [*scope.get("headers", ()), (b"x-client", address)]
        await super().__call__({**scope, "headers": headers}, receive, send)

    def slot(self, asked: Asked) -> Slot:
        return *super().slot(asked), *asked.request.lines("x-client")


@miniature("no-cache-executes-again", role=Role.PROVIDER, mode="P37", breaks=EXECUTES_AGAIN)
class NoCacheExecutesAgain(CarefulGateway):
    """Obeys `Cache-Control: no-cache` of a request and passes over its store, so that a duplicate executes again."""

    async def create(self, asked: Asked) -> Answer:
        if b"no-cache" in asked.request.lines("Cache-Control"):
            return await self.execute(asked)
        return await super().create(asked)


@miniature("reads-from-the-key-store", role=Role.PROVIDER, mode="P39", breaks={"a-read-is-never-answered-from-a-key"})
class ReadsFromTheKeyStore(CarefulGateway):
    """Answers a GET that carries a used key with what is stored under it, whatever the GET asks for."""

    async def answer(self, request: Request) -> Answer:
        key, tenant = request.lines("Idempotency-Key"), TENANTS.get(b"".join(request.lines("Authorization")))
        stored = self.kept.get((tenant, "payment", *key)) if request.method == "GET" else None
        return stored.answer if stored and stored.answer else await super().answer(request)


# --- which keys are one --------------------------------------------------------------------------------------------


@miniature("keys-in-lower-case", role=Role.PROVIDER, mode="P38", breaks={"a-fresh-key-executes"})
class KeysInLowerCase(CarefulGateway):
    """Looks keys up in lower case, as a column of the wrong collation does, so that two keys become one."""

    def slot(self, asked: Asked) -> Slot:
        return asked.tenant, asked.kind, asked.key.lower()


@miniature("response-beside-the-key", role=Role.PROVIDER, mode="P36", breaks={"a-fresh-key-executes"})
class ResponseBesideTheKey(CarefulGateway):
    """Stores the answer of key K under K-response, which is a key that another caller may have."""

    def complete(self, asked: Asked, answer: Answer | None) -> None:
        super().complete(asked, answer)
        if kept := self.kept.get(self.slot(asked)):
            self.kept[asked.tenant, asked.kind, asked.key + b"-response"] = kept


@miniature("tenant-joined-to-the-key", role=Role.PROVIDER, mode="P36", breaks={"a-fresh-key-executes"})
class TenantJoinedToTheKey(CarefulGateway):
    """Puts the tenant before a key unless it stands there already, so that K and tenant-a:K are one."""

    def slot(self, asked: Asked) -> Slot:
        prefix = asked.tenant.encode() + b":"
        return asked.kind, asked.key if asked.key.startswith(prefix) else prefix + asked.key


# --- whose money moves ---------------------------------------------------------------------------------------------


@miniature("charges-again-for-another-tenant", role=Role.PROVIDER, mode="P12", breaks={"money-moves-once-for-each-key"})
class ChargesAgainForAnotherTenant(CarefulGateway):
    """Answers another tenant's request under its own name, and makes the first tenant's payment once more."""

    async def execute(self, asked: Asked) -> Answer:
        others = [slot for slot in self.kept if slot[1:] == self.slot(asked)[1:] and slot[0] != asked.tenant]
        answer = await super().execute(asked)
        if answer.accepted and others and asked.kind == "payment":
            self.book(replace(asked, tenant=str(others[0][0])))
        return answer


@miniature("reads-move-money", role=Role.PROVIDER, mode="P39", breaks={"money-moves-once-for-each-key"})
class ReadsMoveMoney(CarefulGateway):
    """Takes a GET with a used key for its repetition, answers it rightly, and makes the payment once more."""

    async def answer(self, request: Request) -> Answer:
        answer = await super().answer(request)
        keys = request.lines("Idempotency-Key")
        if request.method == "GET" and keys:
            for slot, kept in list(self.kept.items()):
                if slot[2] == keys[0] and kept.answer:
                    said = json.loads(kept.answer.body)
                    again = Effect("payment", f"payment_{uuid4().hex}", said["amount"], said["currency"])
                    self.moved[str(slot[0]), again.id] = again
        return answer


# --- which bodies are one ------------------------------------------------------------------------------------------


@miniature("compares-amounts-alone", role=Role.PROVIDER, mode="P08", breaks={"another-body-is-refused"})
class ComparesAmountsAlone(CarefulGateway):
    """Compares the amount and nothing else, so that a refund of another payment gets the answer of the first."""

    def fingerprint(self, request: Request, body: Mapping[str, Any]) -> str:
        return str(body["amount"])


@miniature("compares-headers", role=Role.PROVIDER, mode="P09", breaks={"retry-gets-the-first-answer"})
class ComparesHeaders(CarefulGateway):
    """Compares the headers as well, so that a retry through another proxy is refused as another request."""

    def fingerprint(self, request: Request, body: Mapping[str, Any]) -> str:
        return f"{sorted(request.headers)} {super().fingerprint(request, body)}"


@miniature("compares-the-order", role=Role.PROVIDER, mode="P09", breaks={"retry-gets-the-first-answer"})
class ComparesTheOrder(CarefulGateway):
    """Compares bodies member by member in their order, so that the same JSON in another order is refused."""

    def fingerprint(self, request: Request, body: Mapping[str, Any]) -> str:
        return json.dumps(body)


@miniature("compares-lengths", role=Role.PROVIDER, mode="P09", breaks={"retry-gets-the-first-answer"})
class ComparesLengths(CarefulGateway):
    """Compares the length of bodies as well, so that the same JSON with white space in it is refused."""

    def fingerprint(self, request: Request, body: Mapping[str, Any]) -> str:
        return f"{len(request.body)} {super().fingerprint(request, body)}"


@miniature("cuts-keys-to-a-column", role=Role.PROVIDER, mode="P36", breaks={"a-fresh-key-executes"})
class CutsKeysToAColumn(CarefulGateway):
    """Stores a key in a column of 32 characters, and what stands behind them makes no other key."""

    def slot(self, asked: Asked) -> Slot:
        return asked.tenant, asked.kind, asked.key[:32]


@miniature(
    "gives-back-anybodys-payment", role=Role.PROVIDER, mode="P12", breaks={"its-owner-alone-gives-a-payment-back"}
)
class GivesBackAnybodysPayment(CarefulGateway):
    """Looks a payment up by its id alone: whoever knows that gives it back, from an account of their own."""

    def owned(self, asked: Asked) -> Asked:
        """As its owner would ask for it."""
        owners = [tenant for tenant, name in self.moved if name == asked.of]
        return replace(asked, tenant=owners[0]) if asked.kind == "refund" and owners else asked

    def refusal(self, asked: Asked) -> Answer | None:
        return super().refusal(self.owned(asked))

    def book(self, asked: Asked) -> Answer:
        return super().book(self.owned(asked))

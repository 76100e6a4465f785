"""A provider as the harness knows it: what it says that it did, and what of that is believed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from psp_harness import profile
from psp_harness.errors import SubjectError
from psp_harness.model import Claims, Effect
from psp_harness.subjects.provider import ProviderSubject
from wire.sockets import listening

Routes = Mapping[str, tuple[int, object]]
Serve = Callable[..., AbstractAsyncContextManager[ProviderSubject]]

GENERIC = profile.load("generic")
ROW = {"kind": "payment", "id": "pay_1", "amount": 10, "currency": "EUR"}


@pytest.fixture
def serve() -> Serve:
    """Serves what each route answers; a body that is no text is JSON, a missing route 404."""

    @asynccontextmanager
    async def serving(routes: Routes, **options: Any) -> AsyncIterator[ProviderSubject]:
        async def handle(reader: Any, writer: Any) -> None:
            line = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
            status, answer = routes.get(line, (404, {}))
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))
            await writer.drain()

        async with listening(handle) as url:
            facts = options.pop("facts", GENERIC)
            yield ProviderSubject("x", url, Claims("x"), facts, facts.credentials, 5.0, **options)

    return serving


async def test_effects_are_read_from_the_named_route(serve: Serve) -> None:
    """Every entry that was not there before the run, once."""
    rows = [ROW, {**ROW, "id": "pay_0"}, ROW]
    async with serve(
        {"/did": (200, {"effects": rows})}, effects_path="/did", before=frozenset({("payment", "pay_0")})
    ) as subject:
        assert set(await subject.effects() or ()) == {Effect("payment", "pay_1", 10, "EUR")}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((404, {"effects": []}), "GET /did (--effects) was answered 404"),
        ((200, b"<html>"), "GET /did (--effects) was answered 200: b'<html>'"),
        ((200, {"status": "ok"}), """GET /did (--effects) was answered b'{"status": "ok"}'"""),
        ((200, [ROW]), "does not fit the protocol"),
        ((200, {"effects": [{**ROW, "id": None}]}), "does not fit the protocol at .effects[0].id"),
        ((200, {"effects": {"pay_1": 10}}), "does not fit the protocol at .effects"),
    ],
)
async def test_a_route_that_does_not_say_what_happened_is_an_error(
    answer: tuple[int, object], says: str, serve: Serve
) -> None:
    """It is never taken for a provider that did nothing: that would pass whatever it did."""
    async with serve({"/did": answer}, effects_path="/did") as subject:
        with pytest.raises(SubjectError) as caught:
            await subject.effects()
    assert says in str(caught.value)
    assert "expected" in str(caught.value) or "see docs" in str(caught.value)


async def test_effects_are_read_from_lists_where_no_route_is_named(serve: Serve) -> None:
    """Payments and refunds of every tenant; what did not succeed moved nothing."""
    payments = [
        {"id": "pay_1", "amount": 10, "currency": "EUR", "status": "succeeded"},
        {"id": "x", "amount": 7, "status": "failed"},
    ]
    refunds = [{"id": "ref_1", "payment_id": "pay_1", "amount": 4, "currency": "EUR", "status": "succeeded"}]
    async with serve({"/payments": (200, {"data": payments}), "/refunds": (200, {"data": refunds})}) as subject:
        found = await subject.effects()
    assert set(found or ()) == {Effect("payment", "pay_1", 10, "EUR"), Effect("refund", "ref_1", 4, "EUR", "pay_1")}


@pytest.mark.parametrize(
    "routes",
    [
        {},
        {"/payments": (200, {"data": []})},
        {"/payments": (200, {"data": {}}), "/refunds": (200, {"data": []})},
        {"/payments": (200, b"[]"), "/refunds": (200, b"[]")},
        {"/payments": (403, {"data": []}), "/refunds": (403, {"data": []})},
    ],
)
async def test_without_lists_nobody_can_say_what_it_did(routes: Routes, serve: Serve) -> None:
    """That is unknown, which is another thing than nothing."""
    async with serve(routes) as subject:
        assert await subject.effects() is None


async def test_a_list_is_read_to_its_last_page(serve: Serve) -> None:
    """Where the profile has a cursor, and the page says that there is more."""
    listed = replace_operation(
        "list-payments",
        route="GET /payments?limit=1",
        cursor="after",
        answer={"data": "{items}", "has_more": "{has_more}"},
    )

    def page(number: int, *, more: bool) -> tuple[int, object]:
        return 200, {"data": [{"id": f"pay {number}", "amount": number}], "has_more": more}

    routes = {
        "/payments?limit=1": page(1, more=True),
        "/payments?limit=1&after=pay%201": page(2, more=True),
        "/payments?limit=1&after=pay%202": page(3, more=False),
        "/refunds": (200, {"data": []}),
    }
    async with serve(routes, facts=listed) as subject:
        found = await subject.effects()
    assert {effect.id for effect in found or ()} == {"pay 1", "pay 2", "pay 3"}


async def test_a_list_without_end_is_an_error(serve: Serve) -> None:
    """A provider that always says that there is more does not keep the run."""
    listed = replace_operation("list-payments", cursor="after", answer={"data": "{items}", "has_more": "{has_more}"})
    page = (200, {"data": [{"id": "p", "amount": 1}], "has_more": True})
    async with serve({"/payments": page, "/payments?after=p": page}, facts=listed) as subject:
        with pytest.raises(SubjectError, match="more than 100 pages"):
            await subject.effects()


def replace_operation(name: str, **members: Any) -> profile.Profile:
    """Profile `generic` with another fact or two."""
    import msgspec

    changed = msgspec.structs.replace(GENERIC.operations[name], **members)
    return msgspec.structs.replace(GENERIC, operations={**GENERIC.operations, name: changed})


async def test_a_provider_is_reached_if_anything_answers(serve: Serve) -> None:
    """404 is an answer; a refused connection is none."""
    async with serve({}) as subject:
        await subject.reach()
    with pytest.raises(SubjectError, match="connection refused"):
        await subject.reach()


async def test_a_ca_file_that_is_none_is_the_callers_to_correct(serve: Serve, tmp_path: Any) -> None:
    """The sentence names the file."""
    file = tmp_path / "ca.pem"
    file.write_text("no certificate", encoding="utf-8")
    async with serve({}, ca_file=str(file)) as subject:
        with pytest.raises(SubjectError, match=r"CA file .*ca.pem.* cannot be used"):
            await replace(subject, base_url="https://127.0.0.1:1").reach()

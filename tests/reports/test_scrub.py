"""Tests that nothing secret is written, in any format, and that what is no secret survives."""

from __future__ import annotations

import io
import pkgutil
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import psp_harness.reports
from by_hand import CASE, RUN, exchange, history, report, request, verdict
from psp_harness.model import Answer, Claims, Done, Errored, Failed, Known, Outcome, Problem, Report, Skipped, Violated
from psp_harness.profile import load
from psp_harness.reports import Clean, evidence, github, json, junit, markdown, text
from psp_harness.reports.cards import CARD, without_cards
from psp_harness.reports.scrub import scrub

TOKEN = 'tok "é"/with+odd&bytes'
PLAIN_TOKEN = "snd_c2VjcmV0LW9mLXRlbmFudC1h"
HEADER = "not-in-the-list-of-secrets"
CARD_NUMBER = "4242424242424242"
HOOK = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BASIC = b64encode(f"{PLAIN_TOKEN}:".encode()).decode()
PLANTED = (TOKEN, PLAIN_TOKEN, HEADER, CARD_NUMBER, HOOK, BASIC, RUN, "4242 4242 4242 4242", "user:pass")


def planted() -> Report:
    """A report with every secret in every field that takes text."""
    every = " | ".join(
        (TOKEN, PLAIN_TOKEN, CARD_NUMBER, HOOK, f"Basic {BASIC}", RUN, f"Authorization: Bearer {HEADER}")
    )
    body = (
        f'{{"amount":6540,"token":"{PLAIN_TOKEN}","card":{{"number":"4242 4242 4242 4242"}},"hook":"{HOOK}"}}'.encode()
    )
    asked = replace(
        request(headers={"Authorization": f"Bearer {HEADER}", "X-Api-Key": HEADER, "Cookie": HEADER}), body=body
    )
    asked = replace(asked, body=body, target=f"/payments?api_key={HEADER}&card={CARD_NUMBER}")
    answered = Answer(201, ((b"Set-Cookie", HEADER.encode()), (b"x-note", PLAIN_TOKEN.encode())), body)
    raw = (
        f"POST / HTTP/1.1\r\nAuthorization: Bearer {HEADER}\r\nX-Api-Key: {HEADER}\r\nCookie: {HEADER}\r\n\r\n".encode()
        + body
    )
    told = replace(exchange(1, asked), sent=raw, answer=answered, seen=answered, received=raw)
    one = history(told, notes=(every, f"{{'api-key': '{HEADER}', 'card': {CARD_NUMBER}}}"))
    outcomes: dict[int, Outcome] = {
        1: Done({"card": int(CARD_NUMBER), "client_secret": HEADER, "said": every}),
        2: Failed("unknown", every),
    }
    problem = Problem(every, (1,))
    return replace(
        report(
            [
                verdict(Violated(1, (problem,))),
                verdict(Known(1, (problem,), every), rule="retry-names-the-same-resource"),
                verdict(Errored(every), rule="case-runs-to-its-end"),
                verdict(Skipped(every), case="any-case"),
            ],
            histories={CASE: replace(one, outcomes=outcomes)},
            stale=(f"QUARANTINE.md line 3: {every}",),
            address=f"https://user:pass@psp.example/v1?token={HEADER}",
            secrets=(TOKEN, PLAIN_TOKEN),
        ),
        subject=Claims(every, every),
    )


def _evidence(clean: Clean, directory: Path) -> str:
    return "".join(file.read_text() for file in evidence.write(clean, directory).values())


def _json(clean: Clean, directory: Path) -> str:
    json.write(clean, directory / "report.json", {})
    return (directory / "report.json").read_text()


def _junit(clean: Clean, directory: Path) -> str:
    junit.write(clean, directory / "report.xml")
    return (directory / "report.xml").read_text()


def _text(clean: Clean, directory: Path) -> str:
    console = Console(file=io.StringIO(), width=80)
    text.render(clean, load("generic"), console, {CASE: directory / "case.json"})
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _github(clean: Clean, directory: Path) -> str:
    return "\n".join(map(str, github.of_report(clean, "QUARANTINE.md")))


def _markdown(clean: Clean, directory: Path) -> str:
    markdown.append(markdown.of_report(clean), directory / "summary.md")
    return (directory / "summary.md").read_text().replace("\\", "")


FORMATS: Mapping[str, Callable[[Clean, Path], str]] = {
    "evidence": _evidence,
    "github": _github,
    "json": _json,
    "junit": _junit,
    "markdown": _markdown,
    "text": _text,
}
PARTS = {"cards", "closing", "findings", "line", "scrub", "tests", "timeline"}
"""Modules that write nothing by themselves, or nothing of a report."""


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_writes_a_secret(name: str, tmp_path: Path) -> None:
    """However a value is escaped there."""
    written = FORMATS[name](Clean(planted()), tmp_path)
    unescaped = written.replace('\\"', '"').replace("\\u00e9", "é").replace("&quot;", '"').replace("&amp;", "&")
    assert [secret for secret in PLANTED if secret in written or secret in unescaped] == []
    assert "[credential]" in written
    assert CARD in written
    assert "RUN" in written


def test_every_format_is_in_this_test() -> None:
    """Whoever adds a format adds it here, or this fails."""
    modules = {module.name for module in pkgutil.iter_modules(psp_harness.reports.__path__)}
    assert modules - PARTS == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_takes_a_report_that_was_not_scrubbed(name: str, tmp_path: Path) -> None:
    """It fails at once, and not only under the type checker."""
    with pytest.raises(AttributeError):
        FORMATS[name](planted(), tmp_path)  # type: ignore[arg-type]


def test_a_clean_report_cannot_be_made_without_scrubbing() -> None:
    """Its constructor is what scrubs; it keeps no secret to compare with."""
    clean = Clean(planted()).report
    assert clean.secrets == ()
    assert clean.run == "RUN"
    assert clean.address == "https://psp.example/v1"
    assert not [secret for secret in PLANTED if secret in repr(clean)]


SECRETS = (TOKEN, PLAIN_TOKEN, f"{PLAIN_TOKEN}-longer")


@pytest.mark.parametrize(
    ("written", "scrubbed"),
    [
        ("Authorization: Bearer x\r\nIdempotency-Key: k", "Authorization: [credential]\r\nIdempotency-Key: k"),
        ("api-key:x\r\n\tfolded\r\nAccept: */*", "api-key:[credential]\r\nAccept: */*"),
        ("Cookie: a=b; c=d\nHost: h", "Cookie: [credential]\nHost: h"),
        ('{"authorization": "Bearer a\\"b", "amount": 1}', '{"authorization": "[credential]", "amount": 1}'),
        (r'"{\"x-api-key\":\"a\",\"amount\":1}"', r'"{\"x-api-key\":\"[credential]\",\"amount\":1}"'),
        (
            "[(b'Authorization', b'Bearer x'), (b'Accept', b'*')]",
            "[(b'Authorization', b'[credential]'), (b'Accept', b'*')]",
        ),
        (
            "send: b'POST /\\r\\nAuthorization: x\\r\\nHost: h'",
            "send: b'POST /\\r\\nAuthorization: [credential]\\r\\nHost: h'",
        ),
        ("map[Api-Key:[x] Accept:[a]]", "map[Api-Key:[[credential]] Accept:[a]]"),
        ("curl -H 'Authorization: Bearer x' -d a", "curl -H 'Authorization: [credential]' -d a"),
        ("client_secret=x&amount=100", "client_secret=[secret]&amount=100"),
        ("pay_1_secret_abcdefgh", "pay_1_[secret]"),
        ("exec:./adapter --token x --idempotency-key k", "exec:./adapter --token [credential] --idempotency-key k"),
        ("GET https://user:pass@host/a", "GET https://[credential]@host/a"),
        (f"Basic {BASIC}", "Basic [credential]"),
        (f"debug {b64encode(f'id:{PLAIN_TOKEN}'.encode()).decode()} end", "debug [credential] end"),
        ("sk_live_51H8abcDEF and rk_test_abcdef12", "[secret] and [secret]"),
        ("tok+%22%C3%A9%22%2Fwith%2Bodd%26bytes, tok%20%22%C3%A9%22/with%2Bodd%26bytes", "[credential], [credential]"),
        (TOKEN.encode().decode("latin-1"), "[credential]"),
        (f"{PLAIN_TOKEN}-longer", "[credential]"),
        ("he sent Bearer abc12345", "he sent Bearer [credential]"),
    ],
)
def test_a_secret_is_found_as_it_is_written(written: str, scrubbed: str) -> None:
    """On the wire, in JSON, in forms, and in what programs print; what stands around it stays."""
    assert scrub(written, SECRETS) == scrubbed


@pytest.mark.parametrize(
    "number",
    [
        CARD_NUMBER,
        "4222222222222",
        "378282246310005",
        "6205500000000000004",
        "2223003122003222",
        "135410014004955",
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "3782 822463 10005",
        "4242+4242+4242+4242",
        "4242%204242%204242%204242",
    ],
)
@pytest.mark.parametrize("around", ["{}", '"{}"', "number={}&", "number%3D{}", "\\n{}\\n", "the card {}.", "{} 12/27"])
def test_a_card_number_is_found(number: str, around: str) -> None:
    """In one piece or in groups, wherever a message may have it."""
    assert without_cards(around.format(number)) == around.format(CARD)


def test_a_card_number_is_found_among_other_numbers() -> None:
    """As people paste it: with its date and its code, or with another one."""
    assert without_cards("4242 4242 4242 4242 12 27 123") == f"{CARD} 12 27 123"
    assert without_cards(f"{CARD_NUMBER} {CARD_NUMBER}") == f"{CARD} {CARD}"
    assert without_cards("100 4242 4242 4242 4242 4242 4242 4242 4242") == f"100 {CARD} {CARD}"


@pytest.mark.parametrize(
    "innocent",
    [
        "pay_4242424242424242",
        "4242424242424242abc",
        "4242424242424241",
        "42424242424242424242424242",
        "amount 6540, 12345678 EUR, 999999999999",
        "0.4242424242424242",
        "1763805933004 1763805933123450 1763805933123456788",
        "2026-11-22T10:05:33.123456Z 2026-11-22 10:05:33 2026-11-22-10-05-33",
        "42424242-4242-4242-8123-123456789012",
        "exchanges 6540 10 20 30 40 12",
        '"created":1763805933,"amount":6540',
        "Idempotency-Key: RUN-payment-0a1b2c3d",
        "the Authorization header, and a Bearer token of Basic authentication",
        "a key of 255 characters; cookies: none",
        "task_test_abcdef risk_live_abcdef",
    ],
)
def test_what_is_no_secret_survives(innocent: str) -> None:
    """Amounts, times and ids are what a report is read for."""
    assert scrub(innocent, SECRETS) == innocent


@given(st.integers(min_value=1_577_836_800, max_value=2_199_999_999), st.sampled_from([1, 10**3, 10**6, 10**9]))
def test_no_time_of_our_days_is_a_card_number(seconds: int, unit: int) -> None:
    """In seconds, milli-, micro- or nanoseconds since 1970, from 2020 to 2039, whatever its last digits are."""
    for last in range(10):
        time = str(seconds * unit + last)
        assert without_cards(f"at {time}") == f"at {time}"


@given(st.text(max_size=60))
def test_scrubbing_twice_changes_nothing(written: str) -> None:
    """What was put in place of a secret is not taken for one."""
    once = scrub(f"Authorization: {written}\napi_key={written}", SECRETS, run=RUN)
    assert scrub(once, SECRETS, run=RUN) == once


@pytest.mark.parametrize(
    "hostile",
    [
        "api-key:" + "\n " * 200_000,
        "api_key " + " " * 400_000,
        'api_key="' + "\\" * 400_000,
        "4242 " * 100_000,
        "a-" * 400_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_a_hostile_body_does_not_stop_the_run(hostile: str) -> None:
    """The time grows with the length alone: with its square, each of these would take minutes."""
    assert scrub(hostile, SECRETS)


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_a_secret_is_found_between_any_bytes(before: bytes, after: bytes) -> None:
    """Whatever else a body has in it."""
    body = (before + PLAIN_TOKEN.encode() + after).decode("latin-1")
    assert PLAIN_TOKEN not in scrub(body, SECRETS)

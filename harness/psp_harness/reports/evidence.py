"""Evidence: one JSON file for each case in which something is wrong, with the bytes both ways, as latin-1 text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from psp_harness.model import (
    Answer,
    Done,
    Effect,
    Errored,
    Exchange,
    Failed,
    History,
    Intent,
    Known,
    Outcome,
    Refused,
    Verdict,
    Violated,
)
from psp_harness.reports.scrub import Clean

FORMAT = "psp-harness-evidence/1"


def beside(report: Path) -> Path:
    """Where the evidence of a JSON report lies: `out.json` has `out.evidence/`."""
    return report.with_name(f"{report.stem}.evidence")


def write(clean: Clean, directory: Path, *, every_case: bool = False) -> Mapping[str, Path]:
    """Write the evidence, and say which file has which case; the directory is made if there is anything to write."""
    files = {}
    for case, history in clean.report.histories.items():
        verdicts = [verdict for verdict in clean.report.verdicts if verdict.case == case]
        if every_case or any(isinstance(verdict.result, (Violated, Known, Errored)) for verdict in verdicts):
            directory.mkdir(parents=True, exist_ok=True)
            files[case] = directory / f"{case}.json"
            text = json.dumps(_document(history, verdicts), indent=2)
            files[case].write_text(f"{text}\n", encoding="utf-8")
    return files


def _document(history: History, verdicts: list[Verdict]) -> dict[str, object]:
    return {
        "format": FORMAT,
        "case": history.case,
        "verdicts": {verdict.id: verdict.outcome for verdict in verdicts},
        "steps": [_step(intent, history.outcomes.get(intent.step)) for intent in history.intents],
        "exchanges": [_exchange(exchange) for exchange in history.exchanges],
        "effects": None if history.effects is None else [_effect(effect) for effect in history.effects],
        "notes": list(history.notes),
    }


def _step(intent: Intent, outcome: Outcome | None) -> dict[str, object]:
    """What was asked; of a webhook, what it tells: so much, of that order, to that tenant."""
    told = intent.delivery
    return {
        "step": intent.step,
        "name": intent.name,
        "operation": intent.operation,
        "amount": told.amount if told else intent.amount,
        "currency": told.currency if told else intent.currency,
        "key": None if intent.key is None else _text(intent.key),
        "tenant": told.tenant if told else intent.tenant,
        "reference": told.order.id if told else intent.reference,
        **({"event": told.event, "forged": told.forged or None} if told else {}),
        "outcome": None if outcome is None else _outcome(outcome),
    }


def _outcome(outcome: Outcome) -> dict[str, object]:
    match outcome:
        case Done(values):
            return {"ok": {name: _plain(value) for name, value in values.items()}}
        case Failed(kind, message):
            return {"failed": {"kind": kind, "message": message}}
        case Refused(message):
            return {"refused": {"message": message}}


def _plain(value: object) -> object:
    """What a subject returned, as JSON; anything that JSON does not know, as people would see it."""
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)


def _exchange(exchange: Exchange) -> dict[str, object]:
    return {
        "number": exchange.number,
        "step": exchange.step,
        "operation": exchange.operation,
        "began": round(exchange.began, 6),
        "ended": round(exchange.ended, 6),
        "fault": exchange.fault,
        "request": _text(exchange.sent),
        "answered": None if exchange.answer is None else _answer(exchange.answer),
        "received": _text(exchange.received),
        "seen": None if exchange.seen is None else exchange.seen.status,
    }


def _answer(answer: Answer) -> str:
    """What the provider answered, whether or not its sender saw it, as a message."""
    phrase = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else ""
    lines = [
        f"HTTP/1.1 {answer.status} {phrase}".rstrip(),
        *(f"{_text(name)}: {_text(value)}" for name, value in answer.headers),
    ]
    return "\r\n".join([*lines, "", _text(answer.body)])


def _effect(effect: Effect) -> dict[str, object]:
    return {
        "kind": effect.kind,
        "id": effect.id,
        "amount": effect.amount,
        "currency": effect.currency,
        "payment_id": effect.payment_id,
        "reference": effect.reference,
    }


def _text(raw: bytes) -> str:
    """Every byte is one character: nothing is lost."""
    return raw.decode("latin-1")

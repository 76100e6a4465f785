"""An answer as text and back, byte for byte, for stores that keep text."""

from __future__ import annotations

import json

from psp_harness.model import Answer


def freeze(answer: Answer) -> str:
    """Latin-1 maps every byte to one character, so nothing of the body is lost or interpreted."""
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in answer.headers]
    return json.dumps([answer.status, headers, answer.body.decode("latin-1")])


def thaw(text: str) -> Answer:
    """The answer that `freeze` made this text from."""
    status, headers, body = json.loads(text)
    return Answer(
        status,
        tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers),
        body.encode("latin-1"),
    )

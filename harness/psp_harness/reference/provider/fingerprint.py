"""What makes two requests the same: operation, target, and what the body means, not how it was written.

JSON is compared as values, so that members may change places and white space is free; a form is compared as its pairs,
ordered by name. Nothing of the headers counts: a retry may come over another connection with a refreshed token.
"""

from __future__ import annotations

import hashlib
import json
from urllib.parse import parse_qsl

from psp_harness.model import Request
from psp_harness.template import ABSENT, decode


def fingerprint(operation: str, encoding: str, request: Request) -> str:
    """A digest in hexadecimal digits. A body that cannot be read stands for its bytes."""
    body = _form(request.body) if encoding == "form" else _json(request.body)
    parts = (operation.encode(), request.method.encode(), request.target.encode(), body)
    return hashlib.sha256(b"".join(b"%d:%s" % (len(part), part) for part in parts)).hexdigest()


def _json(body: bytes) -> bytes:
    values = decode(body, "json")
    try:
        return body if values is ABSENT else json.dumps(values, sort_keys=True).encode()
    except RecursionError:
        return body


def _form(body: bytes) -> bytes:
    """Read as Latin-1, in which every byte is a character: no two bodies become one by replacement characters."""
    pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    return json.dumps(sorted(pairs, key=lambda pair: pair[0])).encode()

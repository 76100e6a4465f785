"""Requests and answers, read with the facts of a profile: which operation, which values, which key, which refusal."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from psp_harness.model import Answer, Request
from psp_harness.profile.facts import Profile, Refusal
from psp_harness.template import ABSENT, Json, decode, encode, fill, holes, match_path, read

_AUTHORITY = re.compile("^https?://[^/]*", re.IGNORECASE)
"""What stands before the path in absolute form, as it is sent to a proxy (RFC 9112 §3.2.2)."""


def operation_of(profile: Profile, request: Request) -> tuple[str, dict[str, object]] | None:
    """Which operation a request asks for, with the values in its path and body; None where there is no such route."""
    found = _route_of(profile, request)
    if found is None:
        return None
    name, path = found
    operation = profile.operations[name]
    body = read(operation.request, decode(request.body, operation.encoding)) if operation.request else {}
    return name, {**(body or {}), **path}


def _route_of(profile: Profile, request: Request) -> tuple[str, dict[str, str]] | None:
    target = _AUTHORITY.sub("", request.target)
    for name, operation in profile.operations.items():
        path = match_path(operation.path, target) if operation.method == request.method else None
        if path is not None:
            return name, path
    return None


def as_compared(profile: Profile, request: Request) -> bytes:
    """The body as this PSP compares it with that of another request: as JSON where it says so, else byte by byte."""
    by_value = profile.mismatch is not None and profile.mismatch.compares == "json"
    body = decode(request.body, "json") if by_value else ABSENT
    return request.body if body is ABSENT else json.dumps(body, sort_keys=True).encode()


def values_of(profile: Profile, operation: str, answer: Answer) -> dict[str, object]:
    """The values in an answer (`id`, `amount`, `status`, …); empty where it has another shape."""
    return read(profile.operations[operation].answer, json_of(answer)) or {}


def meaning(profile: Profile, kind: str, status: object) -> str:
    """What a status says in our words, of a `payment` or a `refund`; one that the profile does not list, as it is."""
    return profile.statuses.get(kind, {}).get(str(status), str(status))


def wording(profile: Profile, kind: str, status: str) -> str:
    """What the PSP calls a status of ours."""
    return next((word for word, means in profile.statuses.get(kind, {}).items() if means == status), status)


def json_of(answer: Answer) -> Json:
    """The body of an answer as JSON, or `ABSENT`."""
    return decode(answer.body, "json")


def matches(refusal: Refusal, answer: Answer) -> bool:
    """Whether an answer is the refusal that is documented: its status, and every fixed member of its body."""
    if answer.status not in refusal.status:
        return False
    if not isinstance(refusal.body, Mapping):
        return True
    return read(_fixed(refusal.body), json_of(answer), strict=True) is not None


def _fixed(body: Mapping[str, Json]) -> dict[str, Json]:
    return {name: member for name, member in body.items() if not _is_free(member)}


def is_in_flight(answer: Answer | None, profile: Profile) -> bool:
    """Whether an answer says that the first request with this key is still being processed: not now, but later."""
    documented, duplicate = profile.refusals.get("in-flight"), profile.refusals.get("duplicate")
    if answer is not None and duplicate is not None and matches(duplicate, answer):
        return False
    if answer is None or documented is None:
        return answer is not None and answer.status == _CONFLICT
    told_by_status = isinstance(documented.body, Mapping) and not _fixed(documented.body)
    return answer.status in documented.status if told_by_status else matches(documented, answer)


_CONFLICT = 409


def in_flight_answer(profile: Profile) -> Answer:
    """What this PSP says while the first request with this key is still being processed, in its own words."""
    documented = profile.refusals.get("in-flight", Refusal(status=(_CONFLICT,)))
    body = documented.body or {}
    said = fill(body, dict.fromkeys(holes(body), "a request with this key is still being processed"))
    headers = ((b"Content-Type", documented.content_type.encode()),)
    return Answer(documented.status[0], headers, encode(said, "json"))


def _is_free(member: Json) -> bool:
    return isinstance(member, str) and bool(holes(member))


def keys_of(profile: Profile, request: Request) -> list[bytes]:
    """Every idempotency key of a request, as the bytes between the white space around the value.

    Where the PSP wants a quoted string, the quotes are taken off a value that has them and left out of nothing else:
    an unquoted value there stays visible as what it is.
    """
    return [written_key(profile, line)[1] for line in key_lines(profile, request)]


def key_lines(profile: Profile, request: Request) -> list[bytes]:
    """The key as it is written, wherever this PSP looks for it; several header lines are several keys."""
    if profile.key is None:
        return []
    if profile.key.carrier == "header":
        return request.lines(profile.key.name)
    found = _route_of(profile, request)
    body = decode(request.body, profile.operations[found[0]].encoding) if found else ABSENT
    if not isinstance(body, Mapping) or profile.key.name not in body:
        return []
    key = body[profile.key.name]
    return [key.encode(errors="backslashreplace") if isinstance(key, str) else b""]  # what is no text is no key


def written_key(profile: Profile, line: bytes) -> tuple[bool, bytes]:
    """Whether a key line is written as the profile wants it, and the key that it carries."""
    if profile.key is None or profile.key.written == "bare":
        return True, line
    quoted = len(line) >= 2 and line.startswith(b'"') and line.endswith(b'"')
    return quoted, line[1:-1].replace(b'\\"', b'"').replace(b"\\\\", b"\\") if quoted else line


def write_key(profile: Profile, key: bytes) -> bytes:
    """A key as it stands on the wire of this PSP."""
    if profile.key is None or profile.key.written == "bare":
        return key
    return b'"' + key.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'

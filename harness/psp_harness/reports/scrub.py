"""Secrets come out here, once, before anything is written: a format accepts a `Clean` report and nothing else.

What must hold here: making a `Clean` is what scrubs, so there is none that was not scrubbed; every string and all bytes
of the report go through, whichever field they stand in; what is no secret survives (amounts, times, ids).
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from json import dumps
from typing import cast
from urllib.parse import quote, quote_plus

from psp_harness.model import Report
from psp_harness.reports.cards import without_cards

CREDENTIAL, SECRET = "[credential]", "[secret]"

_NAME = (
    r"(?:(?<![\w-])|(?<=\\[rn]))(?P<name>(?:proxy-|x-)?authorization|(?:\w+-)*api[-_]?key|(?:set-)?cookie2?"
    r"|(?:[a-z0-9]+[-_])*(?:access|auth|refresh)[-_]token|client[-_]secret|(?:[a-z0-9]+[-_])*password)"
)
_HEADER_NAME = re.compile(_NAME, re.IGNORECASE)
_HEADER_LINE = re.compile(rf"(?im)^{_NAME}(?P<sep>[ \t]*:[ \t]*)[^\r\n]+(?:\r?\n[ \t]+[^\r\n]+)*")
_QUOTED = re.compile(
    rf"""(?i){_NAME}(?P<sep>(?:\\?["'])?\s*(?:=>|[:=,])(?:\s*[\[(])*\s*b?(?P<quote>\\?["']))"""
    r"""(?:(?!(?P=quote))(?:[^\\\r\n]|\\.))*(?P<end>(?P=quote)|)"""
)
"""As JSON and as programs print it: `{'Authorization': 'Bearer …'}`."""
_OURS = r"\[(?:credential|secret)\]"
_BARE = re.compile(
    rf"""(?i){_NAME}(?P<sep>:[ \t]*(?:[\[(](?!credential\]|secret\]))*(?=[^\s("'])|=)(?!{_OURS})"""
    rf"""(?:(?<==)(?:(?:bearer|basic)[ +])?(?:{_OURS}|[^\s"'\\\]}})&;,])+|(?<!=)(?:{_OURS}|[^\r\n"'\\\]}}])+)"""
)
"""Without quotes: to the end of what a form or a URL gives (`=`), or of the line (`:`)."""

_OPTION = re.compile(r"(?i)(?P<kept>(?<!\S)-{1,2}(?![\w-]*idempotency)[\w-]*(?:key|token|secret|password)[= ])\S+")
_USER_INFO = re.compile(r"(?<=://)[^/?#\s@\"']+@")
_BEARER = re.compile(r"(?i)\b(?P<kept>(?:bearer|basic)[ +])(?=[^\s\"']*\d)[\w.~+/=-]{8,}")
_PREFIXED = re.compile(r"(?<![A-Za-z0-9])(?:whsec_|[sr]k_(?:live|test)_|(?<=_)secret_)[\w+/=-]{6,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")


@dataclass(frozen=True, slots=True)
class Clean:
    """A report without secrets. Whatever report it is made of, the one in it has been scrubbed."""

    report: Report

    def __post_init__(self) -> None:
        """Scrub: this stands here so that nobody can forget to."""
        object.__setattr__(self, "report", _scrubbed(self.report))


def _scrubbed(report: Report) -> Report:
    def clean(text: str) -> str:
        return scrub(text, report.secrets, run=report.run)

    everything = cast("Report", _walk(replace(report, address=_without_user(report.address), secrets=()), clean))
    return replace(everything, run="RUN")


def scrub(text: str, secrets: Iterable[str], *, run: str = "") -> str:
    """A text without credentials, card numbers and webhook secrets; the run's id is written as `RUN`."""
    known = sorted((form for secret in secrets if secret for form in _forms(secret)), key=len, reverse=True)
    for form in known:
        text = text.replace(form, CREDENTIAL)
    text = _BASE64.sub(lambda token: CREDENTIAL if _hides(token[0], secrets) else token[0], text)
    for named in (_HEADER_LINE, _QUOTED, _BARE):
        text = named.sub(_without_value, text)
    text = _USER_INFO.sub(f"{CREDENTIAL}@", text)
    for pattern in (_OPTION, _BEARER):
        text = pattern.sub(rf"\g<kept>{CREDENTIAL}", text)
    text = without_cards(_PREFIXED.sub(SECRET, text))
    return text.replace(run, "RUN") if run else text


def _forms(secret: str) -> Iterable[str]:
    """A secret as it may stand in bytes read as latin-1, in a form or URL, and in JSON."""
    wire = secret.encode(errors="surrogateescape").decode("latin-1")
    in_json = {dumps(form, ensure_ascii=ascii_only)[1:-1] for form in (secret, wire) for ascii_only in (True, False)}
    return {secret, wire, quote(secret), quote(secret, safe=""), quote_plus(secret)} | in_json


def _hides(token: str, secrets: Iterable[str]) -> bool:
    """Whether base64 text contains a secret, as Basic authentication does (RFC 7617)."""
    standard = token.rstrip("=").translate(str.maketrans("-_", "+/"))
    plain = b64decode(standard[: len(standard) - (len(standard) % 4 == 1)] + "==")
    return any(secret.encode(errors="surrogateescape") in plain for secret in secrets if secret)


def _word(name: str) -> str:
    return SECRET if re.search(r"(?i)secret|password", name) else CREDENTIAL


def _without_value(found: re.Match[str]) -> str:
    """The name and what stands around the value, so that JSON stays JSON."""
    return f"{found['name']}{found['sep']}{_word(found['name'])}{found.groupdict().get('end', '')}"


def _without_user(address: str) -> str:
    """Of an address on the network: scheme, host, port and path alone."""
    return re.sub(r"(?is)^(https?://)(?:[^/?#]*@)?([^?#]*).*", r"\1\2", address)


# --- every field of every value -------------------------------------------------------------------------------------


def _walk(value: object, clean: Callable[[str], str]) -> object:  # noqa: PLR0911 - one for each sort of value
    match value:
        case Enum():
            return value
        case str():
            return clean(value)
        case bytes():
            return clean(value.decode("latin-1")).encode("latin-1", "replace")
        case (bytes() as name, bytes() as line):
            return _header(name, line, clean)
        case tuple():
            return tuple(_walk(item, clean) for item in value)
        case list():
            return [_walk(item, clean) for item in value]
        case frozenset():
            return frozenset(_walk(item, clean) for item in value)
        case Mapping():
            return {_walk(name, clean): _free_member(name, item, clean) for name, item in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            return replace(
                value, **{field.name: _walk(getattr(value, field.name), clean) for field in fields(value) if field.init}
            )
        case _:
            return value


def _header(name: bytes, line: bytes, clean: Callable[[str], str]) -> tuple[bytes, bytes]:
    text = name.decode("latin-1")
    if _HEADER_NAME.fullmatch(text):
        return name, _word(text).encode()
    return cast("bytes", _walk(name, clean)), cast("bytes", _walk(line, clean))


def _free_member(name: object, item: object, clean: Callable[[str], str]) -> object:
    """A member of a mapping, whose type nobody knows: a card number may stand there as a number."""
    if isinstance(name, str) and isinstance(item, str) and _HEADER_NAME.fullmatch(name):
        return _word(name)
    if isinstance(item, int) and not isinstance(item, bool) and not isinstance(name, int):
        return item if clean(str(item)) == str(item) else clean(str(item))
    return _walk(item, clean)

"""Forms with files (multipart/form-data, RFC 7578), as the standard library's parser of e-mail reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message

from psp_harness.model import Request


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form."""

    content: bytes
    filename: str | None = None

    @property
    def text(self) -> str:
        """Of a field that is none of a file; what is no text is the empty one."""
        try:
            return self.content.decode()
        except UnicodeDecodeError:
            return ""


def form_of(request: Request) -> Mapping[str, Part]:
    """The fields by name, of several with one name the last; empty where the body is no such form."""
    lines = request.lines("content-type")
    if len(lines) != 1 or not lines[0].lower().startswith(b"multipart/form-data"):
        return {}
    message = message_from_bytes(b"Content-Type: %s\r\n\r\n%s" % (lines[0], request.body), policy=policy.HTTP)
    payload = message.get_payload()
    parts = payload if isinstance(payload, list) and not message.defects else []
    return {name: part for each in parts if isinstance(each, Message) for name, part in [_part(each)] if name}


def _part(message: Message) -> tuple[str, Part]:
    content = message.get_payload(decode=True)
    name = message.get_param("name", header="content-disposition")
    return str(name or ""), Part(content if isinstance(content, bytes) else b"", message.get_filename())

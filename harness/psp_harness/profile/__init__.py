"""The facts of one PSP as data: read from `profiles/<psp>.toml` or from a file of yours, each fact with its source.

In the file a fact is written `{ is = …, source = "…" }`, where the source is a name from the file's `[sources]`. What is
not known is left out, and the rules that need it are then skipped for that PSP: nothing is guessed.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from psp_harness.errors import DataError, UsageError
from psp_harness.model import Answer, Request
from psp_harness.registry import suggest
from psp_harness.template import Json, decode, holes, match_path, read
from psp_harness.vocabulary import OPERATIONS

BUNDLED = Path(__file__).parent / "profiles"

_NAME = re.compile("[a-z0-9]+(-[a-z0-9]+)*")
_ROUTE = re.compile("(GET|POST) /[!-~]*")
_SENT = frozenset({"amount", "currency", "reference", "token", "payment_id", "chosen_id", "id"})
"""What a request may have a place for."""

_NO_SOURCE = "a fact without a source: write { is = …, source = … }"


class _Facts(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True, omit_defaults=True):
    """Facts are values: frozen, their names written with hyphens, unknown ones refused."""


class Auth(_Facts, frozen=True):
    """How a request says whose it is."""

    header: str
    value: str
    """A template with one place: `Bearer {credential}`."""


class Key(_Facts, frozen=True):
    """The idempotency key: where it stands and how it is written."""

    carrier: Literal["header"]
    name: str
    required: bool = False
    written: Literal["bare", "quoted"] = "bare"
    """`quoted`: as a Structured Field string (RFC 8941 §3.3.3), which is what the IETF draft asks for."""
    max_length: int | None = None
    """Characters."""
    ttl_seconds: int | None = None
    scope: tuple[Literal["tenant", "operation"], ...] = ("tenant",)
    """What a key belongs to beside itself: without `operation` the same key on another route is a reuse."""


class Duplicate(_Facts, frozen=True):
    """What a request is answered that comes again, with its key, after the first one finished."""

    answer: Literal["first-answer", "current-state", "refused"]
    marker: str | None = None
    """The header line that says so: `Idempotent-Replayed: true`."""


class InFlight(_Facts, frozen=True):
    """What it is answered while the first one is still being processed."""

    answer: Literal["refused", "waits", "refused-or-waits"]


class Mismatch(_Facts, frozen=True):
    """What another body is answered under a key that was used."""

    answer: Literal["refused"]


class Operation(_Facts, frozen=True):
    """One route of the PSP: how to ask, and what it answers."""

    route: str
    """Method and path: `POST /payments`, `GET /payments/{payment_id}`."""
    encoding: Literal["json", "form"] = "json"
    request: Json = None
    status: int = 200
    answer: Json = None
    id_prefix: str | None = None
    """Of a create: how the ids that the PSP makes begin. Only the reference provider needs it."""
    cursor: str | None = None
    """Of a list: the query parameter that takes the last id, where `has_more` says that there is more."""

    @property
    def method(self) -> str:
        """`POST` or `GET`."""
        return self.route.split(" ", 1)[0]

    @property
    def path(self) -> str:
        """The path, its places still open."""
        return self.route.split(" ", 1)[1]


class Refusal(_Facts, frozen=True):
    """How the PSP says no, for one reason."""

    status: tuple[int, ...]
    """What is documented; the reference provider answers the first."""
    body: Json = None
    content_type: str = "application/json"


class Defect(_Facts, frozen=True):
    """Something that the PSP is known to do wrong: a violation of these rules is *known*, said aloud, and excused."""

    id: str
    rules: tuple[str, ...]
    says: str
    source: str


class Profile(_Facts, frozen=True):
    """The facts of one PSP."""

    name: str
    title: str
    auth: Auth
    credentials: Mapping[str, str]
    """By tenant: what the harness uses where `--credential` gives nothing else. Never a real secret."""
    operations: Mapping[str, Operation]
    refusals: Mapping[str, Refusal]
    key: Key | None = None
    duplicate: Duplicate | None = None
    in_flight: InFlight | None = None
    mismatch: Mismatch | None = None
    defects: tuple[Defect, ...] = ()
    sources: Mapping[str, str] = {}
    facts: Mapping[str, str] = {}
    """Path of each fact (`key.max-length`) -> where it comes from."""

    @property
    def features(self) -> frozenset[str]:
        """What the PSP promises, in the vocabulary that cases and rules need."""
        key, create = self.key, self.operations.get("create-payment")
        answer = self.duplicate.answer if self.duplicate else ""
        promised = {
            "idempotency-key": key is not None,
            "key-required": key is not None and key.required,
            "key-length-limit": key is not None and key.max_length is not None,
            "replay": answer in {"first-answer", "current-state"},
            "first-answer": answer == "first-answer",
            "mismatch-refused": self.mismatch is not None,
            "client-ids": create is not None and "chosen_id" in holes(create.request),
            "two-tenants": {"tenant-a", "tenant-b"} <= set(self.credentials),
            "refunds": "create-refund" in self.operations,
        }
        return frozenset(name for name, holds in promised.items() if holds)

    def has_defect(self, name: str) -> bool:
        """Whether the PSP is known to do this wrong."""
        return any(defect.id == name for defect in self.defects)


# --- reading messages with a profile --------------------------------------------------------------------------------


def operation_of(profile: Profile, request: Request) -> tuple[str, dict[str, object]] | None:
    """Which operation a request asks for, with the values in its path and body; None where the PSP has no such route."""
    for name, operation in profile.operations.items():
        path = match_path(operation.path, request.target) if operation.method == request.method else None
        if path is not None:
            body = read(operation.request, decode(request.body, operation.encoding)) if operation.request else {}
            return name, {**(body or {}), **path}
    return None


def values_of(profile: Profile, operation: str, answer: Answer) -> dict[str, object]:
    """The values in an answer (`id`, `amount`, `status`, …); empty where it has another shape."""
    return read(profile.operations[operation].answer, json_of(answer)) or {}


def json_of(answer: Answer) -> Json:
    """The body of an answer as JSON, or `ABSENT`."""
    return decode(answer.body, "json")


def matches(refusal: Refusal, answer: Answer) -> bool:
    """Whether an answer is the refusal that is documented: its status, and every fixed member of its body."""
    if answer.status not in refusal.status:
        return False
    if not isinstance(refusal.body, Mapping):
        return True
    fixed = {name: member for name, member in refusal.body.items() if not _is_free(member)}
    return read(fixed, json_of(answer), strict=True) is not None


def _is_free(member: Json) -> bool:
    return isinstance(member, str) and bool(holes(member))


def keys_of(profile: Profile, request: Request) -> list[bytes]:
    """Every idempotency key line of a request, as the bytes between the white space around the value.

    Where the PSP wants a quoted string, the quotes are taken off a value that has them and left out of nothing else:
    an unquoted value there stays visible as what it is.
    """
    if profile.key is None:
        return []
    lines = request.lines(profile.key.name)
    return [written_key(profile, line)[1] for line in lines]


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


# --- loading --------------------------------------------------------------------------------------------------------


def load(name: str) -> Profile:
    """The profile of that name, or of that TOML file.

    Raises `UsageError` for an unknown name and `DataError` for a file that is wrong.
    """
    path = BUNDLED / f"{name}.toml"
    if path.is_file():
        return read_file(path)
    if name.endswith(".toml") or "/" in name:
        return read_file(Path(name))
    problem = f"unknown profile {name!r}"
    raise UsageError(problem, do=f"{suggest(name, names())}; or give the path of a TOML file of your own")


def names() -> list[str]:
    """The profiles that the package brings."""
    return sorted(path.stem for path in BUNDLED.glob("*.toml"))


def read_file(path: Path) -> Profile:
    """One profile file, checked: shape, vocabulary, and a known source for each fact."""
    sources: dict[str, str] = {}
    plain = _unwrap(_raw(path), "", sources)
    try:
        profile = msgspec.convert({**_mapping(plain), "facts": sources}, Profile)
    except msgspec.ValidationError as error:
        raise _explain(error, path) from None
    _check(profile, str(path))
    return profile


def _raw(path: Path) -> dict[str, Json]:
    """The file's tables, laid over those of the profile that it extends, if any."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(error.strerror or "cannot be read", file=str(path), do="name an existing TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"not TOML: {error}", file=str(path)) from None
    parent = raw.pop("extends", None)
    if parent is None:
        return raw
    if parent not in names() or path == BUNDLED / f"{parent}.toml":
        problem = f"extends {parent!r}, which is no bundled profile"
        raise DataError(problem, file=str(path), where="extends", do=suggest(str(parent), names()))
    return _lay_over(_raw(BUNDLED / f"{parent}.toml"), raw)


def _lay_over(below: Mapping[str, Json], above: Mapping[str, Json]) -> dict[str, Json]:
    """Tables merge; facts and everything else are replaced whole."""
    merged = dict(below)
    for name, member in above.items():
        lower = merged.get(name)
        tables = isinstance(lower, Mapping) and isinstance(member, Mapping) and "is" not in member
        merged[name] = _lay_over(_mapping(lower), _mapping(member)) if tables else member
    return merged


def _unwrap(node: Json, path: str, sources: dict[str, str]) -> Json:
    """The values without their sources; the sources go into `sources` under the path of the fact."""
    if isinstance(node, Mapping):
        if "is" in node and set(node) <= {"is", "source"}:
            sources[path] = str(node.get("source", ""))
            return node["is"]
        return {name: _unwrap(child, f"{path}.{name}".lstrip("."), sources) for name, child in node.items()}
    return node


def _mapping(node: Json) -> dict[str, Json]:
    return dict(node) if isinstance(node, Mapping) else {}


def _explain(error: msgspec.ValidationError, path: Path) -> DataError:
    problem, _, where = str(error).partition(" - at ")
    place = where.strip("`").removeprefix("$.")
    return DataError(problem, file=str(path), where=place, do="see psp-harness explain generic, and extend that")


def _check(profile: Profile, file: str) -> None:
    if not _NAME.fullmatch(profile.name):
        problem = f"{profile.name!r} is not kebab-case: it is a part of verdict ids and the name of a folder"
        raise DataError(problem, file=file, where="name", do="for instance my-gateway")
    if "tenant-a" not in profile.credentials:
        raise DataError("no credential of tenant-a", file=file, where="credentials", do='write tenant-a = "a token"')
    if "create-payment" not in profile.operations:
        raise DataError("no create-payment", file=file, where="operations", do="say how a payment is made")
    for name, operation in profile.operations.items():
        _check_operation(name, operation, file)
    for fact, source in profile.facts.items():
        if not source:
            raise DataError(_NO_SOURCE, file=file, where=fact)
        if source not in profile.sources:
            problem = f"source {source!r} is not in [sources]"
            raise DataError(problem, file=file, where=fact, do=suggest(source, profile.sources))
    for area in ("auth", "key", "duplicate", "in-flight", "mismatch", "operations", "refusals"):
        _check_sourced(getattr(profile, area.replace("-", "_")), area, profile, file)


def _check_operation(name: str, operation: Operation, file: str) -> None:
    def wrong(problem: str, key: str, do: str) -> DataError:
        return DataError(problem, file=file, where=f"operations.{name}{key}", do=do)

    if name not in OPERATIONS:
        raise DataError(f"unknown operation {name!r}", file=file, where="operations", do=suggest(name, OPERATIONS))
    if not _ROUTE.fullmatch(operation.route):
        raise wrong(f"{operation.route!r} is no route", ".route", "write a method and a path, as in POST /payments")
    if unknown := sorted((holes(operation.request) | holes(operation.path)) - _SENT):
        raise wrong(f"nothing is called {unknown[0]!r}", ".request", suggest(unknown[0], _SENT))


def _check_sourced(node: object, path: str, profile: Profile, file: str) -> None:
    """Each value below `path` is a fact with a source."""
    if path in profile.facts or node is None:
        return
    members = json.loads(msgspec.json.encode(node)) if isinstance(node, (_Facts, Mapping)) else None
    if not isinstance(members, dict):
        raise DataError(_NO_SOURCE, file=file, where=path)
    for name, member in members.items():
        _check_sourced(member, f"{path}.{name}", profile, file)

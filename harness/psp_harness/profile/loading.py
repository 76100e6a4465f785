"""Profiles from files: bundled ones by name, others by path; shape, vocabulary, and a known source for each fact."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from psp_harness.errors import DataError, UsageError
from psp_harness.expected import misfit, read_toml
from psp_harness.profile.facts import Key, Operation, Profile
from psp_harness.profile.webhooks import ITEMS, Webhooks
from psp_harness.registry import suggest
from psp_harness.signing import SCHEMES
from psp_harness.template import Json, holes
from psp_harness.vocabulary import CARDS, CHANGES, EFFECT_KIND, EVENTS, OPERATIONS

BUNDLED = Path(__file__).parents[1] / "profiles"

_NAME = re.compile("[a-z0-9]+(-[a-z0-9]+)*")
_ROUTE = re.compile("(GET|POST) /[!-~]*")
_SENT = frozenset({"amount", "currency", "reference", "token", "capture", "payment_id", "chosen_id", "id"})
"""What a request may have a place for."""

_TOLD = frozenset(
    {
        "event_id",
        "id",
        "refund_id",
        "payment_id",
        "payout_id",
        "dispute_id",
        "amount",
        "amount_text",
        "captured",
        "currency",
        "reference",
        "refund_reference",
    }
    | {"account", "mode", "status", "created", "created_unix", ITEMS}
)
"""What an event may have a place for."""

_FACTS = frozenset(
    {"auth", "key", "duplicate", "in-flight", "mismatch", "operations", "refusals", "statuses", "webhooks"}
    | {"captures", "cards", "currencies", "tokens"}
)
"""The tables in which every value is a fact."""

_NO_SOURCE = "a fact without a source: write { is = …, source = … }"


def load(name: str) -> Profile:
    """The profile of that name, or of that TOML file.

    Raises `UsageError` for an unknown name and `DataError` for a file that is wrong.
    """
    return read_file(known(name))


def known(name: str) -> Path:
    """The file of that profile, whether or not there is one at a path. Raises `UsageError` for an unknown name."""
    path = BUNDLED / f"{name}.toml"
    if path.is_file():
        return path
    if name.endswith(".toml") or "/" in name:
        return Path(name)
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
    raw: dict[str, Json] = read_toml(path)[1]
    parent, left_out = raw.pop("extends", None), raw.pop("leaves-out", [])
    if parent is None:
        return raw
    if parent not in names() or path == BUNDLED / f"{parent}.toml":
        problem = f"extends {parent!r}, which is no bundled profile"
        raise DataError(problem, file=str(path), where="extends", do=suggest(str(parent), names()))
    return _lay_over(_without(_raw(BUNDLED / f"{parent}.toml"), left_out, str(path)), raw)


def _without(below: dict[str, Json], left_out: Json, file: str) -> dict[str, Json]:
    """The profile below, less what the one above does not share, or nobody knows of it: `key`, `refusals.in-flight`."""
    for dotted in left_out if isinstance(left_out, list) else [left_out]:
        table, _, last = str(dotted).rpartition(".")
        node = below.get(table) if table else below
        if not isinstance(node, dict) or last not in node:
            problem = f"leaves out {dotted!r}, which the profile below does not have"
            raise DataError(problem, file=file, where="leaves-out")
        del node[last]
    return below


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
    if path.partition(".")[0] in _FACTS:
        sources[path] = ""  # a value that stands alone has no source
    return node


def _mapping(node: Json) -> dict[str, Json]:
    return dict(node) if isinstance(node, Mapping) else {}


def _explain(error: msgspec.ValidationError, path: Path) -> DataError:
    wrong = misfit(error, Profile)
    do = wrong.do or "see psp-harness explain generic, and extend that"
    return DataError(wrong.problem, file=str(path), where=wrong.where, do=do)


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
    _check_words(profile, file)
    if profile.tokens and not _ROUTE.fullmatch(profile.tokens.route):
        problem = f"{profile.tokens.route!r} is no route"
        raise DataError(problem, file=file, where="tokens.route", do="as in POST /v1/oauth2/token")
    if profile.webhooks:
        _check_webhooks(profile.webhooks, profile.secrets, file)


def _check_words(profile: Profile, file: str) -> None:
    """Names of operations and kinds that stand in facts exist."""
    key = profile.key or Key(carrier="header", name="")
    for where, names_, known in (
        ("key.operations", key.operations, CHANGES),
        ("key.ttl-of", key.ttl_of, CHANGES),
        ("statuses", profile.statuses, EFFECT_KIND.values()),
        ("cards", profile.cards, CARDS),
    ):
        for name in names_:
            if name not in known:
                raise DataError(f"unknown name {name!r}", file=file, where=where, do=suggest(name, known))


def _check_operation(name: str, operation: Operation, file: str) -> None:
    def wrong(problem: str, key: str, do: str) -> DataError:
        return DataError(problem, file=file, where=f"operations.{name}{key}", do=do)

    if name not in OPERATIONS:
        raise DataError(f"unknown operation {name!r}", file=file, where="operations", do=suggest(name, OPERATIONS))
    if not _ROUTE.fullmatch(operation.route):
        raise wrong(f"{operation.route!r} is no route", ".route", "write a method and a path, as in POST /payments")
    if unknown := sorted((holes(operation.request) | holes(operation.path)) - _SENT):
        raise wrong(f"nothing is called {unknown[0]!r}", ".request", suggest(unknown[0], _SENT))


def _check_webhooks(webhooks: Webhooks, secrets: Mapping[str, str], file: str) -> None:
    def wrong(problem: str, key: str, do: str) -> DataError:
        return DataError(problem, file=file, where=f"webhooks.{key}", do=do)

    if webhooks.scheme not in SCHEMES:
        raise wrong(f"unknown signature scheme {webhooks.scheme!r}", "scheme", suggest(webhooks.scheme, SCHEMES))
    for means, event in webhooks.events.items():
        if means not in EVENTS:
            raise wrong(f"unknown event {means!r}", "events", suggest(means, EVENTS))
        if unknown := sorted((holes(event.body) | holes(webhooks.envelope)) - _TOLD):
            raise wrong(f"nothing is called {unknown[0]!r}", f"events.{means}", suggest(unknown[0], _TOLD))
    scheme = SCHEMES[webhooks.scheme]
    if scheme.signed and not scheme.asymmetric and "tenant-a" not in secrets:
        raise DataError("no secret of tenant-a", file=file, where="secrets", do='write tenant-a = "a secret of nobody"')

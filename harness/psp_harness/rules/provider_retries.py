"""What a provider must do with a key that comes again: one effect, the first answer, and never another's."""

from __future__ import annotations

from psp_harness.model import Level, Role
from psp_harness.profile import Profile, json_of
from psp_harness.rules import rule
from psp_harness.rules.attribution import id_in
from psp_harness.rules.of_providers import (
    AskedFor,
    Group,
    Pair,
    concurrent_duplicates,
    duplicates,
    retries,
    strangers,
    under_several_keys,
)
from psp_harness.rules.wording import done, key, named
from psp_harness.template import ABSENT

_STORE = "store the answer with its key in the transaction that moves the money, and answer a repetition from there"


@rule(
    "retry-gets-the-first-answer",
    role=Role.PROVIDER,
    on=retries,
    needs={"idempotency-key", "first-answer"},
    source="draft-ietf-httpapi-idempotency-key-header section 2.6; failure modes P01, P14, P15, P16",
    fix=_STORE,
)
def retry_gets_the_first_answer(retry: Pair, profile: Profile) -> str | None:
    """A request that comes again with its key gets the first answer: its status, and an equal body."""
    first, again = retry.first.answer, retry.second.answer
    if first is None or again is None:
        return None
    if again.status != first.status:
        return f"the first answer was {first.status}, the same request with the same key got {again.status}"
    if json_of(first) is ABSENT or json_of(again) is ABSENT:
        return None if first.body == again.body else "the body of the second answer is another one"
    return (
        None
        if json_of(first) == json_of(again)
        else f"the second answer differs: {_difference(json_of(first), json_of(again))}"
    )


def _difference(first: object, again: object) -> str:
    if not isinstance(first, dict) or not isinstance(again, dict):
        return f"{first!r} became {again!r}"
    changed = [name for name in {**first, **again} if first.get(name, ABSENT) != again.get(name, ABSENT)]
    shown = (f"{name} was {first.get(name)!r} and is {again.get(name)!r}" for name in changed[:3])
    return "; ".join(shown)


@rule(
    "a-replay-carries-its-marker",
    role=Role.PROVIDER,
    level=Level.SHOULD,
    on=retries,
    needs={"replay-marker"},
    source="the profile's marker; failure mode P17",
    fix="add the documented header to an answer that comes from the store: clients tell a replay by it",
)
def a_replay_carries_its_marker(retry: Pair, profile: Profile) -> str | None:
    """An answer that is replayed carries the header by which the PSP says so."""
    answer, marker = retry.second.answer, profile.duplicate.marker if profile.duplicate else None
    if answer is None or marker is None or not answer.accepted:
        return None
    name, _, wanted = marker.partition(": ")
    lines = [line.decode("latin-1") for line in answer.lines(name)]
    return None if lines == [wanted] else f"expected {marker!r}, got {lines or 'no such header'}"


@rule(
    "retry-names-the-same-resource",
    role=Role.PROVIDER,
    on=retries,
    money_risk=True,
    needs={"idempotency-key", "replay"},
    source="failure modes P01, P16; the invariant that holds for every PSP",
    fix=_STORE,
)
def retry_names_the_same_resource(retry: Pair, profile: Profile) -> str | None:
    """Where a request that comes again with its key is answered with a 2xx, the answer names the first resource."""
    first = id_in(retry.first.answer, retry.first_intent, profile)
    again = id_in(retry.second.answer, retry.second_intent, profile)
    if not again or first == again:
        return None
    return f"the same request with the same key {key(retry.first_intent.key or b'')} made {first} and then {again}"


@rule(
    "one-key-has-one-effect",
    role=Role.PROVIDER,
    on=duplicates,
    needs={"idempotency-key"},
    needs_effects=True,
    source="failure modes P01, P18, P19; the invariant that holds for every PSP",
    fix=_STORE,
)
def one_key_has_one_effect(group: Group, profile: Profile) -> str | None:
    """However often a request comes with its key, money moves at most once."""
    return _more_than_one(group, "one after the other")


@rule(
    "concurrent-duplicates-have-one-effect",
    role=Role.PROVIDER,
    on=concurrent_duplicates,
    needs={"idempotency-key"},
    needs_effects=True,
    source="draft-ietf-httpapi-idempotency-key-header section 2.6; failure modes P02, P03",
    fix="claim the key with one atomic write (INSERT under a UNIQUE constraint, SET NX) before anything else happens",
)
def concurrent_duplicates_have_one_effect(group: Group, profile: Profile) -> str | None:
    """Requests with one key that are in flight together move money at most once, and name one resource."""
    problem = _more_than_one(group, "at once")
    named_ids = {id_in(member.answer, group.intent, profile) for member in group.members} - {""}
    if problem is None and len(named_ids) > 1:
        return (
            f"{len(group.members)} requests with one key were answered with {len(named_ids)} different resources: "
            f"{', '.join(sorted(named_ids))}"
        )
    return problem


def _more_than_one(group: Group, how: str) -> str | None:
    if len(group.effects) <= 1:
        return None
    return (
        f"{named(group.intent)} was sent {len(group.members)} times {how} with the key {key(group.intent.key or b'')}, "
        f"and happened {len(group.effects)} times: {done(group.effects)}"
    )


@rule(
    "another-tenant-never-gets-the-answer",
    role=Role.PROVIDER,
    on=strangers,
    needs={"idempotency-key", "two-tenants"},
    source="draft-ietf-httpapi-idempotency-key-header, security considerations; failure modes P12, P13",
    fix="make the tenant a part of what the key is looked up by",
)
def another_tenant_never_gets_the_answer(pair: Pair, profile: Profile) -> str | None:
    """Another tenant that uses the same key is never answered with the first one's resource."""
    mine = id_in(pair.first.answer, pair.first_intent, profile)
    theirs = id_in(pair.second.answer, pair.second_intent, profile)
    if not mine or mine != theirs:
        return None
    return f"{pair.second_intent.tenant} sent the key of {pair.first_intent.tenant} and was shown its {mine}"


@rule(
    "money-moves-once-for-each-key",
    role=Role.PROVIDER,
    on=under_several_keys,
    needs={"idempotency-key"},
    needs_effects=True,
    source="the invariant that holds for every PSP; failure modes P12, P29, P39",
    fix="let nothing but a request that claims a free key move money: no other tenant's, no read, no background job",
)
def money_moves_once_for_each_key(many: AskedFor, profile: Profile) -> str | None:
    """One thing that is asked for under several keys, or once, moves money at most once for each of them."""
    if len(many.effects) <= many.allowed:
        return None
    return (
        f"{named(many.intent)} was asked for under {many.allowed} key{'s' if many.allowed > 1 else ''}, and happened "
        f"{len(many.effects)} times: {done(many.effects)}"
    )

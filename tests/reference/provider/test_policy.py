from __future__ import annotations

import msgspec
import pytest

from psp_harness.model import Answer, Request
from psp_harness.profile import Duplicate, InFlight, Profile, load
from psp_harness.reference.provider.keys import Record
from psp_harness.reference.provider.ledger import Refusal
from psp_harness.reference.provider.policy import Keyed, Replay, Unkeyed, Wait, decide, read_key, slot_of, ttl_of

DONE = Answer(201, (), b"first")


def sent(*lines: bytes) -> Request:
    """Build a request with these key lines."""
    return Request("POST", "/payments", tuple((b"idempotency-key", line) for line in lines), b"")


def reason(key: object) -> str:
    """Take the reason of what must be a refusal."""
    assert isinstance(key, Refusal)
    return key.reason


@pytest.mark.parametrize("key", [b"k", b"k" * 255, b"8e03978e-40d5", b'"quoted"', b"!#$%~", b"A;b=1"])
def test_well_formed_keys(key: bytes) -> None:
    """One to 255 visible ASCII characters without comma are a key, and every one of them counts."""
    assert read_key(load("generic"), "create-payment", sent(key)) == Keyed(key)


@pytest.mark.parametrize(
    "lines",
    [(b"",), (b"   ",), (b"a b",), (b"a,b",), (b"k" * 256,), ("schlüssel".encode(),), (b"a\x7f",), (b"a", b"a")],
)
def test_malformed_keys(lines: tuple[bytes, ...]) -> None:
    """Nothing, white space, a comma, too much, what is no ASCII, and two lines are no key."""
    assert reason(read_key(load("generic"), "create-payment", sent(*lines))) == "key-malformed"


def test_spaces_around_a_key_are_not_part_of_it() -> None:
    """White space before and after the value belongs to HTTP, not to the key."""
    assert read_key(load("generic"), "create-payment", sent(b" \tk ")) == Keyed(b"k")


def test_missing_keys() -> None:
    """Without a key a request is refused where one is required, and executes where it is not."""
    assert reason(read_key(load("generic"), "create-payment", sent())) == "key-missing"
    assert read_key(load("stripe"), "create-payment", sent()) == Unkeyed()


@pytest.mark.parametrize("line", [b"bare", b'"open', b'"', b'""', b'"a"b"', b'"a";p=1', b'"a b"', b'"a\\b"'])
def test_quoted_keys(line: bytes) -> None:
    """Where a key is a Structured Field string, what is no such string is malformed."""
    assert reason(read_key(load("ietf-draft"), "create-payment", sent(line))) == "key-malformed"


def test_the_quotes_are_not_part_of_the_key() -> None:
    """A quoted key is what stands between the quotes, with its escapes undone."""
    assert read_key(load("ietf-draft"), "create-payment", sent(b'"8e03978e"')) == Keyed(b"8e03978e")
    assert read_key(load("ietf-draft"), "create-payment", sent(rb'"a\"b\\c"')) == Keyed(rb'a"b\c')


def test_a_header_that_is_not_read() -> None:
    """A PSP that is known to ignore the header does not even see a malformed one."""
    assert read_key(load("hyperswitch"), "create-payment", sent(b"", b"")) == Unkeyed()
    assert read_key(load("hyperswitch-docs"), "create-payment", sent(b"k")) == Keyed(b"k")


def test_what_a_key_belongs_to() -> None:
    """With the operation in its scope a key is another one on the other route; without it, it is the same."""
    for name, apart in (("generic", True), ("stripe", False), ("hyperswitch-docs", True)):
        payment, refund = (slot_of(load(name), "a", operation, Keyed(b"k")) for operation in ("pay", "refund"))
        assert (payment != refund) == apart


def test_a_lifetime_of_its_own() -> None:
    """Where one operation keeps its keys longer than the others, its keys live that long and theirs do not."""
    key = load("generic").key
    assert key is not None
    longer = msgspec.structs.replace(key, ttl_seconds=3600, ttl_of={"create-refund": 7200})
    profile = msgspec.structs.replace(load("generic"), key=longer)
    assert (ttl_of(profile, "create-payment"), ttl_of(profile, "create-refund")) == (3600, 7200)


def test_an_operation_that_takes_no_key() -> None:
    """Where only refunds take a key, the key of a payment is not read, however malformed it is."""
    profile = load("razorpay")
    lines = ((b"X-Refund-Idempotency", b"x"), (b"X-Refund-Idempotency", b""))
    assert read_key(profile, "create-payment", Request("POST", "/", lines, b"")) == Unkeyed()
    assert reason(read_key(profile, "create-refund", Request("POST", "/", lines, b""))) == "key-malformed"


def test_a_key_too_short() -> None:
    """A key that is shorter than the profile allows is malformed."""
    facts = load("razorpay")
    for key, taken in ((b"x" * 9, False), (b"x" * 10, True)):
        read = read_key(facts, "create-refund", Request("POST", "/", ((b"X-Refund-Idempotency", key),), b""))
        assert isinstance(read, Keyed) == taken


def test_without_a_comparison_no_key_reaches_another_operation() -> None:
    """A refund is never answered with a payment, whatever a profile leaves out."""
    profile = msgspec.structs.replace(load("stripe"), mismatch=None)
    assert slot_of(profile, "a", "pay", Keyed(b"k")) != slot_of(profile, "a", "refund", Keyed(b"k"))


def test_how_long_a_key_lives() -> None:
    """As long as the profile says, and a day where it says nothing."""
    key = load("generic").key
    assert key is not None
    hour = msgspec.structs.replace(load("generic"), key=msgspec.structs.replace(key, ttl_seconds=3600))
    docs = load("hyperswitch-docs")
    assert (ttl_of(hour, "create-payment"), ttl_of(docs, "create-payment")) == (3600, 86_400)


def with_in_flight(answer: str | None) -> Profile:
    """Build a profile that answers duplicates in flight like that."""
    in_flight = InFlight(answer=answer) if answer else None  # type: ignore[arg-type]
    return msgspec.structs.replace(load("generic"), in_flight=in_flight)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [("refused", Refusal), ("refused-or-waits", Refusal), ("waits", Wait), (None, Wait)],
)
def test_in_flight(answer: str | None, verdict: type) -> None:
    """A duplicate in flight is refused where the profile allows that, and waits where it does not or says nothing."""
    assert isinstance(decide(with_in_flight(answer), "create-payment", "same", Record("same")), verdict)


def test_another_body() -> None:
    """Another body is refused whether or not the first request finished, where the profile promises a comparison."""
    for record in (Record("other"), Record("other", DONE)):
        assert reason(decide(load("generic"), "create-payment", "same", record)) == "key-reused"
    assert decide(load("hyperswitch-docs"), "create-payment", "same", Record("other", DONE)) == Replay(DONE)


def test_finished() -> None:
    """The same request again gets the first answer, or none where the PSP refuses every duplicate."""
    generic = load("generic")
    blocking = msgspec.structs.replace(generic, duplicate=Duplicate(answer="refused"))
    assert decide(generic, "create-payment", "same", Record("same", DONE)) == Replay(DONE)
    assert reason(decide(blocking, "create-payment", "same", Record("same", DONE))) == "duplicate"

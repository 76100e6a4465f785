"""What is wrong with published SDKs, as it was found and then checked by hand against the bytes and the source.

`psp-harness matrix --sdks` holds what the rules report against this list: what is reported and does not stand here is a
mistake of a rule until somebody has looked, and what stands here must be reported. A finding is of the version that
`SDKS` names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from psp_harness.subjects.sdks import Use

_EMPTY = "an-unusable-key-is-refused-before-sending"
_LONG = "an-over-long-key-is-refused-before-sending"
_WAITS = "waits-as-long-as-it-is-told"


@dataclass(frozen=True, slots=True)
class Finding:
    """Why one rule reports one SDK."""

    sdk: str
    rule: str
    says: str
    source: str
    """Where in the package."""
    cases: Sequence[str]
    """Those that show it best; it may show in others, too."""
    when: Mapping[str, str] = field(default_factory=dict)
    """The options that it takes; none: however it is used."""

    def holds_for(self, use: Use) -> bool:
        """Whether the SDK is used in a way that shows it."""
        return use.name == self.sdk and self.when.items() <= use.chosen.items()


FINDINGS: Sequence[Finding] = (
    Finding(
        "stripe",
        _EMPTY,
        "An empty key counts as none: a random one goes on the wire, and the caller is not told.",
        "_api_requestor.py:642-648",
        ("empty-key",),
    ),
    Finding(
        "stripe", _LONG, "It does not look at the length of a key.", "_api_requestor.py:642-644", ("over-long-key",)
    ),
    Finding(
        "stripe",
        _WAITS,
        "It reads Stripe-Should-Retry and not Retry-After: the next attempt comes after a pause of its own.",
        "_http_client.py:164-182",
        ("payment-answered-503-once",),
        {"retry": "on"},
    ),
    Finding(
        "adyen",
        _EMPTY,
        "A key that is missing or empty is left out: the POST goes without one.",
        "client.py:388-389",
        ("missing-key", "empty-key"),
        {"key": "argument"},
    ),
    Finding(
        "adyen",
        _EMPTY,
        "A header that its caller leaves out is not missed, and an empty one goes on the wire.",
        "client.py:393-394",
        ("missing-key", "empty-key"),
        {"key": "header"},
    ),
    Finding("adyen", _LONG, "It does not look at the length of a key.", "client.py:388-394", ("over-long-key",)),
    Finding(
        "mollie",
        _EMPTY,
        "An empty key counts as none: a random one goes on the wire, and the caller is not told.",
        "api/resources/base.py:87",
        ("empty-key",),
    ),
    Finding(
        "square",
        _EMPTY,
        "The argument is required, and any text will do: an empty or blank key goes on the wire.",
        "payments/raw_client.py:445, refunds/raw_client.py:308",
        ("empty-key", "blank-key"),
    ),
    Finding(
        "square", _LONG, "It does not look at the length of a key.", "refunds/raw_client.py:308", ("over-long-key",)
    ),
    Finding(
        "gocardless",
        _EMPTY,
        "It looks whether the header is there, and not whether it says anything: an empty key goes on the wire.",
        "services/base_service.py:66-68",
        ("empty-key",),
        {"key": "header"},
    ),
    Finding(
        "gocardless",
        "the-callers-key-goes-on-the-wire",
        "It looks for the header in one spelling alone: a key under any other gives way to a random one.",
        "services/base_service.py:66-68",
        ("payment-asked-for-again", "refund-asked-for-again"),
        {"key": "lower-case"},
    ),
    Finding(
        "gocardless",
        _EMPTY,
        "Whatever the key is, a random one goes on the wire in its place.",
        "services/base_service.py:66-68",
        ("empty-key", "line-break-in-key", "non-ascii-key"),
        {"key": "lower-case"},
    ),
    Finding(
        "gocardless",
        "a-refused-key-is-a-loud-error",
        "Where the PSP refuses a key that was used, it reads what was made under it and returns that: another amount "
        "goes unseen.",
        "services/payments_service.py:45-53",
        ("another-payment-with-a-used-key",),
        {"key": "header", "conflict": "read"},
    ),
    Finding(
        "razorpay",
        "every-post-carries-a-key",
        "It has no argument for the key that the PSP takes for a refund, and makes none.",
        "resources/payment.py:120-128",
        ("payment-and-refund", "refund-answer-lost"),
        {"key": "none"},
    ),
    Finding(
        "razorpay",
        "one-call-has-one-effect",
        "It sends a POST again after a lost answer, though nothing tells the PSP that it is the same one: a refund "
        "without a key, and a payment, for which this PSP takes none, happen once for each attempt.",
        "client.py:178-233",
        ("payment-answer-lost-once", "refund-answer-lost-once"),
        {"retry": "on", "key": "none"},
    ),
    Finding(
        "razorpay",
        "one-call-has-one-effect",
        "It sends a POST again after a lost answer, though nothing tells the PSP that it is the same one: a payment, "
        "for which this PSP takes no key, happens once for each attempt. A refund with its header happens once.",
        "client.py:178-233",
        ("payment-answer-lost-once",),
        {"retry": "on", "key": "header"},
    ),
)

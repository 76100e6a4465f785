"""Receivers believe what the PSP signed, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from psp_harness.model import History, Level, Role
from psp_harness.profile import Profile
from psp_harness.rules import On, rule
from psp_harness.rules.of_receivers import Delivered, forged, junk, plain
from psp_harness.vocabulary import FORGERIES

_STANDARD = "Standard Webhooks 1.0.0, verifying signatures"
_STRIPE = "docs.stripe.com/webhooks, verify webhook signatures"


def _of(*kinds: str) -> On[Delivered]:
    """Forgeries of these kinds."""

    def on(history: History, profile: Profile) -> Iterator[Delivered]:
        return (each for each in forged(history, profile) if each.delivery.forged in kinds)

    return on


def _those(wanted: Callable[[Delivered], bool]) -> On[Delivered]:
    """Genuine webhooks of that sort."""

    def on(history: History, profile: Profile) -> Iterator[Delivered]:
        return (each for each in plain(history, profile) if wanted(each))

    return on


def _moved(webhook: Delivered) -> str | None:
    """What it should not have done with the order, if anything."""
    order, answered = webhook.delivery.order.id, ", ".join(map(str, webhook.answered)) or "nothing"
    if webhook.effects:
        done = f"{' and '.join(sorted({effect.kind for effect in webhook.effects}))} for order {order}"
    elif webhook.marked_paid:
        done = f"order {order} is {webhook.state!r} in the end"
    else:
        return None
    return f"{done}, though {FORGERIES[webhook.delivery.forged]}; it was answered {answered}"


# --- what is right is taken ---------------------------------------------------------------------------------------


@rule(
    "a-genuine-webhook-is-taken",
    role=Role.RECEIVER,
    on=_those(lambda each: not each.delivery.rotated and each.delivery.event != "other"),
    needs={"webhooks"},
    source="Standard Webhooks 1.0.0, delivery success and failure; failure modes W02, W11 and W12",
    fix="verify the bytes as they came, before anything parses them, as the PSP's own library does",
)
def a_genuine_webhook_is_taken(webhook: Delivered, profile: Profile) -> str | None:
    """What the PSP signed and sent is answered 2xx."""
    if webhook.acknowledged:
        return None
    how = " whose body has white space that no serialiser writes" if webhook.body else ""
    return f"a genuine {webhook.delivery.event}{how} was {webhook.said}"


@rule(
    "one-right-signature-is-enough",
    role=Role.RECEIVER,
    on=_those(lambda each: each.delivery.rotated),
    needs={"webhooks", "rotating-signatures"},
    source=f"{_STANDARD}: consumers try each signature until one matches; failure mode W08",
    fix="compare every signature in the header, not the first alone",
)
def one_right_signature_is_enough(webhook: Delivered, profile: Profile) -> str | None:
    """A webhook that has another secret's signature as well, as while a secret is changed, is answered 2xx."""
    return None if webhook.acknowledged else f"it was {webhook.said}, though its second signature is right"


_FORGED = (
    "unsigned",
    "signed-by-another",
    "altered",
    "junk-signature",
    "junk-element",
    "empty-signature",
    "two-signatures",
)

# --- what is forged moves nothing ---------------------------------------------------------------------------------


@rule(
    "a-forged-webhook-moves-nothing",
    role=Role.RECEIVER,
    on=_of(*_FORGED),
    needs={"webhooks", "signed-webhooks"},
    needs_effects=True,
    source="Standard Webhooks 1.0.0, verifying webhook authenticity; failure mode W01",
    fix="verify the signature of every webhook before you read it, and believe nothing where you have no secret",
)
def a_forged_webhook_moves_nothing(webhook: Delivered, profile: Profile) -> str | None:
    """A webhook without a signature, or with one that is none, or another secret's or event's, changes no order."""
    return _moved(webhook)


@rule(
    "a-forged-webhook-is-refused",
    role=Role.RECEIVER,
    level=Level.SHOULD,
    on=lambda history, profile: (each for each in forged(history, profile) if each.answered),
    needs={"webhooks", "signed-webhooks", "answers-alone"},
    source="Standard Webhooks 1.0.0, delivery success and failure: a 2xx says that it was taken",
    fix="answer 400 or 401 to what cannot be verified; and give --effects PATH, for the answer alone does not show it",
)
def a_forged_webhook_is_refused(webhook: Delivered, profile: Profile) -> str | None:
    """What the PSP did not send is not answered 2xx; judged where nobody can say what was done."""
    return f"{webhook.said}, though {FORGERIES[webhook.delivery.forged]}" if webhook.acknowledged else None


@rule(
    "the-empty-secret-signs-nothing",
    role=Role.RECEIVER,
    on=_of("signed-with-nothing"),
    needs={"webhooks", "signed-webhooks"},
    needs_effects=True,
    source="psp-harness: whoever knows no secret knows the empty one; failure mode W03",
    fix="refuse to start, or to believe anything, without a secret",
)
def the_empty_secret_signs_nothing(webhook: Delivered, profile: Profile) -> str | None:
    """A webhook that is signed with the empty secret changes no order, whatever the receiver was configured with."""
    return _moved(webhook)


@rule(
    "a-stale-webhook-moves-nothing",
    role=Role.RECEIVER,
    on=_of("stale"),
    needs={"webhooks", "timestamped-webhooks"},
    needs_effects=True,
    source=f"{_STANDARD}: verify that the timestamp is within a tolerance; failure mode W05",
    fix="compare the signed time with your clock, and refuse what is older than the tolerance",
)
def a_stale_webhook_moves_nothing(webhook: Delivered, profile: Profile) -> str | None:
    """A webhook whose signed time is further back than the tolerance changes no order."""
    return _moved(webhook)


@rule(
    "a-webhook-of-the-future-moves-nothing",
    role=Role.RECEIVER,
    level=Level.SHOULD,
    on=_of("future"),
    needs={"webhooks", "timestamped-webhooks"},
    needs_effects=True,
    source=f"{_STANDARD}: within a tolerance of the current timestamp; failure mode W06",
    fix="compare the distance from your clock in both directions: what is signed ahead can be replayed for longer",
)
def a_webhook_of_the_future_moves_nothing(webhook: Delivered, profile: Profile) -> str | None:
    """A webhook whose signed time is further ahead than the tolerance changes no order."""
    return _moved(webhook)


@rule(
    "only-the-signed-time-counts",
    role=Role.RECEIVER,
    on=_of("redated", "dated-elsewhere"),
    needs={"webhooks", "timestamped-webhooks"},
    needs_effects=True,
    source=f"{_STRIPE}: an attacker cannot change the timestamp without invalidating the signature; failure mode W07",
    fix="take the time from what is signed, and sign it with the rest when you verify",
)
def only_the_signed_time_counts(webhook: Delivered, profile: Profile) -> str | None:
    """A webhook that was signed too long ago changes no order, whatever else says that it is of now."""
    return _moved(webhook)


@rule(
    "another-version-proves-nothing",
    role=Role.RECEIVER,
    on=_of("downgraded"),
    needs={"webhooks", "versioned-signatures"},
    needs_effects=True,
    source=f"{_STRIPE}: ignore all schemes that are not v1, to prevent downgrade attacks; failure mode W08",
    fix="look at signatures of the version that you expect, and at no other",
)
def another_version_proves_nothing(webhook: Delivered, profile: Profile) -> str | None:
    """A webhook whose signature is said to be of another version changes no order."""
    return _moved(webhook)


@rule(
    "only-the-signed-bytes-count",
    role=Role.RECEIVER,
    on=_of("other-bytes"),
    needs={"webhooks", "signatures-of-bytes"},
    needs_effects=True,
    source="Standard Webhooks 1.0.0, signature scheme: sensitive to even the smallest changes; failure mode W02",
    fix="verify the bytes as they came, before anything parses them",
)
def only_the_signed_bytes_count(webhook: Delivered, profile: Profile) -> str | None:
    """A body in other bytes than those that were signed changes no order, though it is the same JSON."""
    return _moved(webhook)


@rule(
    "every-event-of-a-batch-is-verified",
    role=Role.RECEIVER,
    on=_of("forged-item"),
    needs={"webhooks", "signed-items"},
    needs_effects=True,
    source="docs.adyen.com, verify HMAC signatures: of each notification item; failure mode W09",
    fix="verify each item by itself: a batch is as genuine as the worst of them",
)
def every_event_of_a_batch_is_verified(webhook: Delivered, profile: Profile) -> str | None:
    """An event that the PSP did not sign changes no order, whatever stands before it in the batch."""
    return _moved(webhook)


@rule(
    "a-shifted-field-moves-nothing",
    role=Role.RECEIVER,
    on=_of("shifted"),
    needs={"webhooks", "joined-fields"},
    needs_effects=True,
    source="Adyen 16.0.0, util.py: fields are joined by colons that are not escaped; failure mode W10",
    fix="compare the account with your own: the signature does not tell where one field ends",
)
def a_shifted_field_moves_nothing(webhook: Delivered, profile: Profile) -> str | None:
    """An event whose signature fits because a part of one field stands in another changes no order."""
    return _moved(webhook)


@rule(
    "a-certificate-comes-from-the-psp-alone",
    role=Role.RECEIVER,
    on=_of("certificate-elsewhere"),
    needs={"webhooks", "certificates"},
    needs_effects=True,
    source="PayPal-Python-SDK, notifications.py: the certificate must be PayPal's; failure mode W12",
    fix="fetch a certificate from the PSP's own host alone, over TLS, and check its chain",
)
def a_certificate_comes_from_the_psp_alone(webhook: Delivered, profile: Profile) -> str | None:
    """A webhook that brings the address of its own certificate changes no order."""
    return _moved(webhook)


# --- what is broken breaks nothing --------------------------------------------------------------------------------


@rule(
    "junk-is-no-server-error",
    role=Role.RECEIVER,
    on=junk,
    needs={"webhooks"},
    source="RFC 9110 section 15.6: a 5xx says that the server failed, and the PSP comes again; failure mode W13",
    fix="catch what your verifier and your parser raise, and answer 400",
)
def junk_is_no_server_error(webhook: Delivered, profile: Profile) -> str | None:
    """A webhook that is not well formed is not answered 5xx."""
    broken = [status for status in webhook.answered if status >= 500]
    return f"answered {broken[0]} where {FORGERIES[webhook.delivery.forged]}" if broken else None

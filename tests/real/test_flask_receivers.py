"""Receivers around the PSPs' own verifiers, in Flask: careful in everything else, so that what is found is theirs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from psp_harness import profile
from psp_harness.model import Passed, Report, Role
from psp_harness.run import Job, run
from real.judging import ROOT, errors, violated

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Found:
    """A receiver, and what is true of the verifier in it."""

    address: str
    profile: str
    package: str
    causes: dict[str, str] = field(default_factory=dict)
    orders: str = "/orders"
    effects: str = "/effects"


FOUND = (
    Found(
        "wsgi:docs.examples.receiver:app",
        "stripe",
        "stripe",
        {"a-webhook-of-the-future-moves-nothing": "stripe 16.1.0, _webhook.py:189: only what is too old is refused"},
        "/test/orders",
        "/test/effects",
    ),
    Found(
        "wsgi:tests.real.apps.flask_standardwebhooks:app",
        "generic",
        "standardwebhooks",
        {
            "junk-is-no-server-error": "standardwebhooks 1.1.0, webhooks.py:76: an element without a comma is a ValueError, "
            "bytes that are no UTF-8 and a body that is no JSON are others, none of them a WebhookVerificationError"
        },
    ),
    Found(
        "wsgi:tests.real.apps.flask_adyen:app",
        "adyen",
        "Adyen",
        {
            "every-event-of-a-batch-is-verified": "Adyen 16.0.0, util.py:64: of a whole notification the first item alone",
            "the-empty-secret-signs-nothing": "Adyen 16.0.0, util.py:13: an empty key is a key, and nobody asks",
        },
    ),
)


def judged(found: Found) -> Report:
    """Its report."""
    pytest.importorskip("flask", reason="pip install 'psp-harness[receivers]'")
    pytest.importorskip(found.package, reason="pip install 'psp-harness[sdks]'")
    facts = profile.load(found.profile)
    job = Job(Role.RECEIVER, found.address, facts, effects_path=found.effects, orders_path=found.orders)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return asyncio.run(run(job))


@pytest.mark.parametrize("found", FOUND, ids=lambda found: found.package)
def test_it_is_reported_for_what_is_true_of_its_verifier_and_nothing_else(found: Found) -> None:
    """Each rule that it breaks has a cause in the package's source, everything else is judged, and nothing is errored."""
    report = judged(found)
    assert violated(report) == set(found.causes)
    assert errors(report) == []
    assert len({verdict.rule for verdict in report.verdicts if isinstance(verdict.result, Passed)}) > 10

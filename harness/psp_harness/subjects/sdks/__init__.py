"""Published SDKs as subjects: which there are, which PSP each speaks to, and the ways in which each can be used.

An adapter is one file here, named as its address names it, and imported only when it is asked for: a package that is
missing is missed then. An address says how the SDK is used, as in `sdk:razorpay?retry=on&key=header`; what it does not
say is as the SDK has it by itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from psp_harness.errors import UsageError
from psp_harness.registry import suggest


@dataclass(frozen=True, slots=True)
class Sdk:
    """One published SDK."""

    package: str
    """Its name on PyPI."""
    checked: str
    """The version whose findings were checked by hand."""
    profile: str
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By name: the values that an address may choose, each with its meaning; the SDK's own default first."""


@dataclass(frozen=True, slots=True)
class Use:
    """An SDK, and the way in which it is used."""

    name: str
    sdk: Sdk
    chosen: Mapping[str, str]
    """A value for each of its options."""

    @property
    def address(self) -> str:
        """The shortest one: what is the default is not said."""
        said = [f"{name}={value}" for name, value in self.chosen.items() if value != _default(self.sdk, name)]
        return f"sdk:{self.name}{'?' if said else ''}{'&'.join(said)}"


SDKS: Mapping[str, Sdk] = {
    "stripe": Sdk(
        "stripe",
        "16.1.0",
        "stripe",
        {
            "retry": {
                "off": "StripeClient(…) as it is",
                "on": "StripeClient(…, max_network_retries=2), which is what the calls of the module do by default",
            }
        },
    ),
    "adyen": Sdk(
        "Adyen",
        "16.0.0",
        "adyen",
        {
            "key": {
                "argument": "idempotency_key=…",
                "header": "header_parameters={'Idempotency-Key': …}",
            }
        },
    ),
    "mollie": Sdk("mollie-api-python", "4.0.0", "mollie"),
    "square": Sdk("squareup", "46.0.0.20260916", "square"),
    "gocardless": Sdk(
        "gocardless_pro",
        "3.22.0",
        "gocardless",
        {
            "key": {
                "header": "headers={'Idempotency-Key': …}",
                "lower-case": "headers={'idempotency-key': …}: header names have no case (RFC 9110 section 5.1)",
            },
            "conflict": {
                "read": "Client(…) as it is: what a refused duplicate made is read and returned",
                "raise": "Client(…, raise_on_idempotency_conflict=True)",
            },
        },
    ),
    "razorpay": Sdk(
        "razorpay",
        "2.0.1",
        "razorpay",
        {
            "retry": {"off": "Client(…) as it is", "on": "client.enable_retry(True)"},
            "key": {
                "none": "refund(…) as its documentation shows it",
                "header": "refund(…, headers={'X-Refund-Idempotency': …})",
            },
        },
    ),
}
"""By what stands after `sdk:`."""


def use_of(rest: str) -> Use:
    """What stands after `sdk:`. Raises `UsageError`, with the nearest name, for what there is not."""
    name, _, query = rest.partition("?")
    if name not in SDKS:
        raise UsageError(f"unknown SDK {name!r}", do=suggest(name, SDKS))
    options = SDKS[name].options
    chosen = dict(parse_qsl(query, keep_blank_values=True))
    for option, value in chosen.items():
        if option not in options:
            known = suggest(option, options) if options else "it takes none"
            raise UsageError(f"sdk:{name} has no option {option!r}", do=known)
        if value not in options[option]:
            raise UsageError(f"option {option!r} of sdk:{name} is {value!r}", do=suggest(value, options[option]))
    return Use(name, SDKS[name], {option: chosen.get(option, _default(SDKS[name], option)) for option in options})


def _default(sdk: Sdk, option: str) -> str:
    return next(iter(sdk.options[option]))


USES: Sequence[Use] = tuple(
    Use(name, sdk, dict(zip(sdk.options, values, strict=True)))
    for name, sdk in SDKS.items()
    for values in itertools.product(*sdk.options.values())
)
"""Every SDK in every way, each in its defaults first."""

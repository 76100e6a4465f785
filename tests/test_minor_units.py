"""Amounts as decimal text: what is written is read, to the last digit, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psp_harness.minor_units import DECIMALS, as_decimal, from_decimal
from psp_harness.template import fill, read

MOLLIE = {"amount": {"value": "{amount|decimal}", "currency": "{currency}"}}


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1050, "EUR", "10.50"),
        (5, "EUR", "0.05"),
        (0, "EUR", "0.00"),
        (-5, "EUR", "-0.05"),
        (1050, "JPY", "1050"),
        (1050, "KWD", "1.050"),
        (1, "CLF", "0.0001"),
        (9_007_199_254_740_993, "EUR", "90071992547409.93"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(amount: int, currency: str, text: str) -> None:
    """Two, none, three or four; and more digits than a float can hold."""
    assert as_decimal(amount, currency) == text
    assert from_decimal(text, currency) == amount


@given(st.integers(), st.sampled_from(["EUR", *DECIMALS]))
def test_what_is_written_is_read(amount: int, currency: str) -> None:
    """In every currency."""
    assert from_decimal(as_decimal(amount, currency), currency) == amount


@pytest.mark.parametrize(
    "text",
    [
        "10",
        "10.5",
        "10.500",
        "10,50",
        "1e3",
        " 10.50",
        "010.50",
        ".50",
        "\u0661\u0660.\u0665\u0660",
        "",
        10.5,
        1050,
        None,
    ],
)
def test_what_is_no_such_text_is_no_amount(text: object) -> None:
    """A number is none either: nobody knows in what units it is."""
    assert from_decimal(text, "EUR") is None


def test_a_template_reads_an_amount_wherever_its_currency_stands() -> None:
    """Before or behind it; without it, there is no amount."""
    assert fill(MOLLIE, {"amount": 1050, "currency": "EUR"}) == {"amount": {"value": "10.50", "currency": "EUR"}}
    assert read(MOLLIE, {"amount": {"value": "10.50", "currency": "EUR"}}) == {"amount": 1050, "currency": "EUR"}
    assert read(MOLLIE, {"amount": {"currency": "JPY", "value": "1050"}}) == {"amount": 1050, "currency": "JPY"}
    assert read(MOLLIE, {"amount": {"value": "10.50"}}) == {}
    assert read(MOLLIE, {"amount": {"value": 1050, "currency": "EUR"}}) == {"currency": "EUR"}

"""docs/psp.md is true: its routes are those that there are, what it sends them is taken, and its example runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from pages import table
from psp_harness.profile import load
from psp_harness.reference.provider import asgi, build
from psp_harness.reference.provider.app import ROUTES

PAGE = Path(__file__).parents[1] / "docs/psp.md"
ROWS = table(PAGE, "route")


def test_the_routes_on_the_page_are_those_of_the_provider() -> None:
    """Each once, and no other."""
    assert sorted(row["route"].strip("`") for row in ROWS) == sorted(f"{method} {path}" for method, path in ROUTES)


@pytest.mark.parametrize("row", ROWS, ids=[row["route"].strip("`") for row in ROWS])
async def test_what_the_page_sends_is_taken(row: dict[str, str]) -> None:
    """Every body is one that the route takes; what is named in one alone does not exist."""
    method, path = row["route"].strip("`").split()
    bodies = [json.loads(text) for text in re.findall(r"`(\{.*?\})`", row["body"])] or [None]
    transport = httpx.ASGITransport(asgi(build(load("hyperswitch"))))
    async with httpx.AsyncClient(transport=transport, base_url="http://psp") as http:
        answers = [await http.request(method, path, json=body) for body in bodies]
    expected = 404 if "…" in row["body"] and "_id" in row["body"] else 200
    assert all(answer.status_code == expected or (expected == 200 and answer.is_success) for answer in answers)


def test_the_example_runs() -> None:
    """As it says."""
    example = subprocess.run(
        [sys.executable, str(PAGE.parent / "examples/psp.py")], capture_output=True, text=True, timeout=60, check=False
    )
    assert example.stdout.split("\n")[:3] == [
        "processing",
        "succeeded",
        "['payment-processing', 'payment-succeeded']",
    ], example.stderr

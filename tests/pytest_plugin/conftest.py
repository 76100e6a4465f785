"""Projects of users: pytest runs in pytest, with what the plugin needs imported once for all of them."""

from __future__ import annotations

import pytest

import psp_harness.cli
import psp_harness.pytest_plugin.psp
from psp_harness import faults, rules
from pytest_plugin.projects import INI

assert psp_harness.cli  # a run within this one forgets what it imported itself
rules.load()
faults.load()


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project without anything in it."""
    pytester.makeini(INI)
    return pytester

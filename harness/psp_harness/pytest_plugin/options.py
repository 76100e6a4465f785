"""What the plugin can be told: options of the command line, settings of the project, and a marker."""

from __future__ import annotations

import pytest

PROFILE = "psp_profile"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--psp-*`, and `psp_profile` in the project's settings."""
    group = parser.getgroup("psp-harness", "payment integrations (psp-harness)")
    group.addoption("--psp-profile", metavar="NAME|FILE", help="which PSP the fixture psp is; generic unless told")
    group.addoption("--psp-subject", metavar="ADDRESS", help="judge this subject too: every rule is a test")
    group.addoption("--psp-role", metavar="ROLE", help="what that subject is: client or provider")
    group.addoption("--psp-strict", action="store_true", help="of subjects: a SHOULD counts as a MUST")
    parser.addini(PROFILE, "which PSP the fixture psp is", default="")


def pytest_configure(config: pytest.Config) -> None:
    """The marker `psp`."""
    config.addinivalue_line("markers", "psp(profile): which PSP the fixture psp is in this test")


def profile_name(config: pytest.Config) -> str:
    """What the command line says, else the project's settings, else nothing."""
    return str(config.getoption("--psp-profile") or config.getini(PROFILE) or "")

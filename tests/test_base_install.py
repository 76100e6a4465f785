"""The package without any extra: it imports, and what needs one says which."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _needed(distribution: str, seen: set[str]) -> None:
    """This distribution and all that it needs without an extra, into `seen`."""
    if (name := _normal(distribution)) in seen:
        return
    seen.add(name)
    try:
        lines = metadata.requires(distribution) or ()
    except metadata.PackageNotFoundError:
        return
    for line in lines:
        if "extra ==" not in line:
            _needed(_NAME.match(line)[0], seen)


def _foreign() -> Iterator[str]:
    """The importable names that are here only by an extra, or by accident."""
    base: set[str] = {"pip", "setuptools"}
    _needed("psp-harness", base)
    for name, owners in metadata.packages_distributions().items():
        if not any(_normal(owner) in base for owner in owners):
            yield name


def _without_extras(program: str) -> subprocess.CompletedProcess[str]:
    hidden = f"import sys\nsys.modules.update(dict.fromkeys({sorted(_foreign())!r}))\n"
    return subprocess.run(
        [sys.executable, "-c", hidden + program], capture_output=True, text=True, timeout=60, check=False
    )


def _called(*words: str) -> subprocess.CompletedProcess[str]:
    """The command line."""
    return _without_extras(f"from psp_harness.cli import main\nsys.argv[1:] = {list(words)!r}\nmain()")


def test_extras_are_hidden_at_all() -> None:
    """Or the others would prove nothing."""
    assert {"trustme", "cryptography", "stripe", "redis", "psycopg"} <= set(_foreign())
    assert _without_extras("import cryptography").returncode != 0


def test_the_command_line_needs_no_extra() -> None:
    """Nothing on its way imports what a plain `pip install` does not bring."""
    done = _called("list", "rules")
    assert done.returncode == 0, done.stderr
    assert "one-key-has-one-effect" in done.stdout


def test_what_needs_an_extra_says_which() -> None:
    """In one sentence, with the command that installs it."""
    done = _called("run", "--role", "receiver", "--profile", "paypal", "--subject", "miniature:careful-paypal-receiver")
    assert done.returncode == 2
    assert "pip install 'psp-harness[paypal]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_reference_shop_says_which_extra_it_needs() -> None:
    """Where it is imported, in a process of its own; and so does a miniature that is that shop without a part."""
    for address in ("reference:shop", "miniature:reference-shop-without-a-checkout"):
        target = f"import os, sys\nos.environ['PSP_HARNESS_WARM'] = {address!r}\nsys.argv[1:] = ['nowhere']\n"
        done = _without_extras(f"{target}from psp_harness.subjects.warm import main\nmain()")
        assert done.returncode == 2, done.stderr
        assert json.loads(done.stdout)["do"] == "pip install 'psp-harness[shop]'"


def test_cases_that_need_an_extra_are_skipped_and_say_which() -> None:
    """A client that speaks https is judged on everything else."""
    only = ("--only", "client/generic/payment-handshake-broken-once", "--only", "client/generic/two-payments")
    done = _called("run", "--role", "client", "--subject", "miniature:careful-client", *only)
    assert done.returncode == 0, done.stderr
    assert "skipped: case payment-handshake-broken-once" in done.stdout
    assert "pip install 'psp-harness[tls]'" in done.stdout


def test_a_service_that_nothing_can_ask_is_not_promised() -> None:
    """Without its driver it is not found, whether one listens, could be started, or is named; the extra is."""
    named = "from psp_harness.services import SERVICES, look\n"
    shows = "[print(service.title, look(service, {})) for service in SERVICES.values()]"
    said = _without_extras(named + shows).stdout.splitlines()
    assert [line.split()[0] for line in said] == ["PostgreSQL", "Redis", "RabbitMQ"]
    for line, extra in zip(said, ("stores", "stores", "shop"), strict=True):
        assert "Missing(" in line
        assert f"pip install 'psp-harness[{extra}]'" in line

"""Authorities that some SDKs can be told for the whole process alone: there while a case needs them, and no longer."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import ExitStack

_VARIABLE = "REQUESTS_CA_BUNDLE"
"""What `requests` reads with every request (requests.readthedocs.io, "SSL Cert Verification")."""


class ProcessWide:
    """One setting of this process, which is our tests' or our user's as well: whoever held it last puts it back."""

    def __init__(self, read: Callable[[], str | None], write: Callable[[str | None], None]) -> None:
        self._read, self._write = read, write
        self._lock = threading.Lock()
        self._holders = 0
        self._before: str | None = None

    def hold(self, ca_file: str | None, until: ExitStack) -> None:
        """Have this file of authorities (PEM) trusted `until` that is closed; None changes nothing."""
        if ca_file is None:
            return
        with self._lock:
            if not self._holders:
                self._before = self._read()
            self._holders += 1
            self._write(ca_file)
        until.callback(self._let_go)

    def _let_go(self) -> None:
        with self._lock:
            self._holders -= 1
            if not self._holders:
                self._write(self._before)


def _write(value: str | None) -> None:
    if value is None:
        os.environ.pop(_VARIABLE, None)
    else:
        os.environ[_VARIABLE] = value


REQUESTS = ProcessWide(lambda: os.environ.get(_VARIABLE), _write)
"""For an SDK on `requests` that takes no file of authorities."""

"""What a test has in its hands: a PSP that records what arrives, fails as it is told, and can be asked about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from psp_harness import faults
from psp_harness.errors import UsageError
from psp_harness.model import Effect, Exchange
from psp_harness.pytest_plugin import sentences
from psp_harness.pytest_plugin.seen import Seen
from psp_harness.pytest_plugin.server import Server
from psp_harness.registry import suggest

PAYMENT = "create-payment"


@dataclass(frozen=True, slots=True)
class _Armed:
    """A fault that waits for a request: the last of those that it is to strike, since the test began."""

    fault: str
    operation: str
    last: int


class Psp:
    """A PSP for one test. Assertions raise `AssertionError`, with the exchanges as a picture."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._before = server.renew()
        self._armed: list[_Armed] = []

    @property
    def base_url(self) -> str:
        """Where it listens: the same for every test of the session."""
        return self._server.base_url

    @property
    def profile(self) -> str:
        """Which PSP it is."""
        return self._server.profile.name

    @property
    def token(self) -> str:
        """A credential that it takes. It takes any other, too, and each is an account of its own."""
        return self._server.profile.credentials["tenant-a"]

    # --- what goes wrong ----------------------------------------------------------------------------------------------

    def lose_answer(self, operation: str = PAYMENT, *, times: int = 1) -> None:
        """The PSP acts on the next request, and its sender never sees the answer."""
        __tracebackhide__ = True
        self.strike("response-lost", operation, times=times)

    def lose_request(self, operation: str = PAYMENT, *, times: int = 1) -> None:
        """The connection breaks before the PSP acts on the next request; its sender cannot tell."""
        __tracebackhide__ = True
        self.strike("request-lost", operation, times=times)

    def truncate_answer(self, operation: str = PAYMENT, *, times: int = 1) -> None:
        """The PSP acts, and the connection breaks in the middle of the answer."""
        __tracebackhide__ = True
        self.strike("answer-truncated", operation, times=times)

    def delay_answer(self, operation: str = PAYMENT, *, seconds: float, times: int = 1) -> None:
        """The PSP acts at once, and its answer comes so much later, or never if its sender hangs up before."""
        __tracebackhide__ = True
        self.strike("slow-answer", operation, times=times, seconds=seconds)

    def answer(self, status: int, operation: str = PAYMENT, *, after: bool = False, times: int = 1) -> None:
        """Something on the way answers the next request with a status; `after`: the PSP had acted on it."""
        __tracebackhide__ = True
        self.strike("status-answer", operation, times=times, status=status, after=after)

    def strike(self, fault: str, operation: str, *, times: int = 1, **options: float | str | bool) -> None:
        """Any fault there is (`psp-harness list faults`), on the next `times` requests of an operation.

        Raises `UsageError` for a name that does not exist, and for an operation that this PSP does not have.
        """
        __tracebackhide__ = True
        if fault not in faults.load():
            raise UsageError(f"unknown fault {fault!r}", do=suggest(fault, faults.load()))
        known = faults.load()[fault].options
        for name, value in options.items():
            if name not in known:
                raise UsageError(f"fault {fault!r} has no option {name!r}", do=suggest(name, known) if known else "")
            if expected := faults.expected_of(name, value):
                raise UsageError(f"option {name} of fault {fault!r} is {value!r}", do=f"expected {expected}")
        self._check(operation)
        first = 1 + max([len(self._requests(operation)), *(a.last for a in self._armed if a.operation == operation)])
        earlier = len([x for x in self._server.exchanges()[: self._before] if _is_of(x, operation)])
        self._server.strike(fault, operation, tuple(range(earlier + first, earlier + first + times)), options)
        self._armed.append(_Armed(fault, operation, first + times - 1))

    def unmet(self) -> str:
        """Which fault never met the request that it was to strike, if any: the test then proves nothing."""
        for each in self._armed:
            arrived = len(self._requests(each.operation))
            if arrived < each.last:
                came = f"only {arrived} arrived" if arrived else "none arrived"
                return (
                    f"{each.fault} was to strike request {each.last} of {each.operation}, and {came}: what this test "
                    "is about never happened"
                )
        return ""

    # --- what arrived -------------------------------------------------------------------------------------------------

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Everything that arrived since the test began: bytes, both ways, with times."""
        mine = self._server.exchanges()[self._before :]
        zero = mine[0].began if mine else 0.0
        return tuple(
            replace(x, number=number, began=x.began - zero, ended=x.ended - zero) for number, x in enumerate(mine, 1)
        )

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Every movement of money since the test began."""
        return self._server.effects()

    def keys(self, operation: str | None = None) -> list[str]:
        """The keys of the requests that move money, as they are on the wire, in order of arrival: one for each line."""
        __tracebackhide__ = True
        return self._seen(operation).keys(operation)

    # --- what must be true --------------------------------------------------------------------------------------------

    def assert_one_key(self, operation: str | None = None, *, attempts: int | None = None) -> None:
        """There were several attempts (or exactly so many), and all of them carried one and the same key."""
        __tracebackhide__ = True
        self._hold(sentences.one_key(self._seen(operation), operation, attempts))

    def assert_key(self, key: str, operation: str | None = None) -> None:
        """Every request carried exactly this key, byte for byte, in one line."""
        __tracebackhide__ = True
        self._hold(sentences.this_key(self._seen(operation), key, operation))

    def assert_keys_unlike(self, operation: str | None = None) -> None:
        """There were several calls, and no two of them share a key; a lost one that is tried again is one call."""
        __tracebackhide__ = True
        self._hold(sentences.keys_unlike(self._seen(operation), operation))

    def assert_attempts(self, number: int, operation: str | None = None) -> None:
        """Exactly so many requests arrived that would move money."""
        __tracebackhide__ = True
        self._hold(sentences.attempts(self._seen(operation), number, operation))

    def assert_nothing_sent(self) -> None:
        """No request that would move money arrived, whole or in part."""
        __tracebackhide__ = True
        self._hold(sentences.attempts(self._seen(), 0, None))

    def assert_one_effect(self, operation: str | None = None, *, amount: int | None = None) -> None:
        """Money moved exactly once; `amount` in minor units."""
        __tracebackhide__ = True
        self._hold(sentences.effects(self._seen(operation), 1, operation, amount))

    def assert_no_effect(self, operation: str | None = None) -> None:
        """No money moved."""
        __tracebackhide__ = True
        self._hold(sentences.effects(self._seen(operation), 0, operation, None))

    def assert_rules_hold(self) -> None:
        """Every rule holds that binds whoever wanted what: those by which `psp-harness watch` judges.

        Where a fault struck and nothing says whether what came then is the same order, that is no pass.
        """
        __tracebackhide__ = True
        self._hold(sentences.rules(self._seen()))

    def _seen(self, operation: str | None = None) -> Seen:
        """Raises `UsageError` for an operation that this PSP does not have: nothing is true of it."""
        __tracebackhide__ = True
        if operation is not None:
            self._check(operation)
        return Seen(self._server.profile, self.exchanges, self.effects)

    def _check(self, operation: str) -> None:
        __tracebackhide__ = True
        if operation not in self._server.profile.operations:
            raise UsageError(f"unknown operation {operation!r}", do=suggest(operation, self._server.profile.operations))

    def _requests(self, operation: str) -> Sequence[Exchange]:
        return [x for x in self.exchanges if _is_of(x, operation)]

    def _hold(self, problem: str) -> None:
        __tracebackhide__ = True
        if problem:
            raise AssertionError(self._seen().pictured(problem))


def _is_of(exchange: Exchange, operation: str) -> bool:
    return exchange.operation == operation and exchange.request is not None

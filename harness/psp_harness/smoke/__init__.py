"""`psp-harness smoke`: checks an adapter, not the client behind it; says what is wrong with it, and what to do.

What must hold here: a finding is about how the adapter keeps the protocol, and whether it does what it claims; whether
its client behaves rightly is said by rules, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from psp_harness.errors import UsageError
from psp_harness.model import Role
from psp_harness.smoke.client import check_client
from psp_harness.smoke.finding import Finding, Sort
from psp_harness.smoke.provider import check_provider
from psp_harness.subjects.addresses import Options

__all__ = ["Finding", "Sort", "smoke"]

_CHECKS: Mapping[Role, Callable[[str, Options], Awaitable[Sequence[Finding]]]] = {
    Role.CLIENT: check_client,
    Role.PROVIDER: check_provider,
}


async def smoke(address: str, role: Role, options: Options) -> Sequence[Finding]:
    """What there is to say about the adapter at an address. Raises `UsageError` where the address means nothing."""
    if role not in _CHECKS:
        checked = " and ".join(f"{each}s" for each in _CHECKS)
        do = f"judge it: psp-harness run --role {role} --subject ADDRESS, which says what its adapter gets wrong"
        raise UsageError(f"smoke checks {checked}, not a {role}", do=do)
    return await _CHECKS[role](address, options)

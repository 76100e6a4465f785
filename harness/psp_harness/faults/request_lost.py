"""The request is lost."""

from psp_harness.faults import Forward, Line, Options, fault


@fault("request-lost")
async def request_lost(line: Line, forward: Forward, options: Options) -> None:  # noqa: ARG001 - nothing is passed on
    """The connection is reset before the PSP has seen the whole request; its sender cannot tell that from a lost answer."""
    await line.reset()

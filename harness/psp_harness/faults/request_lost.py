"""The request is lost."""

from psp_harness.faults import Forward, Line, Options, fault


@fault("request-lost")
async def request_lost(line: Line, forward: Forward, options: Options) -> None:
    """The connection is reset before the PSP has the whole request; its sender cannot tell that from a lost answer."""
    await line.reset()

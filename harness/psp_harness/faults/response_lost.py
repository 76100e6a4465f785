"""The answer is lost."""

from psp_harness.faults import Forward, Line, Options, fault


@fault("response-lost")
async def response_lost(line: Line, forward: Forward, options: Options) -> None:
    """The PSP acts and answers, and the connection is reset before its sender sees any of it."""
    await forward()
    await line.reset()

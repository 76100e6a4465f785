"""The first request with this key is still being processed."""

from psp_harness.faults import Forward, Line, Options, fault


@fault("answered-in-flight")
async def answered_in_flight(line: Line, forward: Forward, options: Options) -> None:
    """The PSP acts, and answers in its own words that a request with this key is still in flight."""
    await forward()
    await line.answer(line.in_flight)

"""The answer breaks off."""

from psp_harness.faults import Forward, Line, Options, fault


@fault("answer-truncated")
async def answer_truncated(line: Line, forward: Forward, options: Options) -> None:
    """The PSP acts and answers, and the connection closes in the middle of the answer's body."""
    await line.truncate(await forward())

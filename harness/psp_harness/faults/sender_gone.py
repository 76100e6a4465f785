"""The sender is gone before the answer is there."""

from psp_harness.faults import Forward, Line, Options, fault


@fault("sender-gone")
async def sender_gone(line: Line, forward: Forward, options: Options) -> None:
    """The whole request arrives, and the connection closes while the PSP is still at work on it."""
    await line.leave(forward)

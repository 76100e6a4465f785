"""Nobody listens where the PSP should be."""

from psp_harness.faults import Forward, Line, Options, fault


@fault("connection-refused")
async def connection_refused(line: Line, forward: Forward, options: Options) -> None:
    """Nobody listens while the step is asked; where a connection is there already, it is reset before the PSP acts."""
    await line.reset()

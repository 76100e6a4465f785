"""The answer comes too late."""

from psp_harness.faults import Forward, Line, Options, fault

LONGER_THAN_ITS_PATIENCE = 1.5


@fault("slow-answer", seconds=float)
async def slow_answer(line: Line, forward: Forward, options: Options) -> None:
    """The PSP acts at once, and its answer comes only after its sender was asked to stop waiting.

    Option `seconds`: how late; without it, half as long again as the sender was asked to wait.
    """
    answer = await forward()
    await line.wait(float(options.get("seconds", line.patience * LONGER_THAN_ITS_PATIENCE)))
    await line.answer(answer)

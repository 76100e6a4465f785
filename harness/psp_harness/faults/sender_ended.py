"""The process that sent the request is ended."""

from psp_harness.faults import Forward, Line, Options, fault


@fault("sender-ended", when=str)
async def sender_ended(line: Line, forward: Forward, options: Options) -> None:
    """The sender's process is ended without a warning, and whoever drives it starts it again.

    Option `when`: "before" the PSP acts, when it "acted" and did not answer (unless told), or once it "answered".
    """
    when = options.get("when", "acted")
    answer = None if when == "before" else await forward()
    if answer is not None and when == "answered":
        await line.answer(answer)
    await line.end_sender()

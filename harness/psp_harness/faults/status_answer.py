"""Something between the two answers instead of the PSP."""

import json

from psp_harness.faults import Forward, Line, Options, fault
from psp_harness.model import Answer


@fault("status-answer", status=int, after=bool, retry_after=int)
async def status_answer(line: Line, forward: Forward, options: Options) -> None:
    """A gateway between the two answers with an error status; the PSP may have acted or not.

    Options: `status` (502 unless told), `after` (true: the PSP acted first), `retry_after` (seconds that it asks its
    sender to wait; it says nothing of that unless told).
    """
    if options.get("after", False):
        await forward()
    body = json.dumps({"error": {"type": "gateway", "message": "answered on the way"}}).encode()
    wait = [(b"Retry-After", str(options["retry_after"]).encode())] if "retry_after" in options else []
    await line.answer(Answer(int(options.get("status", 502)), ((b"Content-Type", b"application/json"), *wait), body))

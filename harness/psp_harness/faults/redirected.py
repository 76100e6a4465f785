"""The request is sent elsewhere."""

from psp_harness.faults import Forward, Line, Options, fault
from psp_harness.model import Answer


@fault("redirected", status=int)
async def redirected(line: Line, forward: Forward, options: Options) -> None:
    """Something before the PSP answers with a redirect that keeps method and body, to the address that was asked.

    Option: `status` (307 unless told; 308 keeps them as well, RFC 9110 §15.4.8 and §15.4.9).
    """
    await line.answer(Answer(int(options.get("status", 307)), ((b"Location", line.asked.encode("latin-1")),)))

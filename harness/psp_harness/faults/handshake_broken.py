"""The handshake fails."""

from psp_harness.faults import Forward, Line, Options, fault


@fault("handshake-broken", alert=int)
async def handshake_broken(line: Line, forward: Forward, options: Options) -> None:
    """The TLS handshake is broken off before a request can be sent; where one comes without, its connection is reset.

    Option `alert`: the number of the fatal alert that its sender is given (RFC 8446 section 6); nothing unless told.
    """
    await line.reset()

"""`python -m psp_harness.subjects.wsgi_server MODULE:ATTRIBUTE PORT`: a WSGI application, served in this process.

Waitress's own command line is not used: it says why an import failed over several lines, and only for some errors. Here
the last line of the traceback says it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import waitress

THREADS = 64
"""As many requests are handled at once: more than any case sends together."""

_CONNECTIONS = 1000
"""Above what all cases that run at once can open."""


def main(target: str, port: str) -> None:
    """Serve the application on loopback, until the process is ended."""
    sys.path.insert(0, str(Path.cwd()))
    module, _, name = target.partition(":")
    app = import_module(module)
    for part in name.split("."):
        app = getattr(app, part)
    if not callable(app):
        sys.exit(f"{target} is no WSGI application: it is {app!r}")
    server = waitress.create_server(
        app,
        host="127.0.0.1",
        port=int(port),
        threads=THREADS,
        connection_limit=_CONNECTIONS,
        asyncore_use_poll=True,  # select() knows no descriptor above 1023
    )
    server.run()


if __name__ == "__main__":
    main(*sys.argv[1:])

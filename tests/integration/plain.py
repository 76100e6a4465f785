"""For clients that speak plain HTTP on loopback: to load the authorities of the world would take most of a test's time."""

from __future__ import annotations

import ssl

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

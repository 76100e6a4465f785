"""The pytest plugin: each part is a plugin of its own, and this is where they are named."""

from __future__ import annotations

pytest_plugins = (
    "psp_harness.pytest_plugin.gate",
    "psp_harness.pytest_plugin.options",
    "psp_harness.pytest_plugin.fixtures",
    "psp_harness.pytest_plugin.items",
)

"""The facts of one PSP as data: read from `profiles/<psp>.toml` or from a file of yours, each fact with its source.

In the file a fact is written `{ is = …, source = "…" }`, where the source is a name from the file's `[sources]`. What
is not known is left out, and the rules that need it are then skipped for that PSP: nothing is guessed.
"""

from __future__ import annotations

from psp_harness.profile.facts import (
    REFRESHED,
    Auth,
    Captures,
    Defect,
    Duplicate,
    InFlight,
    Key,
    Mismatch,
    Operation,
    Profile,
    Refusal,
    Tokens,
)
from psp_harness.profile.loading import BUNDLED, known, load, names, read_file
from psp_harness.profile.messages import (
    as_compared,
    in_flight_answer,
    is_in_flight,
    json_of,
    key_lines,
    keys_of,
    matches,
    meaning,
    operation_of,
    values_of,
    wording,
    write_key,
    written_key,
)
from psp_harness.profile.webhooks import Event, Told, Webhooks, body_of, told_by

__all__ = [
    "BUNDLED",
    "REFRESHED",
    "Auth",
    "Captures",
    "Defect",
    "Duplicate",
    "Event",
    "InFlight",
    "Key",
    "Mismatch",
    "Operation",
    "Profile",
    "Refusal",
    "Tokens",
    "Told",
    "Webhooks",
    "as_compared",
    "body_of",
    "in_flight_answer",
    "is_in_flight",
    "json_of",
    "key_lines",
    "keys_of",
    "known",
    "load",
    "matches",
    "meaning",
    "names",
    "operation_of",
    "read_file",
    "told_by",
    "values_of",
    "wording",
    "write_key",
    "written_key",
]

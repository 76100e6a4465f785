"""JSON Schemas of the files that people write, made from the structs that read them: `python -m psp_harness.schemas`.

They are for editors. The loader says more (names that do not exist, sources that are not listed) and has the last word.
A case file is its structs. In a profile file each fact is wrapped as `{ is = …, source = "…" }`, a leaf or a whole
table, and a file that `extends` another may leave out whatever that one says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from psp_harness.case import Case
from psp_harness.contracts import SCHEMAS
from psp_harness.profile import Profile
from psp_harness.signing import SCHEMES
from psp_harness.vocabulary import CARDS, CHANGES, EVENTS, FEATURES, MOVES, OPERATIONS, STEPS

Schema = dict[str, Any]

_REFS = "#/$defs/"
_SOURCED = "Sourced{}"
_PLAIN = frozenset({"name", "title", "credentials", "clients", "secrets", "accounts", "defects", "sources", "api"})
"""Members of a profile file that are no facts."""

_POSITIVE = {"minimum": 1}
_JSON = {"title": "JSON"}
"""Any value."""

_MOVES_MONEY = {"required": ["do"], "properties": {"do": {"enum": sorted(MOVES)}}}
_STEP_FORMS = [{"required": ["do"]}, {"required": ["repeat"]}, {"required": ["parallel"]}]


def case_schema() -> Schema:
    """What `contracts/cases/*.toml` and the files of `--cases` look like."""
    parts = _parts(Case)
    step = parts["Step"]
    step["properties"]["do"] |= {"enum": list(STEPS)}
    for name in ("amount", "times"):
        step["properties"][name] |= _POSITIVE
    step |= {"oneOf": _STEP_FORMS, "if": _MOVES_MONEY, "then": {"required": ["amount"]}}
    parts["Case"]["properties"]["needs"]["items"] |= {"enum": sorted(FEATURES)}
    file = _object({"case": {"type": "array", "items": _ref("Case")}}, required=["case"])
    return _document("case", "psp-harness cases", file, parts)


def profile_schema() -> Schema:
    """What `profiles/*.toml` and the file of `--profile` look like."""
    parts = _parts(Profile)
    whole = parts.pop("Profile")
    written = whole["properties"]
    del written["facts"]  # the loader fills it in
    written["operations"]["propertyNames"] = {"enum": sorted(OPERATIONS)}
    facts = {name: each for name, each in written.items() if name not in _PLAIN}
    complete = {
        "required": whole["required"],
        "properties": {name: need for name, each in facts.items() if (need := _needed(each, parts))},
    }
    extends = {"type": "string", "description": "The bundled profile over which this file is laid."}
    leaves_out = {
        "type": "array",
        "items": {"type": "string"},
        "description": "What that file says and this one does not: `mismatch`, `refusals.key-reused`.",
    }
    members = {"extends": extends, "leaves-out": leaves_out, **written}
    members |= {name: _sourced(each) for name, each in facts.items()}
    file = _object(members) | {"if": {"required": ["extends"]}, "else": complete}
    parts |= {_SOURCED.format(name): _table(part) for name, part in parts.items() if name != "Defect"}
    parts |= {_SOURCED.format("JSON"): _sourced(_JSON)}
    written["cards"]["propertyNames"] = {"enum": sorted(CARDS)}
    parts["Key"]["properties"]["operations"]["items"] |= {"enum": sorted(CHANGES)}
    parts["Webhooks"]["properties"]["scheme"] |= {"enum": sorted(SCHEMES)}
    parts["Webhooks"]["properties"]["events"] |= {"propertyNames": {"enum": list(EVENTS)}}
    return _document("profile", "psp-harness profile", file, parts)


SCHEMA_OF = {"case": case_schema, "profile": profile_schema}


def write() -> None:
    """Write every schema to its file in `contracts/schemas`."""
    for name, make in SCHEMA_OF.items():
        (SCHEMAS / f"{name}.schema.json").write_text(rendered(make()), encoding="utf-8")


def rendered(schema: Schema) -> str:
    """A schema as its file has it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


# --- facts ------------------------------------------------------------------------------------------------------------


def _sourced(value: Schema) -> Schema:
    """A value of a profile, as one fact or, where it has members, as a table of facts."""
    fact = _object({"is": value, "source": {"type": "string"}}, required=["is", "source"])
    members = _members(value)
    return {"anyOf": [fact, members]} if members else fact


def _members(value: Schema) -> Schema | None:
    """A table of facts in the place of a value; none where the value has no members."""
    if "$ref" in value:
        return _ref(_SOURCED.format(value["$ref"].removeprefix(_REFS)))
    if value == _JSON:
        return {"type": "object", "additionalProperties": _ref(_SOURCED.format("JSON"))}
    if value.get("type") == "object":
        return value | {"additionalProperties": _sourced(value["additionalProperties"])}
    return None


def _table(part: Schema) -> Schema:
    """A struct whose members are facts. None is required here: the file below may have it."""
    return _object({name: _sourced(each) for name, each in part["properties"].items()})


def _needed(value: Schema, parts: Mapping[str, Schema]) -> Schema:
    """What a file that extends no other must say in the place of a value: all at once, or each required member."""
    at_once = {"required": ["is", "source"]}
    if "$ref" in value:
        required = parts[value["$ref"].removeprefix(_REFS)]["required"]
        return {"anyOf": [at_once, {"required": required}]} if required else {}
    if value.get("type") == "object":
        return {"anyOf": [at_once, {"additionalProperties": _needed(value["additionalProperties"], parts)}]}
    return {}


# --- from structs to schemas ------------------------------------------------------------------------------------------


def _parts(root: type) -> dict[str, Schema]:
    """The schema of a struct and of everything that stands in it, by name."""
    _, parts = msgspec.json.schema_components((root,), schema_hook=lambda _: _JSON, ref_template=_REFS + "{name}")
    return {name: _without_null(part) for name, part in parts.items()}


def _without_null(node: Any) -> Any:
    """TOML has no null: a member that may be missing is left out."""
    if isinstance(node, list):
        return [_without_null(each) for each in node]
    if not isinstance(node, Mapping):
        return node
    kept = {name: _without_null(each) for name, each in node.items() if not (name == "default" and each is None)}
    options = [each for each in kept.get("anyOf", ()) if each != {"type": "null"}]
    if len(options) == 1:
        return options[0] | {name: each for name, each in kept.items() if name != "anyOf"}
    return kept | ({"anyOf": options} if options else {})


def _object(properties: Schema, *, required: list[str] | None = None) -> Schema:
    needed = {"required": required} if required else {}
    return {"type": "object", "properties": properties, **needed, "additionalProperties": False}


def _ref(name: str) -> Schema:
    return {"$ref": _REFS + name}


def _document(name: str, title: str, root: Schema, parts: dict[str, Schema]) -> Schema:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"psp-harness:{name}/1", "title": title}
    return {**head, **root, "$defs": parts}


if __name__ == "__main__":
    write()

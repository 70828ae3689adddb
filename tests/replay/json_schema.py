"""Holds a JSON value against a JSON Schema: as much of the language as our schemas use."""

from __future__ import annotations

from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_KNOWN = {
    "$defs",
    "$ref",
    "$schema",
    "additionalProperties",
    "anyOf",
    "description",
    "enum",
    "items",
    "properties",
    "required",
    "title",
    "type",
}


def problems(value: Any, schema: dict[str, Any], whole: dict[str, Any] | None = None, at: str = "$") -> list[str]:
    """What is wrong with a value, with the place of each; a keyword that is not known here is an error of the test."""
    whole = schema if whole is None else whole
    assert set(schema) <= _KNOWN, set(schema) - _KNOWN
    if "$ref" in schema:
        return problems(value, whole["$defs"][schema["$ref"].rsplit("/", 1)[-1]], whole, at)
    if "anyOf" in schema and all(problems(value, one, whole, at) for one in schema["anyOf"]):
        return [f"{at}: none of {schema['anyOf']}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{at}: {value!r} is none of {schema['enum']}"]
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(isinstance(value, _TYPES[one]) and (one == "boolean" or value is not True) for one in types):
        return [f"{at}: {value!r} is no {types}"]
    found: list[str] = []
    if isinstance(value, dict):
        known = schema.get("properties", {})
        found += [f"{at}.{name} is missing" for name in schema.get("required", []) if name not in value]
        for name, part in value.items():
            if name in known:
                found += problems(part, known[name], whole, f"{at}.{name}")
            elif schema.get("additionalProperties") is False:
                found.append(f"{at}.{name} is not described")
    if isinstance(value, list) and "items" in schema:
        for number, part in enumerate(value):
            found += problems(part, schema["items"], whole, f"{at}[{number}]")
    return found

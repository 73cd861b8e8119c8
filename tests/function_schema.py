"""The function that a language model is given for a tool, as Dify builds it, and what is wrong.

Source: Dify 1.17, api/core/tools/__base/tool.py: only the parameters of form llm, without files; a
select becomes text with an enum; neither defaults nor limits are told.
"""

import re
from typing import Any

TYPES = {"string", "number", "integer", "boolean", "object", "array", "null"}
"""What JSON Schema knows."""


def of(tool: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a tool's arguments."""
    properties: dict[str, dict[str, Any]] = {}
    required = []
    for parameter in tool["parameters"]:
        if parameter["form"] != "llm" or parameter["type"] in {"file", "files"}:
            continue
        kind = parameter["type"]
        properties[parameter["name"]] = {
            "type": "string" if kind in {"select", "secret-input"} else kind,
            "description": parameter.get("llm_description", ""),
        }
        if kind == "select":
            properties[parameter["name"]]["enum"] = [o["value"] for o in parameter["options"]]
        if parameter.get("required"):
            required.append(parameter["name"])
    return {"type": "object", "properties": properties, "required": required}


def problems(schema: dict[str, Any]) -> list[str]:
    """Breaches of JSON Schema's own rules, and of those by which models name a function's parts."""
    found = []
    if schema["type"] != "object":
        found.append(f"the arguments are {schema['type']}, not an object")
    for name, part in schema["properties"].items():
        if re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) is None:
            found.append(f"{name}: not a name")
        if part["type"] not in TYPES:
            found.append(f"{name}: {part['type']} is no type of JSON Schema")
        if part["type"] == "array" and "items" not in part:
            found.append(f"{name}: an array without items")
        if not isinstance(part["description"], str):
            found.append(f"{name}: the description is not text")
        choices = part.get("enum", [None])
        if not choices or len(choices) != len(set(choices)):
            found.append(f"{name}: an enum that is empty or says a thing twice")
    required = schema["required"]
    if len(required) != len(set(required)) or not set(required) <= schema["properties"].keys():
        found.append("required: not a set of the properties")
    return found

"""A request's fields, checked by the schema that the server itself shows."""

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from devtools.standin.failures import RefusalError

_LIMITS: Mapping[str, tuple[str, Callable[[float, float], bool]]] = {
    "minimum": ("greater than or equal to", lambda value, limit: value >= limit),
    "maximum": ("less than or equal to", lambda value, limit: value <= limit),
    "exclusiveMinimum": ("greater than", lambda value, limit: value > limit),
    "exclusiveMaximum": ("less than", lambda value, limit: value < limit),
}
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class Fields:
    """A request's converted values, defaults included, and the names it gave itself."""

    values: dict[str, Any]
    given: frozenset[str]


class _InvalidError(Exception):
    """Why a value is none of its type."""


def read_fields(openapi: Mapping[str, Any], path: str, body: object) -> Fields:
    """What a POST to `path` gives; a RefusalError as FastAPI words it where it cannot be."""
    if not isinstance(body, dict):
        text = "Field required" if body is None else "Input should be a valid dictionary"
        raise RefusalError(422, [_complaint([], text)])
    content = openapi["paths"][path]["post"]["requestBody"]["content"]
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    schema = openapi["components"]["schemas"][name]
    # The schemas of OpenAPI 3.0 cannot tell which fields take null; hardly any does not.
    takes_null = openapi["openapi"].startswith("3.0")
    values, complaints = {}, []
    for field, rule in schema["properties"].items():
        if field not in body:
            values[field] = copy.deepcopy(rule.get("default"))
            if field in schema.get("required", ()):
                complaints.append(_complaint([field], "Field required"))
            continue
        try:
            null = takes_null and body[field] is None
            values[field] = None if null else _convert(rule, body[field])
        except _InvalidError as error:
            complaints.append(_complaint([field], str(error)))
    if complaints:
        raise RefusalError(422, complaints)
    return Fields(values, frozenset(body) & frozenset(values))


def _complaint(place: list[str], text: str) -> dict[str, Any]:
    kind = "missing" if text == "Field required" else "value_error"
    return {"loc": ["body", *place], "msg": text, "type": kind}


def _convert(rule: Mapping[str, Any], value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The value as its rule has it; text that is a number passes for one, as with pydantic."""
    if "anyOf" in rule:
        return _first_that_fits(rule["anyOf"], value)
    kind = rule.get("type")
    if kind is None or (kind == "string" and isinstance(value, str)):
        found = value
    elif kind in ("integer", "number"):
        found = _number(kind, value)
    elif kind == "boolean" and str(value).lower() in _FLAGS:
        found = _FLAGS[str(value).lower()]
    elif kind == "array" and isinstance(value, list):
        found = [_convert(rule.get("items", {}), one) for one in value]
    elif (kind == "object" and isinstance(value, dict)) or (kind == "null" and value is None):
        found = value
    else:
        raise _InvalidError(f"Input should be a valid {kind}")
    for name, (words, holds) in _LIMITS.items():
        if name in rule and not holds(found, rule[name]):
            raise _InvalidError(f"Input should be {words} {rule[name]:g}")
    if "enum" in rule and found not in rule["enum"]:
        raise _InvalidError(f"Input should be one of {rule['enum']}")
    return found


def _first_that_fits(rules: list[Mapping[str, Any]], value: Any) -> Any:  # noqa: ANN401 - as above
    first: _InvalidError | None = None
    for rule in rules:
        try:
            return _convert(rule, value)
        except _InvalidError as error:
            first = first or error
    raise first or _InvalidError("Input should be valid")


def _number(kind: str, value: object) -> float:
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if math.isnan(number) or (kind == "integer" and not number.is_integer()):
        raise _InvalidError(f"Input should be a valid {kind}")
    if kind == "number":
        return number
    return value if isinstance(value, int) else int(number)

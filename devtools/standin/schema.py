"""A request's fields, checked by the schema that the server itself shows."""

import contextlib
import copy
import operator
from collections.abc import Mapping
from typing import Any

from devtools.standin.failures import RefusalError

_LIMITS = {
    "minimum": ("greater than or equal to", operator.ge),
    "maximum": ("less than or equal to", operator.le),
    "exclusiveMinimum": ("greater than", operator.gt),
}
_TYPES: Mapping[str, type] = {
    "string": str, "boolean": bool, "array": list, "object": dict, "null": type(None),
}  # fmt: skip


def read_fields(openapi: Mapping[str, Any], path: str, body: object) -> dict[str, Any]:
    """What a POST to `path` gives, with defaults; a RefusalError as FastAPI words it."""
    if not isinstance(body, dict):
        text = "Field required" if body is None else "Input should be a valid dictionary"
        raise RefusalError(422, [{"loc": ["body"], "msg": text, "type": "value_error"}])
    content = openapi["paths"][path]["post"]["requestBody"]["content"]
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    schema = openapi["components"]["schemas"][name]
    # The schemas of OpenAPI 3.0 cannot tell which fields take null; hardly any does not.
    takes_null = openapi["openapi"].startswith("3.0")
    values: dict[str, Any] = {}
    complaints = []
    for field, rule in schema["properties"].items():
        try:
            if field not in body and field in schema.get("required", ()):
                raise ValueError("Field required")
            is_left = field not in body or (takes_null and body[field] is None)
            default = None if field in body else copy.deepcopy(rule.get("default"))
            values[field] = default if is_left else _convert(rule, body[field])
        except ValueError as error:
            place = {"loc": ["body", field], "msg": str(error)}
            complaints.append({**place, "type": "value_error"})
    if complaints:
        raise RefusalError(422, complaints)
    return values


def _convert(rule: Mapping[str, Any], value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The value as its rule has it; a ValueError says why it cannot be."""
    if "anyOf" in rule:
        first, *others = rule["anyOf"]
        with contextlib.suppress(ValueError):
            return _convert(first, value)
        if others == [{"type": "null"}] and value is not None:
            return _convert(first, value)
        return _convert({"anyOf": others} if others[1:] else others[0], value)
    kind = rule.get("type")
    if kind in ("integer", "number"):
        value = _number(kind, value)
    elif kind and not isinstance(value, _TYPES[kind]):
        raise ValueError(f"Input should be a valid {kind}")
    for name, (words, holds) in _LIMITS.items():
        if name in rule and not holds(value, rule[name]):
            raise ValueError(f"Input should be {words} {rule[name]:g}")
    return value


def _number(kind: str, value: Any) -> float:  # noqa: ANN401 - any JSON value
    """Text that is a number passes for one, as with pydantic."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"Input should be a valid {kind}") from None
    if kind == "integer" and not number.is_integer():
        raise ValueError("Input should be a valid integer")
    if kind == "number":
        return number
    return value if isinstance(value, int) else int(number)

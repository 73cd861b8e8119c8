"""A request's fields, checked by the schema that the server itself shows."""

import copy
import json
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Union

from pydantic import Field, TypeAdapter, ValidationError

from devtools.standin.family import RefusalError

_TYPES: Mapping[str, Any] = {
    "integer": int, "number": float, "string": str, "boolean": bool, "array": list[Any],
    "object": dict[str, Any],
}  # fmt: skip


def read_fields(openapi: Mapping[str, Any], path: str, body: object) -> dict[str, Any]:
    """Return what a POST to `path` gives, with defaults; a RefusalError as FastAPI words it."""
    if not isinstance(body, dict):
        raise RefusalError(422, [{"loc": ["body"], "msg": "Field required", "type": "missing"}])
    content = openapi["paths"][path]["post"]["requestBody"]["content"]
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    schema = openapi["components"]["schemas"][name]
    # The schemas of OpenAPI 3.0 cannot tell which fields take null; hardly any does not.
    takes_null = openapi["openapi"].startswith("3.0")
    values: dict[str, Any] = {}
    complaints: list[Mapping[str, Any]] = []
    for field, rule in schema["properties"].items():
        if field in body:
            try:
                values[field] = _reader(json.dumps(rule), takes_null).validate_python(body[field])
            except ValidationError as error:
                found = error.errors(
                    include_url=False, include_context=False, include_input=not takes_null
                )
                complaints += [{**one, "loc": ["body", field, *one["loc"]]} for one in found]
        elif field in schema.get("required", ()):
            complaints.append({"loc": ["body", field], "msg": "Field required", "type": "missing"})
        else:
            values[field] = copy.deepcopy(rule.get("default"))
    if complaints:
        raise RefusalError(422, complaints)
    return values


@cache
def _reader(rule: str, takes_null: bool) -> TypeAdapter[Any]:
    """Return what reads a field; making one takes longer than a picture."""
    wanted = _type(json.loads(rule))
    return TypeAdapter(wanted | None if takes_null else wanted)


def _type(rule: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a type that is made of the rule
    if "anyOf" in rule:
        return Union[*map(_type, rule["anyOf"])]
    if rule.get("type") == "null":
        return None
    low, high, above = map(rule.get, ("minimum", "maximum", "exclusiveMinimum"))
    return Annotated[_TYPES.get(rule.get("type", ""), Any), Field(ge=low, le=high, gt=above)]

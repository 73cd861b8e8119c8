"""Request bodies, checked and converted as the servers' own frameworks check them.

AUTOMATIC1111, reForge and Forge Classic run on pydantic 1; Forge, Forge Neo and SD.Next on
pydantic 2, which is stricter and words its complaints otherwise. Both are played by the real
thing: `pydantic.v1` is pydantic 1's own code.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pydantic
from pydantic import v1

from devtools.standin_fields import Table

_TYPES: Mapping[str, Any] = {
    "Any": Any,
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "list": list,
    "dict": dict,
    "list[str]": list[str],
    "dict[str, Any]": dict[str, Any],
    "int | str": int | str,
    "str | None": str | None,
    "list | None": list | None,
    "dict | None": dict | None,
}


class InvalidRequestError(Exception):
    """What the framework answers with status 422; `detail` is its list of complaints."""

    def __init__(self, detail: list[dict[str, Any]]) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True)
class Fields:
    """A request's converted values, defaults included, and the names it gave itself."""

    values: dict[str, Any]
    given: set[str]


class Model(Protocol):
    """A request's fields."""

    name: str

    def read(self, value: object) -> Fields:
        """A parsed body with its values converted; InvalidRequestError where they cannot be."""

    def schema(self) -> dict[str, Any]:
        """The JSON schema that `/openapi.json` shows."""


class Framework(Protocol):
    """One version of FastAPI and pydantic."""

    openapi: str

    def model(self, name: str, fields: Mapping[str, tuple[Any, Any]]) -> Model:
        """`fields` gives each one's type, and its default or what Field made of it."""

    def field(self, default: object, **limits: float) -> object:
        """A default with limits: ge, gt, le."""

    def broken_json(self, error: json.JSONDecodeError) -> InvalidRequestError:
        """The complaint about a body that cannot be parsed."""

    def no_object(self, value: object) -> InvalidRequestError:
        """The complaint about a body that is missing (None) or no JSON object."""


def types(inherited: Table, added: Table) -> dict[str, tuple[Any, Any]]:
    """What `Framework.model` wants, from tables of fields."""
    fields: dict[str, tuple[Any, Any]] = {
        name: (_TYPES[kind] | None if kind != "Any" else Any, default)
        for name, (kind, default) in inherited.items()
    }
    for name, (kind, default) in added.items():
        fields[name] = (_TYPES[kind] if default is not None else _TYPES[kind] | None, default)
    return fields


def read_json(framework: Framework, body: bytes, content_type: str) -> Any:  # noqa: ANN401 - any JSON value
    """The body as FastAPI reads it: None when empty, bytes when the type is not JSON's."""
    if not body:
        return None
    kind = content_type.partition(";")[0].strip().lower()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        return body
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        raise framework.broken_json(error) from error


class _Model1:
    def __init__(self, name: str, model: type[v1.BaseModel]) -> None:
        self.name = name
        self._model = model

    def read(self, value: object) -> Fields:
        if not isinstance(value, dict):
            raise Pydantic1().no_object(value)
        try:
            found = self._model.parse_obj(value)
        except v1.ValidationError as error:
            complaints = [{**one, "loc": ["body", *one["loc"]]} for one in error.errors()]
            raise InvalidRequestError([dict(one) for one in complaints]) from error
        return Fields(found.dict(), found.__fields_set__)

    def schema(self) -> dict[str, Any]:
        return self._model.schema()


class Pydantic1:
    """FastAPI 0.94 with pydantic 1."""

    openapi = "3.0.2"

    def model(self, name: str, fields: Mapping[str, tuple[Any, Any]]) -> Model:
        return _Model1(name, v1.create_model(name, **dict[str, Any](fields)))

    def field(self, default: object, **limits: float) -> object:
        return v1.Field(default, **dict[str, Any](limits))

    def broken_json(self, error: json.JSONDecodeError) -> InvalidRequestError:
        where = {
            "msg": error.msg,
            "doc": error.doc,
            "pos": error.pos,
            "lineno": error.lineno,
            "colno": error.colno,
        }
        kind = "value_error.jsondecode"
        return InvalidRequestError(
            [{"loc": ["body", error.pos], "msg": str(error), "type": kind, "ctx": where}]
        )

    def no_object(self, value: object) -> InvalidRequestError:
        text, kind = ("value is not a valid dict", "type_error.dict")
        if value is None:
            text, kind = ("field required", "value_error.missing")
        return InvalidRequestError([{"loc": ["body"], "msg": text, "type": kind}])


class _Model2:
    def __init__(self, name: str, model: type[pydantic.BaseModel], framework: "Pydantic2") -> None:
        self.name = name
        self._model = model
        self._framework = framework

    def read(self, value: object) -> Fields:
        if not isinstance(value, dict):
            raise self._framework.no_object(value)
        try:
            found = self._model.model_validate(value)
        except pydantic.ValidationError as error:
            raise InvalidRequestError(
                [self._framework.complaint(dict(one)) for one in error.errors(include_url=False)]
            ) from error
        return Fields(found.model_dump(), found.model_fields_set)

    def schema(self) -> dict[str, Any]:
        return self._model.model_json_schema(ref_template="#/components/schemas/{model}")


class Pydantic2:
    """FastAPI from 0.100 on; until 0.110 its complaints link to pydantic's `documentation`."""

    openapi = "3.1.0"

    def __init__(self, *, documentation: str = "") -> None:
        self._documentation = documentation

    def model(self, name: str, fields: Mapping[str, tuple[Any, Any]]) -> Model:
        return _Model2(name, pydantic.create_model(name, **dict[str, Any](fields)), self)

    def field(self, default: object, **limits: float) -> object:
        return pydantic.Field(default, **dict[str, Any](limits))

    def broken_json(self, error: json.JSONDecodeError) -> InvalidRequestError:
        one = {"type": "json_invalid", "loc": [error.pos], "msg": "JSON decode error", "input": {}}
        return InvalidRequestError([{**self.complaint(one), "ctx": {"error": error.msg}}])

    def no_object(self, value: object) -> InvalidRequestError:
        text = "Input should be a valid dictionary or object to extract fields from"
        one = {"type": "model_attributes_type", "loc": [], "msg": text}
        if value is None:
            one = {"type": "missing", "loc": [], "msg": "Field required"}
        shown = value.decode(errors="replace") if isinstance(value, bytes) else value
        return InvalidRequestError([self.complaint({**one, "input": shown})])

    def complaint(self, one: dict[str, Any]) -> dict[str, Any]:
        """One of pydantic's errors as FastAPI passes it on."""
        link = {"url": f"{self._documentation}{one['type']}"} if self._documentation else {}
        return {**one, "loc": ["body", *one["loc"]], **link}

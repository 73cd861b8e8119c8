"""YAML read into Go's types and written as Go's JSON, as the plugin daemon does both.

A decoder takes a YAML node, or None where the key is absent, and returns what Go would hold: the
zero value of its type for an absent or null one. `struct` puts decoders together.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import yaml

type Decoder[T] = Callable[[yaml.Node | None], T]

_NULL = {"", "~", "null", "Null", "NULL"}
_TRUE = {"true", "True", "TRUE"}
_FALSE = {"false", "False", "FALSE"}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
# Go escapes these inside texts, so that JSON can stand in HTML and in JavaScript.
_ESCAPES = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})


class GoValueError(ValueError):
    """A YAML value does not fit the Go type it is read into; the text begins with its line."""


def parse(text: str) -> yaml.Node | None:
    """The root node of a YAML document, None for an empty one. Raises GoValueError."""
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise GoValueError(f"{line}{error.problem or error}") from error
    except yaml.YAMLError as error:
        raise GoValueError(str(error)) from error


def text(node: yaml.Node | None) -> str:
    """A string; numbers and booleans keep the spelling they have in the file."""
    if node is None or _is_null(node):
        return ""
    if not isinstance(node, yaml.ScalarNode):
        raise _misfit(node, "a text")
    return str(node.value)


def flag(node: yaml.Node | None) -> bool:
    """A bool, for which Go still reads some spellings of YAML 1.1."""
    if node is None or _is_null(node):
        return False
    if isinstance(node, yaml.ScalarNode) and not node.style:
        if node.value in _TRUE | {"y", "Y", "yes", "on"}:
            return True
        if node.value in _FALSE | {"n", "N", "no", "off"}:
            return False
    raise _misfit(node, "true or false")


def number(node: yaml.Node | None) -> float | None:
    """A *float64."""
    value = anything(node)
    if node is None or value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _misfit(node, "a number")
    return float(value)


def integer(node: yaml.Node | None) -> int | None:
    """A pointer to any of Go's integers."""
    value = number(node)
    if node is None or value is None:
        return None
    if not value.is_integer():
        raise _misfit(node, "a whole number")
    return int(value)


def moment(node: yaml.Node | None) -> str:
    """A time.Time, as RFC 3339 text with no trailing zeros in the seconds."""
    try:
        value = datetime.fromisoformat(text(node))
    except ValueError as error:
        raise GoValueError(f"a time expected: {error}") from error
    fraction = f".{value:%f}".rstrip("0").rstrip(".")
    zone = f"{value:%:z}"
    return f"{value:%Y-%m-%dT%H:%M:%S}{fraction}{'Z' if zone in ('', '+00:00') else zone}"


def anything(node: yaml.Node | None) -> Any:  # noqa: ANN401 -- Go's `any`
    """A value of unknown type: booleans of YAML 1.2 only, maps sorted by key."""
    if node is None or _is_null(node):
        return None
    if isinstance(node, yaml.SequenceNode):
        return [anything(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return {key: anything(value) for key, value in sorted(items(node).items())}
    value = str(node.value)
    if isinstance(node, yaml.ScalarNode) and node.style:
        return value
    if value in _TRUE | _FALSE:
        return value in _TRUE
    if _INTEGER.fullmatch(value):
        return int(value)
    return float(value) if _FLOAT.fullmatch(value) else value


def pointer[T](decode: Decoder[T]) -> Decoder[T | None]:
    """A pointer: nil where the value is absent or null."""
    return lambda node: None if node is None or _is_null(node) else decode(node)


def listing[T](decode: Decoder[T]) -> Decoder[list[T] | None]:
    """A slice: nil where the value is absent or null."""

    def decode_list(node: yaml.Node | None) -> list[T] | None:
        if node is None or _is_null(node):
            return None
        if not isinstance(node, yaml.SequenceNode):
            raise _misfit(node, "a list")
        return [decode(item) for item in node.value]

    return decode_list


def struct(fields: Mapping[str, Decoder[Any]]) -> Decoder[dict[str, Any]]:
    """A struct with its fields in Go's order; a "?" ends the names of those with omitempty."""

    def decode_struct(node: yaml.Node | None) -> dict[str, Any]:
        given = items(node)
        values = {}
        for field, decode in fields.items():
            name = field.rstrip("?")
            value = decode(given.get(name))
            if field == name or value not in (None, ""):
                values[name] = value
        return values

    return decode_struct


def items(node: yaml.Node | None) -> dict[str, yaml.Node]:
    """The entries of a mapping, merge keys resolved; none where it is absent or null."""
    if node is None or _is_null(node):
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise _misfit(node, "a mapping")
    yaml.constructor.SafeConstructor().flatten_mapping(node)
    return {str(key.value): value for key, value in node.value}


def marshal(value: object) -> str:
    """JSON as Go's json.Marshal writes it: compact, `<`, `>` and `&` escaped, not non-ASCII."""
    if isinstance(value, dict):
        pairs = (f"{marshal(str(key))}:{marshal(item)}" for key, item in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(marshal, value)) + "]"
    if isinstance(value, float):
        return _marshal_float(value)
    return json.dumps(value, ensure_ascii=False).translate(_ESCAPES)


def _marshal_float(value: float) -> str:
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        digits = f"{Decimal(repr(value)):f}"
        return digits.removesuffix(".0")
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].lstrip('0')}"


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value in _NULL


def _misfit(node: yaml.Node, wanted: str) -> GoValueError:
    return GoValueError(f"line {node.start_mark.line + 1}: {wanted} expected")

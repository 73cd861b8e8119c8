"""One value as people, forms and files write it, converted to the type it stands for.

A number may come as text, a whole number as a float, a boolean as "true", JSON as a string, and
nothing at all as None, "", [] or [None]. Each converter raises ValueError with a phrase that
follows the value in a sentence: "is not a whole number".
"""

import json
import math
import re
from collections.abc import Callable
from typing import Any

from webui.text import in_plain_letters

# Anything that JSON can say, which the reader takes apart.
type Json = Any
# A request's fields by the API's names, or a tool's values by its parameters'.
type Fields = dict[str, Json]

_DECIMAL = re.compile(r"[+-]?(\d++(\.\d*+)?|\.\d++)([eE][+-]?\d{1,4})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,40}", re.ASCII)
_LARGEST = 10**40
# Blanks, among them the non-breaking and the ideographic one, zero-width characters and the
# byte-order mark.
_CLINGING = " \t\r\n\v\f\u00a0\u2007\u202f\u3000\u200b\u200c\u200d\u2060\ufeff"
# Full-width commas come with a Chinese or Japanese keyboard.
_COMMA = re.compile("[,，]")
_QUOTES = (('"', '"'), ("'", "'"), ("“", "”"), ("‘", "’"), ("„", "“"), ("«", "»"), ("「", "」"))
# Without its end, too: looking for one from each quotation mark would take quadratic time.
_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_DEEPEST = 100
_HALF = re.compile("[\ud800-\udfff]")
_BOOLEANS = {
    "true": True, "yes": True, "on": True, "y": True, "1": True,
    "false": False, "no": False, "off": False, "n": False, "0": False,
}  # fmt: skip


def is_unset(value: object) -> bool:
    """Tell whether nothing was filled in: None, blanks, an empty list or one of Nones."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip(_CLINGING)
    return isinstance(value, list) and all(item is None for item in value)


def tidy(text: str) -> str:
    """Text without what clings to it when it is copied: blanks of any kind and a pair of quotes."""
    text = text.strip(_CLINGING)
    for first, last in _QUOTES:
        inside = text[1:-1]
        # "a", "b" is not one quoted text.
        if len(text) > 1 and text == first + inside + last and not {first, last} & set(inside):
            return inside.strip(_CLINGING)
    return text


def folded(text: str) -> str:
    """Tidy text in plain letters: full-width digits, letters and colons become the usual ones."""
    return tidy(in_plain_letters(text))


def number(value: object) -> int | float:
    """Return a finite number; text keeps whole numbers exact, however long."""
    if isinstance(value, str):
        # Of plain ones JSON may hold millions.
        text = value if _DECIMAL.fullmatch(value) else folded(value)
        if _WHOLE.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text):
            value = float(text)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError("is not a number")


def integer(value: object) -> int:
    """Return a whole number; 20.0 and "20.0" are whole, 20.7 is not."""
    try:
        found = number(value)
    except ValueError:
        raise ValueError("is not a whole number") from None
    if found != int(found):
        raise ValueError("is not a whole number")
    return int(found)


def decimal(value: object) -> float:
    """Return a finite number as a float, so that a whole one travels as 7.0 too."""
    return float(number(value))


def boolean(value: object) -> bool:
    """Read true or false, also as the words and digits people and templates write for them."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and folded(value).lower() in _BOOLEANS:
        return _BOOLEANS[folded(value).lower()]
    raise ValueError("is neither true nor false")


def text(value: object) -> str:
    """Text, to the letter; a number becomes its digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ValueError("is not text")


def tidy_text(value: object) -> str:
    """Text without what clings to it; a number becomes its digits."""
    return tidy(text(value))


def json_object(value: object) -> dict[str, object]:
    """Return a JSON object, as text or already parsed."""
    found = _parsed(value)
    if not isinstance(found, dict):
        raise ValueError("is not a JSON object; it must look like {…}")
    return found


def json_array(value: object) -> list[object]:
    """Return a JSON array, as text or already parsed."""
    found = _parsed(value)
    if not isinstance(found, list):
        raise ValueError("is not a JSON array; it must look like […]")
    return found


def json_arguments(value: object) -> list[object] | dict[str, object]:
    """Return a script's arguments, a JSON array or object, as text or already parsed."""
    found = _parsed(value)
    if not isinstance(found, list | dict):
        raise ValueError("is neither a JSON array nor an object; it must look like […] or {…}")
    return found


def separated(text: str) -> list[str]:
    """Return the names that commas separate."""
    return [name for part in _COMMA.split(tidy(text)) if (name := tidy(part))]


def names(value: object) -> list[str]:
    """Names, as a JSON array of strings or as text separated by commas."""
    if isinstance(value, str) and not tidy(value).startswith("["):
        return separated(value)
    found = json_array(value)
    if not all(isinstance(name, str) for name in found):
        raise ValueError("holds something that is not text")
    return [name.strip() for name in found if isinstance(name, str) and name.strip()]


def refuse_unsendable(value: object, longest: int) -> None:
    """ValueError for what is not JSON that can be sent, and for more than so many characters.

    In linear time and without recursion: objects may come parsed, of any depth.
    """
    level, depth, count = [value], 0, 0
    while level:
        inside: list[object] = []
        for item in level:
            count += len(item) if isinstance(item, str) else 1
            if not isinstance(item, dict | list):
                _refuse_unsendable_leaf(item)
            elif depth == _DEEPEST:
                raise ValueError(f"is nested more than {_DEEPEST} levels deep")
            else:
                inside += [*item, *item.values()] if isinstance(item, dict) else item
        if count > longest:
            raise ValueError(f"is too long: {count} characters, {longest} at the most")
        level, depth = inside, depth + 1


def length(value: Json) -> int:
    """Return how many characters the texts inside have, each as often as it stands there."""
    if isinstance(value, dict):
        return sum(length(item) for item in value.values())
    if isinstance(value, list):
        return sum(map(length, value))
    return len(value) if isinstance(value, str) else 1


def _refuse_unsendable_leaf(value: object) -> None:
    match value:
        case str():
            half = _HALF.search(value)
            if half:
                raise ValueError(
                    f"holds half a character, at position {half.start() + 1}, which no text may"
                )
        case bool() | None:
            pass
        case int() | float():
            if not abs(value) < _LARGEST:
                raise ValueError("holds a number too large to be sent")
        case _:
            raise ValueError(f"holds something that is not JSON: {type(value).__name__}")


def parse_json(
    text: str | bytes,
    *,
    read_number: Callable[[str], object] | None = None,
    read_constant: Callable[[str], object] | None = None,
) -> Json:
    """Return what JSON says, in time and memory linear in its length. ValueError for what is none.

    read_number, read_constant: make something of a number's text, and of NaN and Infinity. Beyond
    a hundred levels a text is refused unread: parsers of such may take the process with them.
    """
    inside = _TEXTS.sub(b"", text.encode(errors="replace") if isinstance(text, str) else text)
    brackets = inside.translate(None, _NO_BRACKETS)
    for _ in range(_DEEPEST):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    if len(brackets) > _DEEPEST:
        raise ValueError(f"is nested more than {_DEEPEST} levels deep")
    return json.loads(
        text, parse_int=read_number, parse_float=read_number, parse_constant=read_constant
    )


def _parsed(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_json(
            value.strip(_CLINGING),
            read_number=_sendable_number,
            read_constant=_refuse_number,
        )
    except json.JSONDecodeError as error:
        raise ValueError(
            f"is not valid JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None


def _refuse_number(name: str) -> object:
    raise ValueError(f"holds {name}, which is not JSON")


def _sendable_number(digits: str) -> int | float:
    """Return a number that can be written as JSON again; Python reads 1e999 as infinity."""
    try:
        return number(digits)
    except ValueError:
        raise ValueError(f"holds a number too large to be sent: {digits[:20]}…") from None


Converter = Callable[[object], object]

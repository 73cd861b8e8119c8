"""What servers say, read tolerantly: a piece of another type than promised counts as not said.

A picture was drawn, whatever is wrong with the words beside it.
"""

import math
from collections.abc import Mapping
from types import UnionType
from typing import Any

from webui import values
from webui.values import Fields, Json

# Beyond what any server counts, and still a number everywhere that JSON is read.
_LARGEST = 10**40


def parse(text: str | bytes) -> Json:
    """Return what JSON says, None for each number that cannot be counted with, such as NaN.

    ValueError for what is no JSON, or nested beyond all reason.
    """
    return values.parse_json(text, read_number=_number, read_constant=lambda _name: None)


def an_object(found: Json) -> Fields:
    return found if isinstance(found, dict) else {}


def listed(found: Json) -> list[Any]:
    return found if isinstance(found, list) else []


def objects(found: Json) -> list[Fields]:
    """Return the objects of a list."""
    return [one for one in listed(found) if isinstance(one, dict)]


def text(found: Json) -> str:
    return found if isinstance(found, str) else ""


def texts(found: Json) -> list[str]:
    """Return the texts of a list that say something."""
    return [one for one in listed(found) if isinstance(one, str) and one]


def number(found: Json) -> int | float | None:
    is_one = isinstance(found, int | float) and not isinstance(found, bool)
    return found if is_one and math.isfinite(found) and abs(found) < _LARGEST else None


def whole(found: Json) -> int | None:
    known = number(found)
    return int(known) if known is not None and known == int(known) else None


def typed(found: Fields, kinds: Mapping[str, type | UnionType]) -> Fields:
    """Return those of an object's values that are of the kind they should be."""
    return {name: found[name] for name, kind in kinds.items() if isinstance(found.get(name), kind)}


def _number(digits: str) -> int | float | None:
    try:
        return values.number(digits)
    except ValueError:
        return None

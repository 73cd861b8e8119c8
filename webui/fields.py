"""What the catalogue says of each form field that code must know: `fields.json`, by name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Field:
    """One field.

    tools: whose forms have it. own: the API has no such field. json: what its text holds: "object",
    "array", "names", or "" if it is no JSON. neutral: values with which it changes nothing, None
    for 0, false and empty ones. elsewhere: the families that take no notice of it, and what does
    it there, "" for nothing.
    """

    tools: tuple[str, ...]
    own: bool
    json: str
    neutral: tuple[object, ...] | None
    elsewhere: Mapping[str, str]

    def is_neutral(self, value: object) -> bool:
        """Whether ignoring this value loses nothing."""
        return not value if self.neutral is None else value in self.neutral


def _load() -> dict[str, Field]:
    found = json.loads(Path(__file__).with_suffix(".json").read_bytes())
    return {
        name: Field(
            tuple(one["tools"]),
            one["own"],
            one["json"],
            None if one["neutral"] is None else tuple(one["neutral"]),
            one["elsewhere"],
        )
        for name, one in found.items()
    }


FIELDS: Mapping[str, Field] = _load()

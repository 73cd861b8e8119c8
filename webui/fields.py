"""What the catalogue of form fields says that the code needs; declarations/ has the whole of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Characters that a text may have, by what it is; JSON may hold pictures.
LONGEST_NAME = 2_000
LONGEST_LIST = 20_000
LONGEST_PROSE = 100_000
LONGEST_JSON = 20_000_000


@dataclass(frozen=True)
class Field:
    """A field of one form or several.

    tools: the tools that have it. own: the server's API has no field of this name; extra: but
    extra_parameters may hold it.
    json: what text carries as JSON there, "object", "arguments", "names" or "".
    neutral: the values with which it changes nothing; None for 0, false and empty.
    elsewhere: for a family that takes no notice of it, what does it there, or "".
    api: what the API calls each of its options, where that is not the option's own word.
    verbatim: text that is taken to the letter, blanks and all. longest: characters of its text.
    """

    tools: tuple[str, ...]
    own: bool
    extra: bool
    json: str
    neutral: tuple[object, ...] | None
    elsewhere: Mapping[str, str]
    api: Mapping[str, int]
    verbatim: bool
    longest: int

    def is_neutral(self, value: object) -> bool:
        """Tell whether a server that ignores this value does what was asked all the same."""
        return not value if self.neutral is None else value in self.neutral


def _longest(json: str, *, verbatim: bool) -> int:
    if json in {"object", "arguments"}:
        return LONGEST_JSON
    return LONGEST_PROSE if verbatim else LONGEST_LIST if json else LONGEST_NAME


def _load() -> Mapping[str, Field]:
    found = json.loads(Path(__file__).with_suffix(".json").read_bytes())
    return {
        name: Field(
            tools=tuple(said["tools"]),
            own=said["own"],
            extra=said["extra"],
            json=said["json"],
            neutral=None if said["neutral"] is None else tuple(said["neutral"]),
            elsewhere=said["elsewhere"],
            api=said["api"],
            verbatim=said["verbatim"],
            longest=said["longest"] or _longest(said["json"], verbatim=said["verbatim"]),
        )
        for name, said in found.items()
    }


FIELDS: Mapping[str, Field] = _load()

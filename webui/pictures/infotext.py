"""The text that WebUIs write into their pictures, taken apart.

Prompt, "Negative prompt: …", and a last line of pairs: "Steps: 20, Sampler: Euler a, Seed: 7, …".
"""

import json
import re
from dataclasses import dataclass, field

_NEGATIVE = "Negative prompt:"
# SD.Next repeats the prompt there, before its styles.
_TEMPLATE = "Template: "
_NAME = re.compile(r"\s*(\w[\w ()/.+-]{0,99}):\s*")
# Fewer pairs are a prompt with colons in it, unless they begin as the pairs do.
_FEWEST_PAIRS = 3
_JSON = json.JSONDecoder()
# Each that is none is read to where it breaks, and Python counts its lines for the error.
_LONGEST_JSON = 20_000


@dataclass(frozen=True)
class Infotext:
    """parameters: the last line's labels and values, unquoted, in their order."""

    prompt: str = ""
    negative_prompt: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


def parse_infotext(text: str) -> Infotext:
    """Return what an infotext says; text without such a last line is all prompt."""
    *lines, last = text.strip().split("\n")
    pairs = _pairs(last)
    if len(pairs) < _FEWEST_PAIRS and not last.startswith("Steps: "):
        lines, pairs = [*lines, last], {}
    prompt: list[str] = []
    negative: list[str] = []
    place = prompt
    for line in lines:
        if place is negative and line.startswith(_TEMPLATE):
            break
        if line.lstrip().startswith(_NEGATIVE):
            place = negative
            line = line.lstrip().removeprefix(_NEGATIVE)
        place.append(line)
    return Infotext("\n".join(prompt).strip(), "\n".join(negative).strip(), pairs)


def _pairs(line: str) -> dict[str, str]:
    """Return a piece between commas that has no name is left out, as the servers do."""
    found: dict[str, str] = {}
    at = 0
    while at < len(line):
        name = _NAME.match(line, at)
        if name:
            found[name[1].strip()], at = _value(line, name.end())
        else:
            at = _comma(line, at)
        at += 1
    return found


def _value(line: str, at: int) -> tuple[str, int]:
    """Return the value that begins there, and where it ends: at a comma or with the line.

    Values with commas are quoted as JSON texts; some writers put a JSON object there as it is.
    """
    if line.startswith(('"', "{", "["), at):
        try:
            value, length = _JSON.raw_decode(line[at : at + _LONGEST_JSON])
        except (ValueError, RecursionError):
            pass
        else:
            end = at + length
            comma = _comma(line, end)
            if not line[end:comma].strip():
                return value if isinstance(value, str) else line[at:end], comma
    comma = _comma(line, at)
    return line[at:comma].strip(), comma


def _comma(line: str, at: int) -> int:
    found = line.find(",", at)
    return len(line) if found < 0 else found

"""LoRAs as people list them, as the tags a prompt carries."""

import re

from webui.errors import InvalidParameterError

_TAG = re.compile(r"<lora:[^<>:]+(:[^<>]*)?>")
_ENTRY = re.compile(r"(?P<name>[^<>:]+?)\s*(?P<weights>(:\s*[+-]?(\d+\.?\d*|\.\d+)\s*)*)", re.ASCII)


def tags(text: str) -> list[str]:
    """The `<lora:name:weight>` tags of "name:weight, name"; ready tags pass as they are.

    A weight left out is 1. InvalidParameterError for what is neither.
    """
    found = [match[0] for match in _TAG.finditer(text)]
    for entry in re.split(r"[,\n]", _TAG.sub(",", text)):
        if not entry.strip():
            continue
        parts = _ENTRY.fullmatch(entry.strip())
        if parts is None:
            raise InvalidParameterError(
                f"lora: {entry.strip()!r} is neither name:weight nor <lora:name:weight>. "
                "Write for example: detail_tweaker:0.7, film_grain."
            )
        weights = re.sub(r"\s", "", parts["weights"]) or ":1"
        found.append(f"<lora:{parts['name']}{weights}>")
    return found

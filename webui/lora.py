"""LoRAs as people list them, and as the tags a prompt carries."""

import re
from dataclasses import dataclass

from webui.errors import InvalidParameterError

_TAG = re.compile(r"<lora:([^<>:]+)((?::[^<>:]*)*)>")
_ENTRY = re.compile(r"(?P<name>[^<>:]+?)\s*(?P<weights>(:\s*[+-]?(\d+\.?\d*|\.\d+)\s*)*)", re.ASCII)


@dataclass(frozen=True)
class Lora:
    """A LoRA to apply. weights: as written after the name, ":0.7" or ":0.7:0.5"."""

    name: str
    weights: str

    @property
    def tag(self) -> str:
        """What applies it from inside a prompt."""
        return f"<lora:{self.name}{self.weights}>"

    @property
    def multiplier(self) -> float:
        """The first weight as a number; ready tags may hold words there, which count as 1."""
        try:
            return float(self.weights.split(":")[1])
        except (ValueError, IndexError):
            return 1.0


def listed(text: str) -> list[Lora]:
    """The LoRAs of "name:weight, name" or of ready tags; a weight left out is 1.

    InvalidParameterError for what is neither.
    """
    found = inside(text)
    for entry in re.split(r"[,\n]", _TAG.sub(",", text)):
        if not entry.strip():
            continue
        parts = _ENTRY.fullmatch(entry.strip())
        if parts is None:
            raise InvalidParameterError(
                f"lora: {entry.strip()!r} is neither name:weight nor <lora:name:weight>. "
                "Write for example: detail_tweaker:0.7, film_grain."
            )
        found.append(Lora(parts["name"], re.sub(r"\s", "", parts["weights"]) or ":1"))
    return found


def inside(prompt: str) -> list[Lora]:
    """The LoRAs that a prompt's own tags name."""
    return [Lora(match[1].strip(), match[2]) for match in _TAG.finditer(prompt)]

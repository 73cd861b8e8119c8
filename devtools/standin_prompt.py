"""What a prompt names besides words: saved styles and LoRAs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from devtools.catalogue import Catalogue

_LORA = re.compile(r"<lora:([^:>]+)(?::([^:>]*))?[^>]*>")


@dataclass(frozen=True)
class Lora:
    """A LoRA that is really applied."""

    name: str
    weight: str

    @property
    def hash(self) -> str:
        return sha256(self.name.encode()).hexdigest()[:12]

    def __str__(self) -> str:
        return f"{self.name}:{self.weight}"


def loras_in(catalogue: Catalogue, prompt: str) -> list[Lora]:
    """Those of the prompt's tags that the server has; the others do nothing, without a word."""
    return [
        Lora(name, weight or "1.0")
        for name, weight in _LORA.findall(prompt)
        if name in catalogue.loras
    ]


def apply_styles(catalogue: Catalogue, text: str, styles: Sequence[str] | None, key: str) -> str:
    """The prompt with the styles' texts; `key` is prompt or negative_prompt.

    An unknown style is dropped, without a word.
    """
    known = {style["name"]: style[key] for style in catalogue.styles}
    for style in filter(None, (known.get(name) for name in styles or [])):
        if "{prompt}" in style:
            text = style.replace("{prompt}", text)
        else:
            text = ", ".join(filter(None, (text.strip(), style)))
    return text

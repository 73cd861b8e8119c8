"""The text that AUTOMATIC1111 writes into its pictures, written and read."""

import json
import re
from collections.abc import Mapping

_PAIR = re.compile(r'\s*([\w ()/-]+):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')
_SIZE = re.compile(r"(\d+)x(\d+)")


def write(prompt: str, negative_prompt: str | None, parameters: Mapping[str, object]) -> str:
    """Prompt, negative prompt, and a last line of `Name: value` pairs; None leaves any out."""
    pairs = ", ".join(f"{name}: {_quote(one)}" for name, one in parameters.items())
    negative = "" if negative_prompt is None else f"\nNegative prompt: {negative_prompt}"
    return f"{prompt}{negative}\n{pairs}".strip()


def _quote(value: object) -> str:
    text = str(value)
    # stable-diffusion.cpp puts JSON there as it is.
    is_plain = text.startswith("{") or not set(text) & set(",\n:")
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def read(infotext: str) -> dict[str, str]:
    """Return the pairs by name, with `Prompt`, `Negative prompt`, and `Size` also as -1 and -2."""
    *lines, last = infotext.strip().split("\n")
    pairs = _PAIR.findall(last)
    if len(pairs) < 3:
        lines, pairs = [*lines, last], []
    prompt, _, negative = "\n".join(lines).partition("Negative prompt:")
    found = {"Prompt": prompt.strip(), "Negative prompt": negative.strip()}
    for name, value in pairs:
        found[name.strip()] = json.loads(value) if value.startswith('"') else value.strip()
    if size := _SIZE.fullmatch(found.get("Size", "")):
        found["Size-1"], found["Size-2"] = size.groups()
    return found

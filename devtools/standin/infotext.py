"""The text that AUTOMATIC1111 writes into its pictures, written and read."""

import json
import re
from collections.abc import Mapping
from typing import Any

_PAIR = re.compile(r'\s*([\w ()/-]+):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')
_SIZE = re.compile(r"(\d+)x(\d+)")


def write(
    prompt: str, negative_prompt: str, parameters: Mapping[str, Any], *, blank_line: bool = False
) -> str:
    """Prompt, negative prompt, and a last line of `Name: value` pairs; None leaves a pair out.

    `blank_line` gives a negative prompt its line even if it is empty.
    """
    pairs = ", ".join(
        f"{name}: {_quote(value)}" for name, value in parameters.items() if value is not None
    )
    shown = blank_line or negative_prompt
    negative = f"\nNegative prompt: {negative_prompt}" if shown else ""
    return f"{prompt}{negative}\n{pairs}".strip()


def _quote(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if set(text) & set(",\n:") else text


def read(infotext: str) -> dict[str, str]:
    """The pairs by name, with `Prompt`, `Negative prompt`, and `Size` also as -1 and -2."""
    *lines, last = infotext.strip().split("\n") if infotext.strip() else [""]
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

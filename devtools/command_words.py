"""A command line's words as a tool's parameters, by the tool's own declaration."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from devtools.host import ROOT

# Text, as Dify's form sends it; a file, or several.
type Value = str | Path | list[Path]


@cache
def tools() -> dict[str, dict[str, Any]]:
    """Return the declaration of every tool by its name, in the provider's order."""
    declared = [_yaml(path) for path in _yaml("provider/stable_diffusion.yaml")["tools"]]
    return {tool["identity"]["name"]: tool for tool in declared}


def read_words(tool: str, words: Sequence[str]) -> dict[str, Value]:
    """Return the parameters that name=value words, and a prompt among them, stand for.

    Several files for one parameter are separated by commas, or given one word each. Of other
    parameters, name=@file is the text of a file, and @@ a plain @. ValueError for what the tool
    does not declare or lacks, and for a file that cannot be read.
    """
    declared = {one["name"]: one for one in tools()[tool]["parameters"]}
    found: dict[str, Value] = {}
    for name, text in _named(tool, words, declared):
        kind = declared[name]["type"]
        earlier = found.get(name)
        if kind == "files":
            found[name] = [*(earlier if isinstance(earlier, list) else []), *_files(name, text)]
        elif earlier is not None:
            raise ValueError(f"{name} is given twice")
        else:
            found[name] = _file(name, text) if kind == "file" else _text(name, text)
    required = [one["name"] for one in declared.values() if one.get("required")]
    missing = [name for name in required if name not in found]
    if missing:
        raise ValueError(f"{tool} needs {' and '.join(missing)}")
    return found


def _named(
    tool: str, words: Sequence[str], declared: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yield each word's name and value; the first word without a name is the prompt."""
    prompted = False
    for word in words:
        match = re.fullmatch(r"(\w+)=(.*)", word, re.DOTALL)
        if match is None:
            if "prompt" not in declared:
                raise ValueError(f"{word!r} is no name=value, and {tool} takes no prompt")
            if prompted:
                raise ValueError(
                    f"{word!r} is no name=value; a prompt of several words needs quotes"
                )
            prompted = True
            yield "prompt", word
        elif match[1] in declared:
            yield match[1], match[2]
        else:
            close = " or ".join(difflib.get_close_matches(match[1], declared))
            hint = f"; did you mean {close}?" if close else "; GUIDE.md lists them"
            raise ValueError(f"{tool} has no parameter {match[1]!r}{hint}")


def _text(name: str, text: str) -> str:
    if not text.startswith("@") or text.startswith("@@"):
        return text.removeprefix("@")
    try:
        # An editor's mark at the start and the break after the last line are not meant.
        return _file(name, text[1:]).read_text(encoding="utf-8-sig").removesuffix("\n")
    except UnicodeDecodeError:
        raise ValueError(f"{name}: {text[1:]!r} is not UTF-8; save it as UTF-8") from None


def _files(name: str, text: str) -> list[Path]:
    if Path(text).is_file():
        return [Path(text)]
    return [_file(name, part.strip()) for part in text.split(",")]


def _file(name: str, text: str) -> Path:
    """ValueError unless it can be read: the plugin could only say that a link leads nowhere."""
    if not text:
        raise ValueError(f"{name} needs a path")
    path = Path(text)
    try:
        path.open("rb").close()
    except OSError as error:
        raise ValueError(f"{name}: {error.strerror}: {text!r}") from None
    return path


def _yaml(path: str) -> Any:  # noqa: ANN401 - whatever the file holds
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))

"""Hold a real server to what declarations/matrix.yaml promises, through the plugin's own process.

    uv run python -m devtools.verify --base-url http://127.0.0.1:7860

Prints each cell with what came of it; the exit code is 1 if one is not as promised. No option of
the server is written. What it applied cannot be seen inside it: a cell is judged by its outcome,
by the number and size of its pictures, which are small, and by what their infotexts say.
"""

import argparse
import io
import os
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from devtools.host import FileServer, PluginError, PluginProcess
from devtools.matrix import LABELS, MATRIX, Cell, cells
from devtools.standin.pictures import texts_inside

_TOLD = re.compile(r"\b(Seed|Sampler|Model): ([^,\n]+)")

type Said = dict[str, Any]


class Caller:
    """Calls the plugin's tools for one server, until the stack is closed."""

    def __init__(self, credentials: Mapping[str, str], stack: ExitStack) -> None:
        self._credentials = credentials
        self._plugin = stack.enter_context(PluginProcess())
        self._files = stack.enter_context(FileServer())
        self._folder = Path(stack.enter_context(TemporaryDirectory()))

    def call(self, tool: str, given: Mapping[str, Any], **login: str) -> Said:
        """Return a call's variables, with its `json`, `text` and `files`."""
        said: Said = {"json": {}, "text": "", "files": {}}
        sent = {name: self._sendable(name, value) for name, value in given.items()}
        for one in self._plugin.invoke(tool, sent, {**self._credentials, **login}):
            match one.message:
                case {"variable_name": name, "variable_value": value}:
                    said[name] = value
                case {"json_object": found}:
                    said["json"] = found
                case {"text": text}:
                    said["text"] += text
                case _:
                    said["files"][(one.meta or {})["filename"]] = one.blob
        return said

    def _sendable(self, name: str, value: object) -> object:
        if not isinstance(value, bytes):
            return value
        path = self._folder / f"{name}.png"
        path.write_bytes(value)
        return [self._files.add(path)] if name == "images" else self._files.add(path)


def verdicts(caller: Caller, family: str | None) -> Iterator[tuple[Cell, str]]:
    """Yield each cell with "as promised", "not as promised" or "not testable", and evidence."""
    lists = {said["list"] for said in MATRIX["stock"].values()} - {"loaded"}
    told = {name: caller.call("server_info", {"list": name}) for name in sorted(lists)}
    server, known = told["models"], {name: said["names"] for name, said in told.items()}
    loaded = re.sub(r" \[\w+\]$", "", server["model"])
    instead = names_instead(known | {"loaded": [loaded]})
    for cell in cells():
        if LABELS[cell.family] != (LABELS[family] if family else server["family"]):
            continue
        fitting = fitted(cell, instead)
        if cell.leftover or not cell.schema:
            yield cell, "not testable: it takes a server that fails, or hides its schema"
        elif cell.login and server["login"] != (cell.result == "refused"):
            yield (
                cell,
                f"not testable: the server asks for {'a' if server['login'] else 'no'} login",
            )
        elif fitting is None:
            yield cell, "not testable: the server has no name that would do"
        else:
            yield cell, verdict(fitting, caller, loaded)


def names_instead(known: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return what to write for those names of the stock that the server lacks, "" for nothing."""
    instead: dict[str, str] = {}
    for stock, said in MATRIX["stock"].items():
        names, taken = known[said["list"]], known["loaded"] if said["list"] == "models" else ()
        if bare(stock) not in map(bare, names):
            likes = [re.search(said.get("like", "(.+)"), one) for one in names if one not in taken]
            own = next((found[1] for found in likes if found), "")
            instead |= {said.get("misspelt", stock).lower(): own[:-1], stock.lower(): own}
    return instead


def fitted(cell: Cell, instead: Mapping[str, str]) -> Cell | None:
    """Return the cell with names that the server has; None if it has none of a kind."""
    if not instead:
        return cell
    words = re.compile(rf"(?i)(?<!\w)(?:{'|'.join(map(re.escape, instead))})(?!\w)")
    lacks: list[str] = []

    def put(value: object) -> object:
        if not isinstance(value, str):
            return value
        lacks.extend(word for word in words.findall(value) if not instead[word.lower()])
        return words.sub(lambda word: instead[word[0].lower()] or word[0], value)

    given, asked = ({k: put(v) for k, v in one.items()} for one in (cell.given, cell.asked))
    fitting = replace(cell, given=given, asked=asked, phrase=str(put(cell.phrase)))
    # What a server does not offer at all needs no name that is right.
    return None if lacks and not cell.outcome.startswith("not offered") else fitting


def verdict(cell: Cell, caller: Caller, loaded: str) -> str:
    """Make the call; return "as promised" or "not as promised", and what came."""
    login = {"username": "nobody", "password": cell.login} if cell.login else {}
    differs = False
    try:
        said = caller.call(cell.tool, cell.given, **login)
    except PluginError as error:
        came, evidence = "refused", error.message
    else:
        # png_info has no warnings: its text says why there is no infotext.
        warnings = said.get("warnings", [] if said.get("infotext") else [said["text"]])
        came, evidence = "warns", " ".join(warnings)
        if not warnings:
            facts = list(compared(cell, said, loaded))
            differs = any(wanted != found for _, wanted, found in facts)
            told = (
                f"{name} {found}" + f" instead of {wanted}" * (wanted != found)
                for name, wanted, found in facts
            )
            came, evidence = "works", ", ".join(dict.fromkeys(told))
    held = came == cell.result and cell.phrase in evidence and not differs
    return f"{'as promised' if held else f'not as promised: {came}'}: {evidence}"


def compared(cell: Cell, said: Said, loaded: str) -> Iterator[tuple[str, object, object]]:
    """Yield what there is to see, each with what it should be and what it is."""
    if cell.tool == "png_info":
        yield from (
            (name, one, said["json"]["fields"].get(name)) for name, one in cell.asked.items()
        )
        return
    # Grids and what extensions add are none of those that were asked for.
    listed = said["json"].get("images", [{"filename": name} for name in said["files"]])
    names = [one["filename"] for one in listed if not (one.get("grid") or one.get("extra"))]
    yield "pictures", cell.pictures, len(names)
    width, height = cell.size
    for place, name in enumerate(names):
        picture = Image.open(io.BytesIO(said["files"][name]))
        yield "size", f"{width}x{height}", "x".join(map(str, picture.size))
        told = dict(_TOLD.findall(texts_inside(picture).get("parameters", "")))
        seed = cell.given.get("seed", said.get("seed", 0)) + place
        model = bare(cell.asked.get("model", loaded))
        wanted = {"Seed": str(seed), "Sampler": cell.asked.get("sampler"), "Model": model}
        for label, one in wanted.items():
            if one and label in told:
                found = bare(told[label])
                # Some write the scheduler behind the sampler.
                yield label, one, one if found.startswith(f"{one} ") else found


def bare(name: str) -> str:
    """Return a name without folder and ending."""
    return re.sub(r"^.*[\\/]|\.(safetensors|ckpt|gguf)$", "", name)


def main(argv: Sequence[str] | None = None) -> int:
    """Return 1 if something is not as promised."""
    parser = argparse.ArgumentParser(prog="python -m devtools.verify", description=__doc__)
    add = parser.add_argument
    add("--base-url", required=True, help="address of the server, such as http://127.0.0.1:7860")
    add("--family", choices=LABELS, help="what to hold it to, unless what it seems to be")
    add("--username", default="", help="for a server with --api-auth; password: SD_PASSWORD")
    options = parser.parse_args(argv)
    login = {"username": options.username, "password": os.environ.get("SD_PASSWORD", "")}
    broken = 0
    print("| tool | call | promised | found |\n|---|---|---|---|")
    with ExitStack() as stack:
        caller = Caller({"base_url": options.base_url, **login}, stack)
        for cell, found in verdicts(caller, options.family):
            shown = textwrap.shorten(found, 300, placeholder=" …").replace("|", "\\|")
            print(f"| {cell.tool} | {cell.row} | {cell.outcome} | {shown} |", flush=True)
            broken += found.startswith("not as promised")
    return int(broken > 0)


if __name__ == "__main__":
    raise SystemExit(main())

"""Hold a real server to what declarations/matrix.yaml promises, through the plugin's own process.

    uv run python -m devtools.verify --base-url http://127.0.0.1:7860

Prints each cell with what came of it; the exit code is 1 if one is not as promised. No option of
the server is written; but one that it never saved stays as a call overrides it. That is told at
the end, as is what it draws with unasked: both are its settings' doing, not a cell's. What it
applied cannot be seen inside it: a cell is judged by its outcome, by the number and size of its
pictures, which are small, and by what their infotexts say.
"""

import argparse
import io
import os
import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from devtools.host import FileServer, PluginError, PluginProcess, ProtocolError
from devtools.matrix import LABELS, MATRIX, Cell, cells
from devtools.standin.pictures import texts_inside

_TOLD = re.compile(r"\b(Seed|Sampler|Model): ([^,\n]+)")
# In warnings of the server's settings.
_SETTINGS = ("Save the WebUI's settings once", "which this call did not ask for")

type Said = dict[str, Any]


@dataclass
class Server:
    """A server behind the plugin, by its credentials; `settings` is what its own have caused."""

    plugin: PluginProcess
    files: FileServer
    folder: Path
    credentials: Mapping[str, str]
    settings: dict[str, None] = field(default_factory=dict)

    def call(self, tool: str, given: Mapping[str, Any], login: Mapping[str, str]) -> Said:
        """Return a call's variables, what else it said, and its `files` by name."""
        said: Said = {"files": {}}
        sent = dict(given)
        for name, value in given.items():
            if isinstance(value, bytes):
                path = self.folder / f"{name}.png"
                path.write_bytes(value)
                sent[name] = [self.files.add(path)] if name == "images" else self.files.add(path)
        for one in self.plugin.invoke(tool, sent, {**self.credentials, **login}):
            if one.blob is not None and one.meta:
                said["files"][one.meta["filename"]] = one.blob
            elif "variable_name" in one.message:
                said[one.message["variable_name"]] = one.message["variable_value"]
            else:
                said |= one.message
        return said

    def verdicts(self, family: str | None) -> Iterator[tuple[Cell, str]]:
        """Yield each cell with "as promised", "not as promised" or "not testable", and why."""
        lists = {said["list"] for said in MATRIX["stock"].values()} - {"loaded"}
        told = {name: self.call("server_info", {"list": name}, {}) for name in sorted(lists)}
        server, known = told["models"], {name: said["names"] for name, said in told.items()}
        known["loaded"] = [re.sub(r" \[\w+\]$", "", server["model"])]
        for cell in cells():
            if LABELS[cell.family] != (LABELS[family] if family else server["family"]):
                continue
            fitting = fitted(cell, names_instead(known))
            if cell.leftover or not cell.schema:
                yield cell, "not testable: it takes a server that fails, or hides its schema"
            elif cell.tool == "remove_background":
                yield cell, "not testable: it depends on an extension, and on samples_format"
            elif not {*cell.extensions} <= {name.lower() for name in known["scripts"]}:
                yield cell, "not testable: it takes an extension that is not installed"
            elif cell.login and server["login"] != (cell.outcome == "refused"):
                yield cell, "not testable: it takes a server with another way of logging in"
            elif fitting is None:
                yield cell, "not testable: the server has no name that would do"
            else:
                yield cell, self.verdict(fitting, known["loaded"][0])

    def verdict(self, cell: Cell, loaded: str) -> str:
        """Make the call; return "as promised" or "not as promised", and what came of it."""
        login = {"username": "nobody", "password": cell.login} if cell.login else {}
        try:
            said = self.call(cell.tool, cell.given, login)
        except PluginError as error:
            came, evidence = "refused", error.message
        except ProtocolError as error:
            came, evidence = "breaks the protocol", str(error)
        else:
            # png_info has no warnings: its text says why there is no infotext.
            warnings = said.get("warnings", [] if said.get("infotext") else [said["text"]])
            own = [one for one in warnings if any(words in one for words in _SETTINGS)]
            self.settings |= dict.fromkeys(own)
            warnings = [one for one in warnings if one not in own]
            came = "warns" if warnings else "works"
            evidence = " ".join(warnings) or ", ".join(dict.fromkeys(seen(cell, said, loaded)))
        held = came == cell.result and cell.phrase in evidence
        if held and not (came == "works" and " instead of " in evidence):
            return f"as promised: {evidence}"
        return f"not as promised: {came}: {evidence}"


def names_instead(known: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the server's names for those of the stock that it lacks, "" where it has none."""
    instead: dict[str, str] = {}
    for stock, said in MATRIX["stock"].items():
        names, taken = known[said["list"]], known["loaded"] if said["list"] == "models" else ()
        if bare(stock) not in map(bare, names):
            likes = [re.search(said.get("like", "(.+)"), one) for one in names if one not in taken]
            own = next((found[1] for found in likes if found), "")
            typo = said.get("misspelt", stock).lower()
            instead |= {typo: own[:-1] or typo, stock.lower(): own}
    return instead


def fitted(cell: Cell, instead: Mapping[str, str]) -> Cell | None:
    """Return the cell with the server's names; None if it needs one where there is none."""
    words = re.compile(rf"(?i)(?<!\w)(?:{'|'.join(map(re.escape, instead)) or '(?!)'})(?!\w)")

    def put(values: Mapping[str, Any]) -> dict[str, Any]:
        own = partial(words.sub, lambda word: instead[word[0].lower()] or word[0])
        return {name: own(one) if isinstance(one, str) else one for name, one in values.items()}

    named = words.findall(" ".join(map(str, [cell.phrase, *cell.given.values()])))
    # What a server does not offer at all needs no name that is right.
    if not all(instead[word.lower()] for word in named) and "not offered" not in cell.outcome:
        return None
    return replace(
        cell, given=put(cell.given), asked=put(cell.asked), **put({"phrase": cell.phrase})
    )


def seen(cell: Cell, said: Said, loaded: str) -> Iterator[str]:
    """Yield what a call that went well shows; " instead of " is in what is not as asked."""
    if cell.tool == "png_info":
        fields = said["json_object"]["fields"]
        yield from (compared(name, fields.get(name), one) for name, one in cell.asked.items())
        return
    if cell.tool == "caption":
        yield f"{len(said['caption'])} characters"
        return
    # Grids and what extensions add are none of those that were asked for.
    listed = said.get("json_object", {}).get("images", [{"filename": one} for one in said["files"]])
    names = [one["filename"] for one in listed if not (one.get("grid") or one.get("extra"))]
    yield compared("pictures", len(names), cell.pictures)
    for place, name in enumerate(names):
        picture = Image.open(io.BytesIO(said["files"][name]))
        yield compared("size", picture.size, tuple(cell.size))
        # What is quoted is an extension's own, such as ControlNet's model.
        text = re.sub(r'"[^"]*"', "", texts_inside(picture).get("parameters", ""))
        told = dict(_TOLD.findall(text))
        wanted = {
            "Seed": str(cell.given.get("seed", said.get("seed", 0)) + place),
            "Sampler": cell.asked.get("sampler", told.get("Sampler")),
            "Model": bare(cell.asked.get("model", loaded)),
        }
        yield from (compared(key, bare(told[key]), wanted[key]) for key in told)


def compared(name: str, found: object, wanted: object) -> str:
    # Some write the scheduler behind the sampler.
    alike = found == wanted or (name == "Sampler" and str(found).startswith(f"{wanted} "))
    return f"{name} {found}" if alike else f"{name} {found} instead of {wanted}"


def bare(name: str) -> str:
    """Return a name without folder and ending."""
    return re.sub(r"^.*[\\/]|\.(safetensors|ckpt|gguf)$", "", name)


def main(argv: Sequence[str] | None = None) -> int:
    """Return 1 if something is not as promised."""
    parser = argparse.ArgumentParser(prog="python -m devtools.verify")
    add = parser.add_argument
    add("--base-url", required=True, help="address of the server, such as http://127.0.0.1:7860")
    add("--family", choices=LABELS, help="what to hold it to, unless what it seems to be")
    add("--username", default="", help="for --api-auth; the password is read from SD_PASSWORD")
    options = parser.parse_args(argv)
    password = os.environ.get("SD_PASSWORD", "")
    login = {"username": options.username, "password": password, "base_url": options.base_url}
    count = Counter[str]()
    with PluginProcess() as plugin, FileServer() as files, TemporaryDirectory() as folder:
        server = Server(plugin, files, Path(folder), login)
        print("| tool | call | promised | found |\n|---|---|---|---|")
        try:
            for cell, found in server.verdicts(options.family):
                count[found.partition(":")[0]] += 1
                shown = textwrap.shorten(found, 300, placeholder=" …").replace("|", "\\|")
                print(f"| {cell.tool} | {cell.row} | {cell.outcome} | {shown} |", flush=True)
        except PluginError as error:
            parser.exit(1, f"{error.message}\n")
    if not count:
        parser.exit(1, "The server is of no known family: name one with --family.\n")
    print("", *server.settings, sep="\n")
    print(", ".join(f"{number} {verdict}" for verdict, number in count.items()))
    return int(count["not as promised"] > 0)


if __name__ == "__main__":
    raise SystemExit(main())

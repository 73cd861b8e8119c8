"""Draws from the command line, through the real plugin process, as a Dify would have it draw.

    uv run python -m devtools.generate "a lighthouse at dawn" width=768 height=512 batch_size=2

Without --base-url a stand-in WebUI draws placeholder pictures.
"""

import argparse
import contextlib
import difflib
import itertools
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from devtools.host import ROOT, Message, PluginError, PluginGoneError, PluginProcess, ProtocolError
from devtools.progress_bar import ProgressBar
from devtools.standin import StandIn

TOOL = "txt2img"
INTERRUPTED = 130


@dataclass
class Drawing:
    """What has come back so far: files on disk by the plugin's name for them, and their account."""

    out: Path
    paths: dict[str, Path] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    images: list[dict[str, Any]] = field(default_factory=list)
    model: str = ""

    def take(self, message: Message, bar: ProgressBar) -> None:
        """Saves a picture, remembers a text, shows the progress."""
        match message.type, message.message:
            case "blob", _:
                name = (message.meta or {}).get("filename", "image")
                self.paths[name] = save(self.out, name, message.blob or b"")
            case "text", {"text": text}:
                self.texts.append(text)
            case "json", {"json_object": {"images": images, "model": model}}:
                self.images, self.model = images, model
            case "variable", {"variable_name": "progress", "variable_value": str(text)}:
                bar.say(text)

    def lines(self) -> list[str]:
        """The plugin's text, then each picture's seed, size, model and path."""
        described = {image["filename"]: image for image in self.images}
        return self.texts + [
            "  ".join([*_facts(described.get(name), self.model), str(path)])
            for name, path in self.paths.items()
        ]


def save(directory: Path, name: str, content: bytes) -> Path:
    """Writes a new file into `directory`, numbered if the name is taken, and returns its path."""
    wanted = Path(Path(name).name)
    for number in itertools.count(1):
        suffix = "" if number == 1 else f"-{number}"
        path = directory / f"{wanted.stem}{suffix}{wanted.suffix}"
        with contextlib.suppress(FileExistsError), path.open("xb") as file:
            file.write(content)
            return path
    raise AssertionError("counting has no end")


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code: 0 drawn, 1 an error (on stderr, worded as in Dify), 2 wrong usage."""
    options = _options(argv)
    drawing = Drawing(options.out)
    code = 0
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        _draw(options, drawing)
    except (PluginError, PluginGoneError, ProtocolError, OSError) as error:
        print(error, file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        code = INTERRUPTED
    # Also after an error: what arrived before it is on disk.
    for line in drawing.lines():
        print(line)
    return code


def _draw(options: argparse.Namespace, drawing: Drawing) -> None:
    with contextlib.ExitStack() as stack:
        base_url = options.base_url
        if base_url is None:
            base_url = stack.enter_context(StandIn(delay=options.delay)).base_url
        credentials = {
            "base_url": base_url,
            "model": options.model,
            "username": options.username,
            "password": options.password,
            "verify_tls": options.verify_tls,
        }
        bar = stack.enter_context(ProgressBar(sys.stderr))
        bar.say("starting the plugin")
        plugin = stack.enter_context(PluginProcess())
        bar.say("drawing")
        for message in plugin.invoke(TOOL, options.parameters, credentials):
            drawing.take(message, bar)


def _facts(image: dict[str, Any] | None, model: str) -> list[str]:
    if image is None:
        return []
    # A grid has no seed, nor have the maps that an extension adds.
    seed = "no seed" if image["seed"] is None else f"seed {image['seed']}"
    size = f"{image['width']}x{image['height']}" if image["width"] else "size unknown"
    return ["grid" if image["grid"] else seed, size, model]


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m devtools.generate",
        description="Draws through the plugin, without a Dify; with a stand-in WebUI unless told.",
        epilog=f"The parameters of {TOOL} are in GUIDE.md.",
    )
    parser.add_argument("prompt", help="what to draw, in quotes")
    parser.add_argument(
        "words", nargs="*", metavar="name=value", help="any parameter, such as width=768"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out"), help="directory for the files (out)"
    )
    parser.add_argument("--base-url", help="address of a real WebUI, such as http://127.0.0.1:7860")
    parser.add_argument("--username", default="", help="for a WebUI with --api-auth")
    parser.add_argument(
        "--password",
        default=os.environ.get("SD_PASSWORD", ""),
        help="for a WebUI with --api-auth; better in the variable SD_PASSWORD",
    )
    parser.add_argument("--model", default="", help="checkpoint, unless a parameter names one")
    parser.add_argument(
        "--no-verify-tls", dest="verify_tls", action="store_false", help="trust any certificate"
    )
    parser.add_argument(
        "--delay", type=float, default=0.0, help="seconds the stand-in takes for one image (0)"
    )
    options = parser.parse_intermixed_args(argv)
    try:
        options.parameters = {"prompt": options.prompt} | _parameters(options.words)
    except ValueError as error:
        parser.error(str(error))
    return options


def _parameters(words: list[str]) -> dict[str, str]:
    """Values stay strings, as a Dify form sends them; ValueError for what the form cannot hold."""
    declaration = yaml.safe_load((ROOT / "tools" / f"{TOOL}.yaml").read_text(encoding="utf-8"))
    declared = [parameter["name"] for parameter in declaration["parameters"]]
    parameters: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"{word!r} is no name=value; a prompt of several words needs quotes")
        if name not in declared:
            close = " or ".join(difflib.get_close_matches(name, declared))
            hint = f"; did you mean {close}?" if close else "; GUIDE.md lists them"
            raise ValueError(f"{TOOL} has no parameter {name!r}{hint}")
        if name in parameters or name == "prompt":
            raise ValueError(f"{name} is given twice")
        parameters[name] = value
    return parameters


if __name__ == "__main__":
    raise SystemExit(main())

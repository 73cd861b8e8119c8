"""Draws from the command line, through the real plugin process, as a Dify would have it draw.

    uv run python -m devtools.generate "a lighthouse at dawn" width=768 height=512 batch_size=2
    uv run python -m devtools.generate --tool img2img "as watercolour" image=photo.png

Without --base-url a stand-in WebUI draws placeholder pictures.
"""

import argparse
import contextlib
import itertools
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devtools import command_words
from devtools.command_words import Value
from devtools.file_server import FileServer
from devtools.host import Message, PluginError, PluginGoneError, PluginProcess, ProtocolError
from devtools.progress_bar import ProgressBar
from devtools.standin import StandIn

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
            case "json", {"json_object": {"images": images, **account}}:
                self.images, self.model = images, str(account.get("model", ""))
            case "variable", {"variable_name": "progress", "variable_value": str(text)}:
                bar.say(text)

    def lines(self) -> list[str]:
        """The plugin's text, then each picture's seed, size, model and path, as far as told."""
        described = {image["filename"]: image for image in self.images}
        # Dify joins a node's texts in the same way.
        text = "".join(self.texts)
        return [text] * bool(text) + [
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
    """Exit code: 0 done, 1 an error (on stderr, worded as in Dify), 2 wrong usage."""
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
        parameters = _sendable(options.parameters, stack.enter_context(FileServer()))
        bar.say(f"running {options.tool}")
        for message in plugin.invoke(options.tool, parameters, credentials):
            drawing.take(message, bar)


def _sendable(parameters: Mapping[str, Value], server: FileServer) -> dict[str, Any]:
    """The same parameters with links in the place of files."""
    sendable: dict[str, Any] = {}
    for name, value in parameters.items():
        match value:
            case Path():
                sendable[name] = server.add(value)
            case list():
                sendable[name] = [server.add(path) for path in value]
            case text:
                sendable[name] = text
    return sendable


def _facts(image: dict[str, Any] | None, model: str) -> list[str]:
    if image is None:
        return []
    facts = []
    if image.get("grid"):
        facts.append("grid")
    elif "seed" in image:
        # The maps that an extension adds have none.
        facts.append("no seed" if image["seed"] is None else f"seed {image['seed']}")
    facts.append(f"{image['width']}x{image['height']}" if image["width"] else "size unknown")
    return [*facts, model] if model else facts


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    tools = command_words.tools()
    parser = argparse.ArgumentParser(
        prog="python -m devtools.generate",
        description="Runs a tool of the plugin without a Dify; with a stand-in WebUI unless told.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(
            [
                "tools:",
                *(
                    f"  {name:12} {tool['description']['human']['en_US']}"
                    for name, tool in tools.items()
                ),
                "",
                "Their parameters are in GUIDE.md.",
            ]
        ),
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="word",
        help="a prompt in quotes, if the tool takes one, and any parameters as name=value, such as "
        "width=768 or image=photo.png; several files are separated by commas",
    )
    parser.add_argument("--tool", default="txt2img", choices=tools, help="what to run (txt2img)")
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
        options.parameters = command_words.read(options.tool, options.words)
    except ValueError as error:
        parser.error(str(error))
    return options


if __name__ == "__main__":
    raise SystemExit(main())

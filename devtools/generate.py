"""Draw from the command line, through the real plugin process, as a Dify would have it draw.

    uv run python -m devtools.generate "a lighthouse at dawn" width=768 height=512 batch_size=2
    uv run python -m devtools.generate --tool img2img "as watercolour" image=photo.png

Without --base-url a stand-in WebUI draws placeholder pictures.
"""

import argparse
import contextlib
import functools
import itertools
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TextIO

from devtools.command_words import Value, read_words, tools
from devtools.host import FileServer, Message, PluginError, PluginProcess, ProtocolError
from devtools.standin import EXTENSIONS, StandIn

INTERRUPTED = 130
BAR_WIDTH, REDRAW_SECONDS = 24, 0.2


class ProgressBar:
    """Shows that something long goes on, from entering the `with` block to leaving it.

    On a terminal the line is redrawn a few times a second and erased at the end. Any other
    `stream` gets a line every `interval` seconds.
    """

    def __init__(self, stream: TextIO, *, interval: float = 10.0) -> None:
        self._write = functools.partial(print, end="", file=stream, flush=True)
        self._on_terminal = stream.isatty()
        # A full line would scroll.
        self._columns = shutil.get_terminal_size().columns - 1
        self._pause = REDRAW_SECONDS if self._on_terminal else interval
        self._text = ""
        self._ended = threading.Event()
        self._drawer = threading.Thread(target=self._draw_on, daemon=True)

    def __enter__(self) -> Self:
        self._begun = time.monotonic()
        self._drawer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._drawer.join()
        if self._on_terminal:
            self._write("\r" + " " * self._columns + "\r")

    def say(self, text: str) -> None:
        """Show `text` from the next drawing on; of several lines the last."""
        self._text = (text.strip().splitlines() or [""])[-1]

    def _draw_on(self) -> None:
        for step in itertools.count():
            if self._ended.wait(self._pause):
                return
            elapsed = int(time.monotonic() - self._begun)
            line = f"{elapsed // 60}:{elapsed % 60:02d} {self._text}"
            if self._on_terminal:
                line = f"[{filled_bar(self._text, step)}] {line}"
                self._write("\r" + line[: self._columns].ljust(self._columns))
            else:
                self._write(f"{line}\n")


def filled_bar(text: str, step: int) -> str:
    """Return a bar filled by the percentage in `text`; without one a mark wanders through it."""
    share = re.search(r"(\d+(?:\.\d+)?) ?%", text)
    if share:
        filled = round(min(float(share[1]), 100.0) / 100 * BAR_WIDTH)
        return "#" * filled + "-" * (BAR_WIDTH - filled)
    position = step % BAR_WIDTH
    return "-" * position + "#" + "-" * (BAR_WIDTH - position - 1)


@dataclass
class Drawing:
    """What has come back so far: files on disk by the plugin's name for them, and their account."""

    out: Path
    paths: dict[str, Path] = field(default_factory=dict)
    text: str = ""
    images: list[dict[str, Any]] = field(default_factory=list)
    model: str = ""

    def take(self, message: Message, bar: ProgressBar) -> None:
        """Save a picture, remember a text, show the progress."""
        match message.type, message.message:
            case "blob", _:
                name = (message.meta or {}).get("filename", "image")
                self.paths[name] = save(self.out, name, message.blob or b"")
            case "text", {"text": text}:
                # Dify joins a node's texts in the same way.
                self.text += text
            case "json", {"json_object": {"images": images, **account}}:
                self.images, self.model = images, str(account.get("model", ""))
            case "variable", {"variable_name": "progress", "variable_value": str(text)}:
                bar.say(text)

    def lines(self) -> list[str]:
        """Return the plugin's text, then each picture's seed, size, model and path."""
        described = {image["filename"]: image for image in self.images}
        return [self.text] * bool(self.text) + [
            "  ".join([*_facts(described.get(name), self.model), str(path)])
            for name, path in self.paths.items()
        ]


def _facts(image: Mapping[str, Any] | None, model: str) -> list[str]:
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


def save(directory: Path, name: str, content: bytes) -> Path:
    """Write a new file into `directory`, numbered if the name is taken, and return its path."""
    path = wanted = directory / Path(name).name
    numbers = itertools.count(2)
    while path.exists():
        path = wanted.with_stem(f"{wanted.stem}-{next(numbers)}")
    path.write_bytes(content)
    return path


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 when done, 1 for an error (its sentence on stderr), 2 for wrong usage."""
    options = _options(argv)
    drawing = Drawing(options.out)
    code = 0
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        _draw(options, drawing)
    except (PluginError, ProtocolError, OSError) as error:
        print(error.message if isinstance(error, PluginError) else error, file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        code = INTERRUPTED
    # Also after an error: what arrived before it is on disk.
    for line in drawing.lines():
        print(line)
    return code


def _draw(options: argparse.Namespace, drawing: Drawing) -> None:
    with contextlib.ExitStack() as stack:
        credentials = stack.enter_context(credentials_of(options))
        bar = stack.enter_context(ProgressBar(sys.stderr))
        bar.say("starting the plugin")
        plugin = stack.enter_context(PluginProcess())
        files = stack.enter_context(FileServer())
        parameters = {name: _sendable(value, files) for name, value in options.parameters.items()}
        bar.say(f"running {options.tool}")
        for message in plugin.invoke(options.tool, parameters, credentials):
            drawing.take(message, bar)


def _sendable(value: Value, files: FileServer) -> object:
    """Put links in the place of files."""
    if isinstance(value, list):
        return [files.add(path) for path in value]
    return files.add(value) if isinstance(value, Path) else value


def add_server(parser: argparse.ArgumentParser) -> None:
    """Have a command take the WebUI's address and login, and a directory for what comes."""
    add = parser.add_argument
    add("--out", type=Path, default=Path("out"), help="directory for the files (out)")
    add("--base-url", help="address of a real WebUI, such as http://127.0.0.1:7860")
    add("--username", default="", help="for a WebUI with --api-auth")
    password = os.environ.get("SD_PASSWORD", "")
    add("--password", default=password, help="likewise; better in the variable SD_PASSWORD")
    add("--model", default="", help="checkpoint, unless a parameter names one")
    add("--no-verify-tls", dest="verify_tls", action="store_false", help="trust any certificate")
    add("--delay", type=float, default=0.0, help="seconds the stand-in takes for one image (0)")


@contextlib.contextmanager
def credentials_of(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Lend the credentials that a command was given; those of a stand-in without an address.

    It has every extension, so that each tool and example can be tried.
    """
    names = ("base_url", "model", "username", "password", "verify_tls")
    credentials = {name: getattr(options, name) for name in names}
    with contextlib.ExitStack() as stack:
        if options.base_url is None:
            standin = stack.enter_context(StandIn(delay=options.delay, extensions=EXTENSIONS))
            credentials["base_url"] = standin.base_url
        yield credentials


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    described = {name: one["description"]["human"]["en_US"] for name, one in tools().items()}
    listed = "\n".join(f"  {name:12} {text}" for name, text in described.items())
    parser = argparse.ArgumentParser(
        prog="python -m devtools.generate",
        description="Runs a tool of the plugin without a Dify; with a stand-in WebUI unless told.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"tools:\n{listed}\n\nTheir parameters are in GUIDE.md.",
    )
    add = parser.add_argument
    add(
        "words",
        nargs="*",
        metavar="word",
        help="a prompt in quotes, if the tool takes one, and any parameters as name=value, such as "
        "width=768 or image=photo.png; several files are separated by commas. name=@file reads a "
        "value from a UTF-8 file (for JSON, whose quotes PowerShell 5.1 drops), @@ is a plain @",
    )
    add("--tool", default="txt2img", choices=described, help="what to run (txt2img)")
    add_server(parser)
    options = parser.parse_intermixed_args(argv)
    try:
        options.parameters = read_words(options.tool, options.words)
    except ValueError as error:
        parser.error(str(error))
    return options


if __name__ == "__main__":
    raise SystemExit(main())

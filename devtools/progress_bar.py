"""Shows that something long goes on: a bar on a terminal, elsewhere a line now and then."""

import os
import re
import threading
import time
from types import TracebackType
from typing import Self, TextIO

BAR_WIDTH = 24
REDRAW_SECONDS = 0.2


class ProgressBar:
    """Runs from entering the `with` block to leaving it.

    On a terminal the line is redrawn a few times a second and erased at the end. Any other
    `stream` gets a line every `interval` seconds. A percentage in the text fills the bar;
    without one a mark wanders through it.
    """

    def __init__(self, stream: TextIO, *, interval: float = 10.0) -> None:
        self._stream = stream
        self._on_terminal = stream.isatty()
        self._pause = REDRAW_SECONDS if self._on_terminal else interval
        self._text = ""
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        self._begun = time.monotonic()
        self._drawer = threading.Thread(target=self._draw_on, daemon=True)
        self._drawer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._drawer.join()
        if self._on_terminal:
            self._write("\r" + " " * self._columns() + "\r")

    def say(self, text: str) -> None:
        """Shows `text` from the next drawing on; of several lines the last."""
        self._text = (text.strip().splitlines() or [""])[-1]

    def _draw_on(self) -> None:
        step = 0
        while not self._ended.wait(self._pause):
            elapsed = int(time.monotonic() - self._begun)
            clock = f"{elapsed // 60}:{elapsed % 60:02d}"
            if self._on_terminal:
                columns = self._columns()
                line = f"[{_bar(self._text, step)}] {clock} {self._text}"
                self._write("\r" + line[:columns].ljust(columns))
            else:
                self._write(f"{clock} {self._text}\n")
            step += 1

    def _columns(self) -> int:
        """The terminal's width less one: a full line would scroll."""
        try:
            return (os.get_terminal_size(self._stream.fileno()).columns or 80) - 1
        except OSError:
            return 79

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _bar(text: str, step: int) -> str:
    share = re.search(r"(\d+(?:\.\d+)?) ?%", text)
    if share:
        filled = round(min(float(share[1]), 100.0) / 100 * BAR_WIDTH)
        return "#" * filled + "-" * (BAR_WIDTH - filled)
    position = step % BAR_WIDTH
    return "-" * position + "#" + "-" * (BAR_WIDTH - position - 1)

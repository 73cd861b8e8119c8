"""JSON as it arrives, in time linear in its length and memory that does not grow with it."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from json import JSONDecoder
from typing import Any

import ijson
from ijson.common import JSONError
from ijson.utils import sendable_list

from webui.errors import StableDiffusionError

# Bytes of a text, across two chunks, that go through the parser. It reads an unfinished one again
# from its start with every piece it is given, and holds it whole: longer ones pass it by.
_SHORT = 1024
_INSIDE = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
# What lies between texts, and texts that are whole.
_PLAIN = re.compile(rb'(?:[^"]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
# What numbers and words are of, and how many bytes no number has: the parser would hold it all.
_ATOM = b"+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LONGEST_ATOM = 10_000

type Event = tuple[str, Any]


class UnreadableError(ValueError):
    """What arrived is no JSON."""


class CutOffError(UnreadableError):
    """It is JSON as far as it goes."""


@dataclass(frozen=True)
class TooLong:
    """In place of a text: how many characters it has, but for backslashes, and its last two."""

    length: int
    end: bytes


def read_events(chunks: Iterator[bytes], room: Callable[[], int]) -> Iterator[Event]:
    """Yield what `ijson.basic_parse` would: ("map_key", "images"), ("string", "…"), ….

    room: how many characters are wanted of the text that begins now; asked when all before it has
    been yielded, for long ones. Of more nothing is held: it is TooLong, or "" as a key.
    UnreadableError and CutOffError come after all that was sound.
    """
    reader = _Reader(room)
    try:
        for chunk in chunks:
            yield from reader.read(chunk)
            # Data that is already there comes without a wait; others must get their turn.
            time.sleep(0)
    except StableDiffusionError:
        # What had arrived is sound.
        yield from reader.parse()
        raise
    reader.close()


class _Reader:
    """Leads all but long texts through the parser, which sees an empty one in place of each."""

    def __init__(self, room: Callable[[], int]) -> None:
        self._room = room
        self._found: list[Event] = sendable_list()
        # Floats, because the C parser does not survive a whole number of over 4300 digits.
        self._parser = ijson.basic_parse_coro(self._found, use_float=True)
        self._waiting = bytearray()
        self._atom = 0
        self._text: _Text | None = None

    def read(self, chunk: bytes) -> Iterator[Event]:
        """Yield what is complete with this chunk."""
        at = 0
        while at < len(chunk):
            if self._text is None:
                plain = _PLAIN.match(chunk, at)
                end = plain.end() if plain else at
                # With the quotation mark of the text that begins there.
                self._waiting += chunk[at : end + 1]
                if end < len(chunk):
                    self._text = _Text()
            else:
                end = self._text.end_in(chunk, at)
                yield from self._read_text(self._text, chunk[at:end])
                if end < len(chunk):
                    yield from self._end_text(self._text)
            at = end + 1
        yield from self.parse()

    def parse(self) -> Iterator[Event]:
        """Yield what is in all that waits for the parser."""
        waiting, self._waiting = self._waiting, bytearray()
        if not waiting:
            return
        atom = len(waiting) - len(waiting.rstrip(_ATOM))
        self._atom = atom + self._atom if atom == len(waiting) else atom
        try:
            if self._atom > _LONGEST_ATOM:
                raise UnreadableError
            self._parser.send(waiting)
        except JSONError as error:
            yield from self._found
            raise UnreadableError from error
        yield from self._found
        self._found.clear()

    def close(self) -> None:
        """Be told that nothing more comes."""
        try:
            self._parser.close()
        except JSONError as error:
            raise CutOffError from error

    def _read_text(self, text: "_Text", part: bytes) -> Iterator[Event]:
        if text.room is None and len(text.held) + len(part) > _SHORT:
            yield from self.parse()
            text.room = self._room()
        text.add(part)

    def _end_text(self, text: "_Text") -> Iterator[Event]:
        self._text = None
        if text.room is None:
            self._waiting += text.held + b'"'
            return
        self._waiting += b'"'
        for event, _ in self.parse():
            yield event, text.value() if event == "string" else ""


class _Text:
    """A text while it is read. room: None while it is short."""

    def __init__(self) -> None:
        self.room: int | None = None
        self.held = bytearray()
        self._length = 0
        self._end = b""
        self._is_escaped = False

    def end_in(self, chunk: bytes, at: int) -> int:
        """Return where the text ends that goes on in a chunk; the chunk's length if it does not."""
        start, escaped = at + self._is_escaped, False
        quote = chunk.find(b'"', start)
        end = quote if quote >= 0 else len(chunk)
        # Base64, which has none, is passed over at the speed of memory.
        if chunk.find(b"\\", start, end) >= 0 and (inside := _INSIDE.match(chunk, start)):
            end = inside.end()
            escaped = chunk[end:] == b"\\"
        self._is_escaped = escaped
        return len(chunk) if escaped else end

    def add(self, part: bytes) -> None:
        self._length += len(part) - part.count(b"\\")
        self._end = (self._end + part[-2:])[-2:]
        if self.room is None or self._length <= self.room:
            self.held += part
        else:
            self.held.clear()

    def value(self) -> str | TooLong:
        """Return the text itself, if there was room for it."""
        if self.room is not None and self._length > self.room:
            return TooLong(self._length, self._end)
        text = self.held.decode(errors="replace")
        if "\\" not in text:
            return text
        try:
            # One text, in which nothing can be nested.
            return str(JSONDecoder(strict=False).decode(f'"{text}"'))
        except ValueError as error:
            raise UnreadableError from error

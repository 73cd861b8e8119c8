"""The reply to a generation, read as it arrives: each image is handed on before the next.

A reply is {"images": [base64, …], "parameters": {…}, "info": "<JSON text>"}, or {"image": base64}
from extra-single-image. It can hold hundreds of megabytes, so it is never whole in memory.
Of a picture that is put into words, it is {"caption": text}, or the like.
"""

import sys
from collections.abc import Iterator
from typing import Self

import requests

from webui.errors import WebUIConnectionError, WebUIResponseError
from webui.http import body, diagnosis, stream
from webui.http.account import Account
from webui.http.address import Address
from webui.http.events import CutOffError, Event, TooLong, UnreadableError, read_events
from webui.pictures.picture import Picture, decode_picture

# Characters of what a reply says beside its pictures; a thousand pictures' account has ten million.
# Of more, the pictures alone count.
LARGEST_ACCOUNT = 16 << 20
# Of a picture put into words; a language model's answer has a few thousand at the most.
LARGEST_TEXT = 100_000
# Of what stands before a picture's base64, as "data:image/png;base64,".
_PREFIX = 100
_DEEPEST = 100
_WORDS = ("error", "detail", "message")
_ELEMENT = "images[]"


class Reply:
    """An open response: iterate over `pictures()` to the end, then read `account`.

    largest: bytes above which a picture is not decoded but noted in `too_large`, as its number
    from 1 and its bytes. says: the key of the text that comes in place of pictures, if one does.
    """

    def __init__(
        self,
        response: requests.Response,
        address: Address,
        largest: int = sys.maxsize,
        says: str = "",
    ) -> None:
        self._response = response
        self._address = address
        self._largest = largest
        self._says = says
        self._count = 0
        self._has_images = False
        self._words = ""
        self._place = _Place()
        self._beginning = b""
        self.account = Account()
        self.too_large: list[tuple[int, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._response.close()

    def pictures(self) -> Iterator[Picture]:
        """Yield each image once, in the server's order.

        WebUIResponseError for anything that is not such a reply: HTML, other or truncated JSON,
        broken base64; WebUIConnectionError when the connection breaks off in the middle.
        """
        with self._response:
            for event, value in self._events():
                name = self._place.enter(event, value)
                if name == _ELEMENT or (name, event) == ("image", "string"):
                    self._has_images = True
                    picture = self._picture(value)
                    if picture is not None:
                        yield picture
                elif (name, event) == ("images", "start_array"):
                    self._has_images = True
                elif isinstance(value, str):
                    self._hear(name, value)
        if not self._has_images and self.account.text is None:
            wanted = "the text asked for" if self._says else "images"
            raise diagnosis.without_result(wanted, self._words, self._address)

    def _hear(self, name: str, value: str) -> None:
        if name and name == self._says:
            self.account = Account(text=value)
        elif name == "info":
            self.account = Account.parse(value)
        elif name in _WORDS:
            self._words = body.words_of({"error": self._words, "detail": value})

    def _picture(self, value: object) -> Picture | None:
        self._count += 1
        length, end = (value.length, value.end) if isinstance(value, TooLong) else (0, b"")
        if isinstance(value, str):
            length, end = len(value), value[-2:].encode(errors="replace")
        size = length // 4 * 3 - end.count(b"=")
        if size > self._largest:
            self.too_large.append((self._count, size))
            return None
        try:
            if not isinstance(value, str):
                raise ValueError("is not base64 text")
            return decode_picture(value)
        except ValueError as error:
            raise WebUIResponseError(
                f"Image {self._count} of the reply from {self._address} {error}."
            ) from None

    def _room(self) -> int:
        """Return how many characters of the text that begins now are worth holding."""
        name = self._place.name
        if name in {_ELEMENT, "image"}:
            return self._largest // 3 * 4 + 4 + _PREFIX
        if name and name == self._says:
            return LARGEST_TEXT
        return LARGEST_ACCOUNT if name == "info" or name in _WORDS else 0

    def _events(self) -> Iterator[Event]:
        seen = False
        try:
            for event in read_events(self._chunks(), self._room):
                seen = True
                yield event
                if self._place.depth > _DEEPEST:
                    raise WebUIResponseError(
                        f"The reply from {self._address} is nested more than {_DEEPEST} levels "
                        "deep."
                    )
        except UnreadableError as error:
            if not seen:
                stream.hold(self._response, self._beginning)
                raise diagnosis.not_a_webui(self._response, self._address) from error
            if not isinstance(error, CutOffError):
                raise WebUIResponseError(
                    f"The reply from {self._address} is not valid JSON."
                ) from error
            raise WebUIResponseError(
                f"The reply from {self._address} ends in the middle, after "
                f"{_told(self._count, 'whole ')}. Did a proxy cut it, or the WebUI stop?"
            ) from error

    def _chunks(self) -> Iterator[bytes]:
        try:
            for piece in stream.told_pieces(self._response, self._address):
                self._beginning = self._beginning or piece
                yield piece
        except WebUIConnectionError as problem:
            if self._count:
                raise type(problem)(f"{problem} {_told(self._count)} had arrived.") from problem
            raise


class _Place:
    """Where in a reply its events stand."""

    def __init__(self) -> None:
        self.depth = 0
        # Of the value at the top level that is read.
        self._key = ""
        self._in_array = False

    @property
    def name(self) -> str:
        """Return the key of a value at the top level, "images[]" for one in there, else ""."""
        if self.depth == 1:
            return self._key
        return f"{self._key}[]" if self.depth == 2 and self._in_array else ""

    def enter(self, event: str, value: object) -> str:
        """Take note of an event; return the name of the value that it begins, "" for none."""
        name = "" if event.startswith(("end_", "map_")) else self.name
        if event.startswith("start_"):
            if self.depth == 1:
                self._in_array = event == "start_array"
            self.depth += 1
            return name
        if event.startswith("end_"):
            self.depth -= 1
        if self.depth == 1:
            # What follows a value has a key of its own.
            self._key = str(value) if event == "map_key" else ""
        return name


def _told(count: int, kind: str = "") -> str:
    return f"{count} {kind}{'image' if count == 1 else 'images'}"

"""The reply to a generation, read as it arrives: each image is handed on before the next.

A reply is {"images": [base64, …], "parameters": {…}, "info": "<JSON text>"}, or {"image": base64}
from extra-single-image. It can hold hundreds of megabytes, so it is never whole in memory.
"""

import sys
import time
from collections.abc import Iterator
from typing import Any, Self

import ijson
import requests
from ijson.common import JSONError
from ijson.utils import sendable_list

from webui.errors import StableDiffusionError, WebUIConnectionError, WebUIResponseError
from webui.http import body, diagnosis, stream
from webui.http.account import Account
from webui.http.address import Address
from webui.pictures.picture import Picture, decode_picture


class Reply:
    """An open response: iterate over `pictures()` to the end, then read `account`.

    largest: bytes above which a picture is not decoded but noted in `too_large`, as its number
    from 1 and its bytes.
    """

    def __init__(
        self, response: requests.Response, address: Address, largest: int = sys.maxsize
    ) -> None:
        self._response = response
        self._address = address
        self._largest = largest
        self._count = 0
        self._has_images = False
        self._words = ""
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
            for prefix, event, value in self._events():
                if prefix == "images" and event == "start_array":
                    self._has_images = True
                elif prefix == "images.item" or (prefix, event) == ("image", "string"):
                    self._has_images = True
                    picture = self._picture(value)
                    if picture is not None:
                        yield picture
                elif prefix == "info" and event == "string":
                    self.account = Account.parse(value)
                elif prefix in {"error", "detail", "message"} and event == "string":
                    self._words = body.words_of({"error": self._words, "detail": value})
        if not self._has_images:
            raise diagnosis.without_images(self._words, self._address)

    def _picture(self, value: object) -> Picture | None:
        self._count += 1
        if isinstance(value, str):
            size = len(value) // 4 * 3 - value[-2:].count("=")
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

    def _events(self) -> Iterator[tuple[str, str, Any]]:
        """ijson's (prefix, event, value) for each piece of the body."""
        events = sendable_list()
        # Floats, because the C parser does not survive a whole number of over 4300 digits.
        parser = ijson.parse_coro(events, use_float=True)
        seen = False
        try:
            for piece in _at_quotes(self._chunks()):
                parser.send(piece)
                seen = seen or bool(events)
                yield from events
                events.clear()
                # Data that is already there comes without a wait; others must get their turn.
                time.sleep(0)
        except JSONError as error:
            # What came before the mistake in the same chunk is sound.
            seen = seen or bool(events)
            yield from events
            raise self._unreadable(seen) from error
        try:
            parser.close()
        except JSONError as error:
            if not seen:
                raise diagnosis.not_a_webui(self._response, self._address) from error
            raise WebUIResponseError(
                f"The reply from {self._address} ends in the middle, after "
                f"{_told(self._count, 'whole ')}. Did a proxy cut it, or the WebUI stop?"
            ) from error

    def _chunks(self) -> Iterator[bytes]:
        try:
            yield from stream.told_pieces(self._response, self._address)
        except WebUIConnectionError as problem:
            if self._count:
                raise type(problem)(f"{problem} {_told(self._count)} had arrived.") from problem
            raise

    def _unreadable(self, seen: bool) -> WebUIResponseError:
        if not seen:
            return diagnosis.not_a_webui(self._response, self._address)
        return WebUIResponseError(f"The reply from {self._address} is not valid JSON.")


def _told(count: int, kind: str = "") -> str:
    return f"{count} {kind}{'image' if count == 1 else 'images'}"


def _at_quotes(chunks: Iterator[bytes]) -> Iterator[bytearray]:
    """Hand the bytes on where a text can end, or when as many have gathered as went before.

    The C parser reads an unfinished text again from its start with every piece it is given: in
    pieces of one size, the work would grow with the square of a picture's size.
    """
    held = bytearray()
    passed = 0
    try:
        for chunk in chunks:
            held += chunk
            ends = b'"' in chunk
            if ends or len(held) > passed:
                passed = 0 if ends else passed + len(held)
                full, held = held, bytearray()
                yield full
    except StableDiffusionError:
        # What had arrived is sound.
        if held:
            yield held
        raise
    if held:
        yield held

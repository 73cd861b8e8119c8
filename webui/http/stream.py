"""The only place that reads bodies: in pieces, unpacked, never more or longer than allowed."""

import math
import time
import zlib
from collections.abc import Iterator
from io import BytesIO

import requests
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from webui.errors import WebUIResponseError
from webui.http import diagnosis
from webui.http.address import Address
from webui.http.wires import watched

_PIECE = 65536
# zlib's own window, with a header of either gzip or zlib, which is what HTTP calls deflate.
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class BodyError(ValueError):
    """A body that cannot be used; the phrase follows its name: "is larger than 16 MiB"."""


def pieces(
    response: requests.Response, *, most: float = math.inf, until: float = math.inf
) -> Iterator[bytes]:
    """Yield an open body as it comes in, unpacked, in pieces of at most 64 KiB.

    most: bytes, once unpacked. until: a time.monotonic(); a body that drips is cut off there if the
    session is a `wires.Session`, and otherwise ends with the piece that is waited for.
    BodyError for more, and for what is not encoded as it says or as nobody asked for; what
    `diagnosis.Broken` names for a connection that breaks off or takes too long.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    arriving = _arriving(response, until)
    if encoding in {"gzip", "x-gzip", "deflate"}:
        arriving = _unpacked(arriving)
    elif encoding not in {"", "identity"}:
        raise BodyError(f"is encoded as {encoding[:40]!r}, which nobody asked for")
    read = 0
    for piece in arriving:
        read += len(piece)
        if read > most:
            raise BodyError(f"is larger than {most / (1 << 20):g} MiB")
        yield piece


def told_pieces(
    response: requests.Response,
    address: Address,
    *,
    most: float = math.inf,
    until: float = math.inf,
) -> Iterator[bytes]:
    """Yield the same of a WebUI's answer; what goes wrong is a WebUIError that says it."""
    try:
        yield from pieces(response, most=most, until=until)
    except BodyError as error:
        raise WebUIResponseError(f"The reply from {address} {error}.") from error
    except diagnosis.Broken as error:
        raise diagnosis.diagnose_exception(error, address) from error


def hold(response: requests.Response, body: bytes) -> None:
    """Let these bytes be all that `content` and `text` of the response know."""
    response.raw = BytesIO(body)
    response.content  # noqa: B018 - reading it is the effect


def _arriving(response: requests.Response, until: float) -> Iterator[bytes]:
    """Yield the body as it is sent. requests' own iterator waits until a chunk is full."""
    raw = response.raw
    connection = getattr(raw, "connection", None)
    with watched(connection, until):
        while True:
            try:
                piece = raw.read1(_PIECE, decode_content=False)
            except diagnosis.Broken:
                _refuse_late(connection, until)
                raise
            _refuse_late(connection, until)
            if not piece:
                break
            yield piece
    if getattr(connection, "is_cut", False):
        # Where the end of the connection is the body's, it looks whole.
        raise ProtocolError("cut")


def _refuse_late(connection: object, until: float) -> None:
    if getattr(connection, "is_late", False) or time.monotonic() >= until:
        raise ReadTimeoutError(None, None, "The body took too long.")  # type: ignore[arg-type]


def _unpacked(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what gzip or zlib packed. What follows its end means nothing."""
    unpacking = zlib.decompressobj(_GZIP_OR_ZLIB)
    for piece in packed:
        while not unpacking.eof:
            try:
                found = unpacking.decompress(piece, _PIECE)
            except zlib.error as error:
                raise BodyError("is not compressed as it says") from error
            if found:
                yield found
            piece = unpacking.unconsumed_tail
            if not piece and len(found) < _PIECE:
                break

"""Files that Dify hands over as links: fetched at once, for the links live only minutes."""

import math
import os
import time
from collections.abc import Iterable, Sequence
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    TimeoutError,
)

from webui.errors import InvalidParameterError
from webui.http.diagnosis import Broken
from webui.http.stream import BodyError, pieces
from webui.http.wires import Session
from webui.pictures.picture import Picture, Source, identify_picture
from webui.text import shortened

# Seconds to connect, for the headers and between two pieces, and for one file in all.
CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0
FETCH_TIMEOUT = 120.0
MOST_BYTES = 64 << 20
# All files of a call: they are in memory together.
MOST_TOGETHER = 128 << 20

_MOST_REDIRECTS = 5
_LONGEST_HOST = 253
_LONGEST_LABEL = 63
_MOST_PIXELS = 64_000_000
_TYPES = {"image/png", "image/jpeg", "image/webp"}
_EXPIRED = {401, 403, 404, 410}
_PORTS = {"http": 80, "https": 443}
# Where Dify says that its files are.
_VARIABLES = ("FILES_URL", "INTERNAL_FILES_URL")
_REMEDY = (
    "Set FILES_URL or INTERNAL_FILES_URL in docker/.env to an address of Dify's API that the "
    "plugin daemon reaches, such as http://api:5001."
)


class Files:
    """The files of one call, which share a limit. until: the time.monotonic() when it is over."""

    def __init__(self, until: float = math.inf) -> None:
        self._until = until
        self._together = 0

    def read_file(self, value: object, parameter: str, number: int = 1) -> Source:
        """Return the picture that a Dify file is.

        value: what Dify passes for a file, anything with a `url` (and perhaps a `filename` and a
        `size` in bytes), or a list of one. number: its place among others, by which it goes without
        a name. InvalidParameterError names the parameter for a link that cannot be followed, and
        for what is no PNG, JPEG or WebP of at most 64 MiB and 64 megapixels.
        """
        if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 1:
            value = value[0]
        url = getattr(value, "url", None)
        if not isinstance(url, str):
            raise InvalidParameterError(f"{parameter}: bind it to a file variable.")
        size = getattr(value, "size", None)
        self._refuse_large(size if isinstance(size, int) else 0, parameter)
        name = str(getattr(value, "filename", None) or f"image {number}")
        data = bytearray()
        for piece in _fetch(url, parameter, self._until):
            data += piece
            self._refuse_large(len(data), parameter)
        self._together += len(data)
        return Source(name, _picture(bytes(data), parameter))

    def read_files(self, value: object, parameter: str) -> list[Source]:
        """Return the pictures of a list of Dify files, in order; one file is a list of one."""
        listed = value if isinstance(value, Sequence) else [value]
        files = [one for one in listed if one is not None]
        return [self.read_file(one, parameter, number) for number, one in enumerate(files, 1)]

    def _refuse_large(self, size: int, parameter: str) -> None:
        if size > MOST_BYTES:
            raise InvalidParameterError(
                f"{parameter}: the file is larger than {MOST_BYTES >> 20} MiB. Give a smaller one."
            )
        if self._together + size > MOST_TOGETHER:
            raise InvalidParameterError(
                f"{parameter}: with this file those of the call are larger than "
                f"{MOST_TOGETHER >> 20} MiB together. Give fewer or smaller ones."
            )


def _picture(data: bytes, parameter: str) -> Picture:
    try:
        picture = identify_picture(data)
    except ValueError as error:
        raise InvalidParameterError(
            f"{parameter}: the file {error}. Give PNG, JPEG or WebP."
        ) from None
    if picture.mime_type not in _TYPES or not picture.width or not picture.height:
        raise InvalidParameterError(
            f"{parameter}: the file is {picture.mime_type} or damaged. Give PNG, JPEG or WebP."
        )
    if picture.width * picture.height > _MOST_PIXELS:
        raise InvalidParameterError(
            f"{parameter}: {picture.width}x{picture.height} is more than "
            f"{_MOST_PIXELS // 1_000_000} megapixels. Give a smaller picture."
        )
    return picture


def _fetch(url: str, parameter: str, until: float) -> Iterable[bytes]:
    """Yield what is behind a link; no message shows the link, which carries a signature."""
    until = min(time.monotonic() + FETCH_TIMEOUT, until)
    link = _split(url, parameter)
    try:
        with Session() as session:
            for _ in range(_MOST_REDIRECTS + 1):
                with _open(session, link, until) as response:
                    if not response.is_redirect:
                        _refuse_status(response.status_code, link, parameter)
                        yield from pieces(response, until=until)
                        return
                    location = response.headers["Location"]
                link = _redirected(link, location, parameter)
    except BodyError as error:
        raise InvalidParameterError(f"{parameter}: the file from {_host(link)} {error}.") from None
    except Broken as error:
        # Its own words quote the link.
        raise InvalidParameterError(f"{parameter}: {_said(error, _host(link))}") from None
    raise InvalidParameterError(
        f"{parameter}: {_host(link)} redirects more than {_MOST_REDIRECTS} times for the file."
    )


def _open(session: Session, link: SplitResult, until: float) -> requests.Response:
    left = max(until - time.monotonic(), 0.001)
    patience = (min(CONNECT_TIMEOUT, left), min(READ_TIMEOUT, left))
    return session.get(link.geturl(), timeout=patience, stream=True)


def _split(url: str, parameter: str) -> SplitResult:
    if not url.startswith(("http://", "https://")) or url.split("/")[2:3] in ([], [""]):
        raise InvalidParameterError(
            f"{parameter}: Dify's link to the file has no host. Set "
            "INTERNAL_FILES_URL=http://api:5001 in docker/.env."
        )
    try:
        link = urlsplit(url)
        _refuse_no_host(link.hostname or "")
        _ = link.port
    except ValueError:
        host = shortened(url.split("/")[2].rpartition("@")[2], _LONGEST_LABEL)
        raise InvalidParameterError(
            f"{parameter}: {host!r} in Dify's link to the file is no host and port. {_REMEDY}"
        ) from None
    return link


def _refuse_no_host(host: str) -> None:
    """ValueError for what no name server knows and libraries stumble over."""
    labels = host.removesuffix(".").split(".")
    if ":" not in host and not all(0 < len(label) <= _LONGEST_LABEL for label in labels):
        raise ValueError("is no host")
    if len(host) > _LONGEST_HOST:
        raise ValueError("is no host")


def _redirected(link: SplitResult, location: str, parameter: str) -> SplitResult:
    """Return where a redirect leads, as long as it stays with Dify."""
    try:
        target = urlsplit(urljoin(link.geturl(), location))
        stays = any(_is_same(target, home) for home in (link, *_homes()))
    except ValueError:
        stays = False
    if not stays:
        raise InvalidParameterError(
            f"{parameter}: {_host(link)} redirects to {_target(location)} for the file. Files are "
            "fetched only from the host that Dify names, so that nobody leads into your network. "
            "Upload the file, or give the address where it is in the end."
        )
    return target


def _homes() -> list[SplitResult]:
    return [urlsplit(os.environ[name]) for name in _VARIABLES if os.environ.get(name)]


def _is_same(one: SplitResult, other: SplitResult) -> bool:
    """Tell whether two addresses are on one host and port; http may become https."""
    if one.scheme not in _PORTS or other.scheme not in _PORTS or one.hostname != other.hostname:
        return False
    ports = [link.port or _PORTS[link.scheme] for link in (one, other)]
    return ports[0] == ports[1] or set(ports) == set(_PORTS.values())


def _host(link: SplitResult) -> str:
    return shortened(link.netloc.rpartition("@")[2], _LONGEST_HOST)


def _target(location: str) -> str:
    """Return the host of a redirect, for an error: the rest may be secret."""
    try:
        return _host(urlsplit(location)) or "another address"
    except ValueError:
        return "something that is no address"


def _refuse_status(status: int, link: SplitResult, parameter: str) -> None:
    if status == requests.codes.ok:
        return
    advice = (
        "Links of Dify live 300 s (FILES_ACCESS_TIMEOUT): was the run paused?"
        if status in _EXPIRED
        else "Its log says why; look at that of Dify's api."
        if status >= requests.codes.internal_server_error
        else "That is no file."
    )
    raise InvalidParameterError(
        f"{parameter}: {_host(link)} answers {status} for the file. {advice}"
    )


def _said(error: Exception, host: str) -> str:
    """Return a sentence on what broke, and its remedy, in our own words."""
    cause = _cause(error)
    if isinstance(error, requests.exceptions.SSLError):
        return f"the TLS certificate of {host} is not trusted, so the file was not fetched."
    if isinstance(cause, NewConnectionError | ConnectTimeoutError):
        return f"the file cannot be fetched from {host}. {_REMEDY}"
    if isinstance(cause, TimeoutError | requests.Timeout):
        return (
            f"{host} did not send the file in time. It has {READ_TIMEOUT:.0f} s to begin and "
            f"{FETCH_TIMEOUT:.0f} s in all, and no more than the call: is it busy, or a proxy "
            "before it?"
        )
    return f"{host} broke the connection off before the file was complete. Run this again."


def _cause(error: Exception) -> Exception:
    """Return what urllib3 raised, out of requests' wrapping."""
    inside = error.args[0] if error.args else None
    if isinstance(inside, MaxRetryError) and inside.reason is not None:
        return inside.reason
    return inside if isinstance(inside, HTTPError) else error

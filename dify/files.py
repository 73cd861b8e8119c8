"""Files that Dify hands over as links: fetched at once, for the links live only minutes."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import requests

from webui.errors import InvalidParameterError
from webui.pictures.picture import Picture, Source, identify_picture

# Seconds to connect, and between two pieces.
FETCH_TIMEOUT = (10.0, 60.0)
MOST_BYTES = 64 << 20

_CHUNK = 1 << 16
_MOST_PIXELS = 64_000_000
_TYPES = {"image/png", "image/jpeg", "image/webp"}


def read_file(value: object, parameter: str, number: int = 1) -> Source:
    """Return the picture that a Dify file is.

    value: what Dify passes for a file, anything with a `url` (and perhaps a `filename` and a `size`
    in bytes), or a list of one. number: its place among others, by which it goes without a name.
    InvalidParameterError names the parameter for a link that cannot be followed, and for what is
    no PNG, JPEG or WebP of at most 64 MiB and 64 megapixels.
    """
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 1:
        value = value[0]
    url = getattr(value, "url", None)
    if not isinstance(url, str):
        raise InvalidParameterError(f"{parameter}: bind it to a file variable.")
    size = getattr(value, "size", None)
    if isinstance(size, int) and size > MOST_BYTES:
        raise _too_large(parameter)
    name = str(getattr(value, "filename", None) or f"image {number}")
    return Source(name, _picture(_fetch(url, parameter), parameter))


def read_files(value: object, parameter: str) -> list[Source]:
    """Return the pictures of a list of Dify files, in order; one file counts as a list of one."""
    listed = value if isinstance(value, Sequence) else [value]
    files = [one for one in listed if one is not None]
    return [read_file(one, parameter, number) for number, one in enumerate(files, 1)]


def _picture(data: bytes, parameter: str) -> Picture:
    try:
        picture = identify_picture(data)
    except ValueError as error:
        raise InvalidParameterError(f"{parameter}: the file {error}.") from None
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


def _fetch(url: str, parameter: str) -> bytes:
    """Return the bytes behind a link; no message shows the link, which carries a signature."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    if not url.startswith(("http://", "https://")) or not host:
        raise InvalidParameterError(
            f"{parameter}: Dify's link to the file has no host. Set FILES_URL, or "
            "INTERNAL_FILES_URL=http://api:5001, in docker/.env."
        )
    data = bytearray()
    try:
        with requests.Session() as session:
            session.trust_env = False
            with session.get(url, timeout=FETCH_TIMEOUT, stream=True) as response:
                if not response.ok:
                    raise InvalidParameterError(
                        f"{parameter}: {host} answers {response.status_code} for the file. Links "
                        "of Dify live 300 s (FILES_ACCESS_TIMEOUT): was the run paused?"
                    )
                for chunk in response.iter_content(_CHUNK):
                    data += chunk
                    if len(data) > MOST_BYTES:
                        raise _too_large(parameter)
    except requests.RequestException:
        # The cause quotes the link, so it is not passed on.
        raise InvalidParameterError(
            f"{parameter}: the file cannot be fetched from {host}. Set FILES_URL or "
            "INTERNAL_FILES_URL in docker/.env to an address of Dify's API that the plugin daemon "
            "reaches, such as http://api:5001."
        ) from None
    return bytes(data)


def _too_large(parameter: str) -> InvalidParameterError:
    return InvalidParameterError(
        f"{parameter}: the file is larger than {MOST_BYTES >> 20} MiB. Give a smaller one."
    )

"""Files as Dify hands them to a tool: a description with a link."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO

from PIL import Image

from support.raw_server import RawServer, reply

Described = dict[str, object]


def described(url: str, size: int | None = None) -> Described:
    """What stands for a file in tool_parameters."""
    return {
        "dify_model_identity": "__dify__file__",
        "url": url,
        "mime_type": "image/png",
        "filename": "photo.png",
        "extension": ".png",
        "size": size,
        "type": "image",
    }


@contextmanager
def served(data: bytes, status: str = "200 OK") -> Iterator[Described]:
    """A file that can be fetched while the context lasts."""
    with RawServer(reply(data, status=status, content_type="image/png")) as server:
        yield described(server.base_url + "/files/1?sign=secret")


@contextmanager
def served_each(*sources: bytes) -> Iterator[list[Described]]:
    """Files named 1.png, 2.png, …"""
    with ExitStack() as stack:
        yield [
            stack.enter_context(served(source)) | {"filename": f"{number}.png"}
            for number, source in enumerate(sources, 1)
        ]


def picture(
    width: int = 96, height: int = 64, kind: str = "PNG", mode: str = "RGB", **options: object
) -> bytes:
    """An image file of that size."""
    file = BytesIO()
    Image.new("RGB", (width, height), "teal").convert(mode).save(file, kind, **options)
    return file.getvalue()

"""Local files over HTTP, described as Dify describes them."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from dify_plugin.file.file import File

from devtools.host import FileServer


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as running:
        yield running


def test_a_file_is_described_as_dify_does_it(server: FileServer, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"picture")
    described = server.add(path)

    assert urlsplit(described.pop("url")).hostname == "127.0.0.1"
    assert described == {
        "dify_model_identity": "__dify__file__",
        "mime_type": "image/png",
        "filename": "photo.png",
        "extension": ".png",
        "size": 7,
        "type": "image",
    }


def test_the_sdk_fetches_the_content_by_the_link(server: FileServer, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(bytes(range(256)) * 1000)

    assert File.model_validate(server.add(path)).blob == path.read_bytes()


@pytest.mark.parametrize(
    ("name", "mime_type", "kind"),
    [
        ("a.webp", "image/webp", "image"),
        ("a.mp4", "video/mp4", "video"),
        ("a.txt", "text/plain", "document"),
        ("a", "application/octet-stream", "document"),
    ],
)
def test_other_files_are_described_by_their_names(
    server: FileServer, tmp_path: Path, name: str, mime_type: str, kind: str
) -> None:
    (tmp_path / name).write_bytes(b"")
    described = server.add(tmp_path / name)

    assert (described["mime_type"], described["type"]) == (mime_type, kind)
    assert requests.get(described["url"], timeout=10).headers["Content-Type"] == mime_type


def test_nothing_else_is_served(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"picture")
    (tmp_path / "gone.png").write_bytes(b"picture")
    url = server.add(tmp_path / "photo.png")["url"]
    gone = server.add(tmp_path / "gone.png")["url"]
    (tmp_path / "gone.png").unlink()
    beside = [f"{url}/../photo.png", url[:-1], url.partition("/files")[0] + "/", gone]

    assert requests.get(url, timeout=10).content == b"picture"
    assert [requests.get(one, timeout=10).status_code for one in beside] == [404] * 4


def test_a_file_that_is_not_there_is_an_error(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        server.add(tmp_path / "photo.png")

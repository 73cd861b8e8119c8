"""Local files over HTTP, described as Dify describes them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from dify_plugin.file.file import File

from devtools.host import FileServer


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as running:
        yield running


@pytest.mark.parametrize(
    ("name", "mime_type", "kind"),
    [("a.webp", "image/webp", "image"), ("a", "application/octet-stream", "document")],
)
def test_a_file_is_described_and_fetched_as_dify_s_are(
    server: FileServer, tmp_path: Path, name: str, mime_type: str, kind: str
) -> None:
    path = tmp_path / name
    path.write_bytes(bytes(range(256)) * 1000)
    described = server.add(path)

    assert File.model_validate(described).blob == path.read_bytes()
    assert described.pop("url").startswith("http://127.0.0.1:")
    assert described == {
        "dify_model_identity": "__dify__file__",
        "mime_type": mime_type,
        "filename": name,
        "extension": path.suffix,
        "size": 256_000,
        "type": kind,
    }


def test_nothing_else_is_served(server: FileServer, tmp_path: Path) -> None:
    for name in ("photo.png", "gone.png"):
        (tmp_path / name).write_bytes(b"picture")
    url, gone = (server.add(tmp_path / name)["url"] for name in ("photo.png", "gone.png"))
    (tmp_path / "gone.png").unlink()
    beside = [f"{url}/../photo.png", url[:-1], url.partition("/files")[0] + "/", gone]

    assert requests.get(url, timeout=10).content == b"picture"
    assert [requests.get(one, timeout=10).status_code for one in beside] == [404] * 4
    with pytest.raises(FileNotFoundError):
        server.add(tmp_path / "gone.png")

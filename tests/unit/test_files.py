"""Files that Dify hands over as links, fetched over real sockets."""

import socket
import traceback
from types import SimpleNamespace

import pytest
from dify_plugin.file.file import File

from dify import files
from dify.files import read_file, read_files
from support.dify_files import described, picture, served
from support.raw_server import free_port
from webui.errors import InvalidParameterError


def link(url: str, size: int | None = None) -> File:
    return File.model_validate(described(url, size))


def refusal(value: object) -> str:
    with pytest.raises(InvalidParameterError) as caught:
        read_file(value, "image")
    assert "secret" not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def refused_content(data: bytes, status: str = "200 OK") -> str:
    with served(data, status) as file:
        return refusal(File.model_validate(file))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_fetched_whole_and_goes_by_its_name(kind: str) -> None:
    data = picture(kind=kind)
    with served(data) as file:
        found = read_file([File.model_validate(file)], "image")
    assert (found.name, found.picture.data, found.picture.size) == ("photo.png", data, (96, 64))


def test_several_are_read_in_order_and_without_a_name_go_by_their_number() -> None:
    with served(picture(8)) as first, served(picture(16)) as second:
        links = [SimpleNamespace(url=file["url"]) for file in (first, second)]
        found = read_files([links[0], None, links[1]], "images")
        (single,) = read_files(links[0], "images")
    assert [source.picture.width for source in found] == [8, 16]
    assert [source.name for source in found] == ["image 1", "image 2"]
    assert single == found[0]


@pytest.mark.parametrize("value", ["photo.png", 5, [], {"url": 1}], ids=repr)
def test_what_is_no_file_is_refused(value: object) -> None:
    assert refusal(value) == "image: bind it to a file variable."


@pytest.mark.parametrize("url", ["/files/1?sign=secret", "", "file:///etc/passwd", "http:///x"])
def test_a_link_without_a_host_names_the_variables_to_set(url: str) -> None:
    assert "has no host. Set FILES_URL, or INTERNAL_FILES_URL=" in refusal(link(url))


def test_a_link_that_cannot_be_reached_or_hangs_names_the_variables_to_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "FETCH_TIMEOUT", (0.3, 0.3))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port in (free_port(), silent.getsockname()[1]):
            text = refusal(link(f"http://127.0.0.1:{port}/files?sign=secret"))
            assert f"cannot be fetched from 127.0.0.1:{port}. Set FILES_URL or INTERNAL_F" in text


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found"])
def test_a_link_that_has_expired_says_so(status: str) -> None:
    assert "FILES_ACCESS_TIMEOUT" in refused_content(b"gone", status)


HUNDRED_MEGAPIXELS = picture()[:16] + (10_000).to_bytes(4) * 2 + picture()[24:]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "image: the file is empty."),
        (b"%PDF-1.7", "image: the file is not an image of a known type."),
        (picture(kind="GIF"), "the file is image/gif or damaged. Give PNG, JPEG or WebP."),
        (picture()[:20], "the file is image/png or damaged. Give PNG, JPEG or WebP."),
        (HUNDRED_MEGAPIXELS, "10000x10000 is more than 64 megapixels. Give a smaller picture."),
    ],
    ids=["empty", "PDF", "GIF", "damaged", "100 megapixels"],
)
def test_what_no_server_takes_is_refused(data: bytes, said: str) -> None:
    assert refused_content(data).endswith(said)


def test_a_file_that_says_it_is_too_large_is_not_fetched() -> None:
    assert "larger than 64 MiB" in refusal(link("http://127.0.0.1:1/x?sign=secret", 100 << 20))


def test_a_file_that_turns_out_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 1 << 16)
    assert "larger than" in refused_content(picture() + b"\0" * (1 << 17))

import socket
import traceback
from types import SimpleNamespace

import pytest
from dify_files import picture, served
from raw_server import free_port

from webui import files
from webui.errors import InvalidParameterError


def refusal(value: object) -> str:
    with pytest.raises(InvalidParameterError) as caught:
        files.read(value, "image")
    assert "secret" not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def link(url: str, size: object = None) -> SimpleNamespace:
    return SimpleNamespace(url=url, size=size)


def refused_content(data: bytes, status: str = "200 OK") -> str:
    with served(data, status) as file:
        return refusal(link(str(file["url"])))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_fetched_whole(kind: str) -> None:
    data = picture(kind=kind)
    with served(data) as file:
        found = files.read(link(str(file["url"])), "image")
    assert (found.data, found.width, found.height) == (data, 96, 64)


def test_a_list_of_one_counts_as_the_one() -> None:
    with served(picture()) as file:
        assert files.read([link(str(file["url"]))], "image").width == 96


def test_several_are_read_in_order() -> None:
    with served(picture(8)) as first, served(picture(16)) as second:
        links = [link(str(first["url"])), None, link(str(second["url"]))]
        assert [one.width for one in files.read_all(links, "images")] == [8, 16]


@pytest.mark.parametrize("nothing", [None, [], [None]], ids=repr)
def test_no_files_are_refused(nothing: object) -> None:
    with pytest.raises(InvalidParameterError, match="images is empty"):
        files.read_all(nothing, "images")


@pytest.mark.parametrize("value", ["photo.png", 5, [], {"url": 1}], ids=repr)
def test_what_is_no_file_is_refused(value: object) -> None:
    assert refusal(value) == "image: bind it to a file variable."


@pytest.mark.parametrize("url", ["/files/1?sign=secret", "", "file:///etc/passwd", "http:///x"])
def test_a_link_without_a_host_names_the_variables_to_set(url: str) -> None:
    text = refusal(link(url))
    assert "has no host" in text
    assert "FILES_URL" in text
    assert "INTERNAL_FILES_URL" in text


def test_a_link_that_cannot_be_reached_names_the_variables_to_set() -> None:
    text = refusal(link(f"http://127.0.0.1:{free_port()}/files?sign=secret"))
    assert "cannot be fetched from 127.0.0.1" in text
    assert "INTERNAL_FILES_URL" in text


def test_a_link_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_TIMEOUT", (0.3, 0.3))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        text = refusal(link(f"http://127.0.0.1:{silent.getsockname()[1]}/x?sign=secret"))
    assert "cannot be fetched" in text


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found"])
def test_a_link_that_has_expired_says_so(status: str) -> None:
    assert "FILES_ACCESS_TIMEOUT" in refused_content(b"gone", status)


def test_an_empty_file_is_refused() -> None:
    assert refused_content(b"") == "image: the file is empty."


@pytest.mark.parametrize("data", [b"hello", b"%PDF-1.7", b"\0" * 100])
def test_a_file_that_is_no_image_is_refused(data: bytes) -> None:
    assert "is not an image of a known type" in refused_content(data)


@pytest.mark.parametrize("data", [b"GIF89a" + b"\0" * 50, picture()[:20]])
def test_other_types_and_damaged_headers_are_refused(data: bytes) -> None:
    assert "Give PNG, JPEG or WebP" in refused_content(data)


def test_a_picture_of_a_hundred_megapixels_is_refused() -> None:
    header = bytearray(picture())
    header[16:24] = (10_000).to_bytes(4) + (10_000).to_bytes(4)
    assert "10000x10000 is more than 64 megapixels" in refused_content(bytes(header))


def test_a_file_that_says_it_is_too_large_is_not_fetched() -> None:
    assert "larger than 64 MiB" in refusal(link("http://127.0.0.1:1/x?sign=secret", 100 << 20))


def test_a_file_that_turns_out_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_MOST_BYTES", 1 << 16)
    assert "larger than" in refused_content(picture() + b"\0" * (1 << 17))

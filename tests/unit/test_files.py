"""Files that Dify hands over as links, fetched over real sockets."""

import contextlib
import gzip
import socket
import time
import traceback
from types import SimpleNamespace

import pytest
from dify_plugin.file.file import File

from dify import files
from dify.files import Files
from support.dify_files import described, picture, served
from support.raw_server import Answer, RawServer, free_port, reply, stalling_after
from webui.errors import InvalidParameterError


def link(url: str, size: int | None = None) -> File:
    return File.model_validate(described(url, size))


def refusal(value: object) -> str:
    with pytest.raises(InvalidParameterError) as caught:
        Files().read_file(value, "image")
    assert "secret" not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def refused_content(data: bytes, status: str = "200 OK") -> str:
    with served(data, status) as file:
        return refusal(File.model_validate(file))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_fetched_whole_and_goes_by_its_name(kind: str) -> None:
    data = picture(kind=kind)
    with served(data) as file:
        found = Files().read_file([File.model_validate(file)], "image")
    assert (found.name, found.picture.data, found.picture.size) == ("photo.png", data, (96, 64))


def test_several_are_read_in_order_and_without_a_name_go_by_their_number() -> None:
    with served(picture(8)) as first, served(picture(16)) as second:
        links = [SimpleNamespace(url=file["url"]) for file in (first, second)]
        found = Files().read_files([links[0], None, links[1]], "images")
        (single,) = Files().read_files(links[0], "images")
    assert [source.picture.width for source in found] == [8, 16]
    assert [source.name for source in found] == ["image 1", "image 2"]
    assert single == found[0]


@pytest.mark.parametrize("value", ["photo.png", 5, [], {"url": 1}], ids=repr)
def test_what_is_no_file_is_refused(value: object) -> None:
    assert refusal(value) == "image: bind it to a file variable."


@pytest.mark.parametrize("url", ["/files/1?sign=secret", "", "file:///etc/passwd", "http:///x"])
def test_a_link_without_a_host_names_the_variables_to_set(url: str) -> None:
    assert "has no host. Set INTERNAL_FILES_URL=" in refusal(link(url))


@pytest.mark.parametrize(
    "host", ["[::1", "a..b", "x" * 64 + ".example", "x." * 200, "a:b", "a:99999", "user@.x"]
)
def test_a_host_that_cannot_be_one_is_named(host: str) -> None:
    found = refusal(link(f"http://{host}/files?sign=secret"))
    assert "in Dify's link to the file is no host and port. Set FILES_URL" in found


def test_a_link_that_cannot_be_reached_names_the_variables_to_set() -> None:
    port = free_port()
    text = refusal(link(f"http://127.0.0.1:{port}/files?sign=secret"))
    assert f"cannot be fetched from 127.0.0.1:{port}. Set FILES_URL or INTERNAL_F" in text


def dripping(connection: socket.socket) -> None:
    connection.sendall(reply("", length=1000))
    with contextlib.suppress(OSError):
        while connection.send(b"x"):
            time.sleep(0.02)


PACKED = gzip.compress(bytes(1 << 20))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (stalling_after(b""), "did not send the file in time. It has "),
        (stalling_after(reply("", length=1000)), "did not send the file in time. It has "),
        (dripping, "did not send the file in time. It has "),
        (reply(picture(), length=10_000), "broke the connection off before the file was complete."),
        (b"", "broke the connection off before the file was complete."),
        (reply("secret", status="500 Oh"), "answers 500 for the file. Its log says why"),
        (reply("secret", status="404 No"), "answers 404 for the file. Links of Dify live 300 s"),
        (reply("", status="204 Nothing"), "answers 204 for the file. That is no file."),
        (reply("secret", "Content-Encoding: gzip"), "is not compressed as it says."),
        (reply("secret", "Content-Encoding: br"), "is encoded as 'br', which nobody asked for."),
        (reply(PACKED, "Content-Encoding: gzip"), "the file is larger than 0 MiB."),
        (reply("", "Location: /again?sign=secret", status="302 Found"),
         "redirects more than 5 times for the file."),
        (reply("", "Location: http://10.0.0.1:6379/secret", status="302 Found"),
         "redirects to 10.0.0.1:6379 for the file. Files are fetched only from the host that Dify"),
        (reply("", "Location: http://[::1", status="302 Found"),
         "redirects to something that is no address for the file."),
        (reply("", "Location: file:///etc/secret", status="302 Found"),
         "redirects to another address for the file."),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)  # fmt: skip
def test_each_way_to_fail_is_told_as_it_is(
    answer: Answer, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "READ_TIMEOUT", 0.3)
    monkeypatch.setattr(files, "FETCH_TIMEOUT", 0.6)
    monkeypatch.setattr(files, "MOST_BYTES", 1 << 18)
    with RawServer(answer) as server:
        began = time.monotonic()
        found = refusal(link(f"{server.base_url}/files?sign=secret"))
    assert said in found
    assert f"127.0.0.1:{server.port}" in found or "larger" in found
    assert time.monotonic() - began < 2


def redirecting(to: str) -> bytes:
    return reply("", f"Location: {to}", status="302 Found")


def test_a_redirect_is_followed_on_the_same_host_and_to_difys_own_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [redirecting("/files/2"), reply(picture(8))]
    with RawServer(lambda connection: connection.sendall(answers.pop(0))) as server:
        assert Files().read_file(link(f"{server.base_url}/1"), "image").picture.width == 8
    with (
        RawServer(reply(picture(16))) as home,
        RawServer(redirecting(f"{home.base_url}/2")) as front,
    ):
        assert "redirects to 127.0.0.1:" in refusal(link(f"{front.base_url}/1"))
        assert home.requests == []
        monkeypatch.setenv("INTERNAL_FILES_URL", home.base_url)
        assert Files().read_file(link(f"{front.base_url}/1"), "image").picture.width == 16


def test_the_files_of_a_call_have_a_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_TOGETHER", len(picture()) * 2)
    with served(picture()) as file:
        one = File.model_validate(file)
        assert len(Files().read_files([one, one], "images")) == 2
        reading = Files()
        reading.read_files([one, one], "reference_images")
        with pytest.raises(InvalidParameterError, match="image: with this file those of the call"):
            reading.read_file(one, "image")


@pytest.mark.parametrize("status", ["403 Forbidden", "410 Gone"])
def test_a_link_that_has_expired_says_so(status: str) -> None:
    assert "FILES_ACCESS_TIMEOUT" in refused_content(b"gone", status)


HUNDRED_MEGAPIXELS = picture()[:16] + (10_000).to_bytes(4) * 2 + picture()[24:]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "image: the file is empty. Give PNG, JPEG or WebP."),
        (b"%PDF-1.7", "the file is not an image of a known type. Give PNG, JPEG or WebP."),
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

"""The reply to a generation as it arrives, whole, wrong or broken off, over real sockets."""

import base64
import gzip
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from support.exchange import connect
from support.raw_server import Answer, RawServer, reply
from webui.errors import (
    StableDiffusionError,
    WebUIConnectionError,
    WebUIResponseError,
    WebUITimeoutError,
)
from webui.http.endpoints import Endpoint
from webui.http.reply import Reply
from webui.pictures.picture import Picture

ROOT = Path(__file__).parents[3]


def encoded(width: int, mode: str = "RGB") -> str:
    """A PNG of that width as the servers send it; noise, so that it does not compress."""
    file = BytesIO()
    Image.effect_noise((width, width), 90).convert(mode).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


FIRST, SECOND, THIRD = (encoded(width) for width in (8, 16, 24))
# Pictures are handed on as the body is read, which is in steps of 64 KiB; these are longer.
LARGE_FIRST, LARGE_SECOND = encoded(256), encoded(260)


def body(*images: object, **others: object) -> str:
    return json.dumps({"images": images, "parameters": {"steps": 20}, "info": "{}"} | others)


@contextmanager
def answering(answer: Answer, timeout: float = 10, largest: int = sys.maxsize) -> Iterator[Reply]:
    with (
        RawServer(answer) as server,
        connect(server.base_url) as client,
        client.generate(Endpoint.TXT2IMG, {}, timeout=timeout, largest=largest) as found,
    ):
        yield found


def received(answer: str | bytes) -> tuple[list[Picture], dict[str, object]]:
    """All pictures and the info of a reply with that body, or with those bytes."""
    with answering(reply(answer) if isinstance(answer, str) else answer) as there:
        pictures = list(there.pictures())
        return pictures, there.account.raw


def cut_short(text: str) -> bytes:
    """A reply whose connection ends before it is whole."""
    return reply(text, length=len(text) + 1000)


def failure(answer: Answer) -> tuple[list[Picture], StableDiffusionError]:
    """What had arrived before the error, and the error."""
    pictures: list[Picture] = []
    with answering(answer) as there, pytest.raises(StableDiffusionError) as caught:
        pictures.extend(there.pictures())
    return pictures, caught.value


def test_pictures_come_in_the_servers_order_to_the_byte() -> None:
    pictures, _ = received(body(SECOND, FIRST))
    assert [picture.data for picture in pictures] == [
        base64.b64decode(SECOND),
        base64.b64decode(FIRST),
    ]


def test_a_picture_is_handed_on_before_the_next_is_sent() -> None:
    go_on = threading.Event()
    whole = reply(body(LARGE_FIRST, LARGE_SECOND))

    def answer(connection: socket.socket) -> None:
        connection.sendall(whole[:-1000])
        go_on.wait(10)
        connection.sendall(whole[-1000:])

    with answering(answer) as there:
        pictures = there.pictures()
        assert next(pictures).width == 256
        assert not go_on.is_set()
        go_on.set()
        assert [picture.width for picture in pictures] == [260]


def test_a_picture_larger_than_what_is_read_at_once_is_whole() -> None:
    pictures, _ = received(body(FIRST, LARGE_SECOND))
    assert pictures[1].data == base64.b64decode(LARGE_SECOND)


@pytest.mark.parametrize("prefix", ["data:image/png;base64,", "data:;base64,"])
def test_a_data_prefix_falls_away(prefix: str) -> None:
    pictures, _ = received(body(prefix + FIRST))
    assert pictures[0].data == base64.b64decode(FIRST)


def test_slashes_may_be_escaped() -> None:
    pictures, _ = received(body(FIRST).replace("/", "\\/"))
    assert pictures[0].data == base64.b64decode(FIRST)


def test_the_info_is_the_object_inside_its_text() -> None:
    _, info = received(body(FIRST, info='{"seed": 7, "infotexts": ["灯台"]}'))
    assert info == {"seed": 7, "infotexts": ["灯台"]}


def test_the_info_may_come_before_the_pictures() -> None:
    pictures, info = received(json.dumps({"info": '{"seed": 7}', "images": [FIRST]}))
    assert (len(pictures), info) == (1, {"seed": 7})


@pytest.mark.parametrize("info", ["no JSON", None, 5, [1], {"seed": 7}], ids=repr)
def test_an_info_that_cannot_be_read_loses_no_picture(info: object) -> None:
    pictures, found = received(body(FIRST, info=info))
    assert (len(pictures), found) == (1, {})


def test_an_info_that_is_missing_loses_no_picture() -> None:
    pictures, info = received(json.dumps({"images": [FIRST]}))
    assert (len(pictures), info) == (1, {})


def test_names_of_the_reply_inside_its_parameters_mean_nothing() -> None:
    parameters = {"images": ["x"], "info": "x", "error": "x", "nested": {"images": [1]}}
    pictures, info = received(body(FIRST, parameters=parameters, info='{"seed": 7}'))
    assert (len(pictures), info) == (1, {"seed": 7})


@pytest.mark.parametrize(
    "parameters",
    ['{"a": 1e300}', '{"a": 12345678901234567}', '{"a": "\\ud800"}', "[" * 500 + "]" * 500],
    ids=["huge", "beyond a float", "surrogate", "nested"],
)  # fmt: skip
def test_odd_parameters_lose_no_picture(parameters: str) -> None:
    pictures, info = received(
        f'{{"images": ["{FIRST}"], "parameters": {parameters}, "info": "{{}}"}}'
    )
    assert (len(pictures), info) == (1, {})


def test_no_number_of_a_reply_can_crash_the_process() -> None:
    # In a process of its own, because the crash would take the tests along.
    code = """
import requests, yarl
from webui.errors import StableDiffusionError
from webui.http.address import Address
from webui.http.reply import Reply
class Raw:
    def read1(self, size, decode_content):
        return b'{"images": [], "parameters": {"seed": ' + b"1" * 5000 + b"}}"
    def close(self):
        pass
    release_conn = close
response = requests.Response()
response.raw = Raw()
response.request = requests.Request("POST", "http://gpu").prepare()
try:
    list(Reply(response, Address(yarl.URL("http://gpu"))).pictures())
except StableDiffusionError:
    pass
"""
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)  # noqa: S603 - ours
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_compressed_reply_is_read_too() -> None:
    packed = gzip.compress(body(FIRST, SECOND).encode())
    pictures, _ = received(reply(packed, "Content-Encoding: gzip"))
    assert [picture.width for picture in pictures] == [8, 16]


def test_a_reply_in_chunks_is_read_too() -> None:
    text = body(FIRST, SECOND).encode()
    pieces = [text[at : at + 100] for at in range(0, len(text), 100)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    pictures, _ = received(head + chunks)
    assert [picture.width for picture in pictures] == [8, 16]


def test_the_one_picture_of_an_enlargement_is_read_too() -> None:
    pictures, _ = received(json.dumps({"html_info": "", "image": FIRST}))
    assert [picture.width for picture in pictures] == [8]


def test_a_picture_larger_than_allowed_is_noted_and_the_others_are_read() -> None:
    large, small = len(base64.b64decode(LARGE_FIRST)), len(base64.b64decode(FIRST))
    with answering(reply(body(FIRST, LARGE_FIRST, FIRST)), largest=small) as there:
        assert [picture.width for picture in there.pictures()] == [8, 8]
        assert there.too_large == [(2, large)]


def test_an_empty_list_of_pictures_is_a_reply() -> None:
    assert received(body(info='{"seed": 7}')) == ([], {"seed": 7})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "."),
        ('{"parameters": {}, "info": "{}"}', "."),
        ('{"images": null}', "."),
        ('{"images": "aGVsbG8="}', "."),
        ('{"images": {"0": "aGVsbG8="}}', "."),
        ("[]", "."),
        ('[{"images": []}]', "."),
        ('"done"', "."),
        ("null", "."),
        ("5", "."),
        ('{"error": "Unexpected endpoint or method"}', ": Unexpected endpoint or method."),
        ('{"detail": "Not Found"}', ": Not Found."),
        ('{"error": "server_error", "message": "no\\nmemory"}', ": server_error: no memory."),
    ],
)
def test_json_without_pictures_is_refused_with_the_words_it_has(text: str, words: str) -> None:
    _, error = failure(reply(text))
    assert type(error) is WebUIResponseError
    assert str(error).endswith(f"answered without images{words}")


def test_words_that_end_in_a_full_stop_get_no_second() -> None:
    _, error = failure(reply('{"error": "Unexpected endpoint or method."}'))
    assert str(error).endswith("method.")
    assert not str(error).endswith("..")


@pytest.mark.parametrize(
    ("text", "content_type"),
    [("<html></html>", "text/html"), ("Ollama is running", "text/plain"), ("", "text/plain"),
     ("\xff\xfe", "application/json"), ("\0", "application/json")],
    ids=["web page", "words", "nothing", "not UTF-8", "NUL"],
)  # fmt: skip
def test_what_is_no_json_is_no_webui(text: str, content_type: str) -> None:
    _, error = failure(reply(text.encode("latin-1"), content_type=content_type))
    assert type(error) is WebUIResponseError
    assert "not as a Stable Diffusion WebUI does" in str(error)
    assert ("a web page" in str(error)) == (content_type == "text/html")


@pytest.mark.parametrize(
    ("element", "wrong"),
    [
        (None, "is not base64 text"),
        (5, "is not base64 text"),
        (True, "is not base64 text"),
        ({"data": "x"}, "is not base64 text"),
        (["x"], "is not base64 text"),
        ("@@@@", "is not valid base64"),
        (FIRST[:-5], "is not valid base64"),
        ("\ud800", "is not valid base64"),
        ("\0", "is not valid base64"),
        ("", "is empty"),
        ("aGVsbG8=", "is not an image of a known type"),
    ],
)
def test_an_element_that_is_no_picture_is_named_by_its_place(element: object, wrong: str) -> None:
    pictures, error = failure(reply(body(FIRST, element, THIRD)))
    assert type(error) is WebUIResponseError
    assert "Image 2 of the reply from http://127.0.0.1" in str(error)
    assert str(error).endswith(f"{wrong}.")
    assert [picture.width for picture in pictures] == [8]


def test_a_reply_cut_in_its_json_keeps_the_pictures_before_the_cut() -> None:
    text = body(FIRST, SECOND, THIRD)
    pictures, error = failure(reply(text[: text.index(THIRD) + 10]))
    assert type(error) is WebUIResponseError
    assert "ends in the middle, after 2 whole images" in str(error)
    assert [picture.width for picture in pictures] == [8, 16]


@pytest.mark.parametrize("tail", ["", "]", '], "info": "{'])
def test_a_reply_whose_end_is_missing_is_said_to_be_cut(tail: str) -> None:
    _, error = failure(reply(f'{{"images": ["{FIRST}"{tail}'))
    assert "ends in the middle, after 1 whole image" in str(error)


@pytest.mark.parametrize("rest", [", nope]}", ']} {"more": 1}', '], "a": NaN}', '], "a": "\xff"}'])
def test_json_that_goes_wrong_after_a_picture_keeps_it_and_says_so(rest: str) -> None:
    wrong = f'{{"images": ["{FIRST}"{rest}'.encode("latin-1")
    pictures, error = failure(reply(wrong))
    assert type(error) is WebUIResponseError
    assert "is not valid JSON" in str(error)
    assert len(pictures) == 1


def test_a_connection_that_breaks_off_keeps_the_pictures_that_had_arrived() -> None:
    pictures, error = failure(cut_short(body(LARGE_FIRST, LARGE_SECOND, LARGE_FIRST)[:-1000]))
    assert type(error) is WebUIConnectionError
    assert "broke off the connection in the middle of a reply. 2 images had arrived." in str(error)
    assert [picture.width for picture in pictures] == [256, 260]


def test_a_connection_that_breaks_off_keeps_small_pictures_too() -> None:
    pictures, _ = failure(cut_short(body(FIRST, SECOND, THIRD)[:-1000]))
    assert [picture.width for picture in pictures] == [8, 16]


def test_a_connection_that_breaks_off_at_once_has_lost_nothing() -> None:
    _, error = failure(cut_short('{"images": ["iVBOR'))
    assert type(error) is WebUIConnectionError
    assert "had arrived" not in str(error)


def test_a_reply_that_stalls_is_a_timeout() -> None:
    def stall(connection: socket.socket) -> None:
        connection.sendall(cut_short(body(LARGE_FIRST, LARGE_SECOND)[:-1000]))
        connection.recv(1)

    with answering(stall, timeout=0.3) as there:
        pictures = there.pictures()
        assert next(pictures).width == 256
        with pytest.raises(WebUITimeoutError, match="1 image"):
            next(pictures)


def test_a_body_that_is_not_compressed_as_it_says_is_an_unusable_reply() -> None:
    _, error = failure(reply("nonsense", "Content-Encoding: gzip"))
    assert type(error) is WebUIResponseError


def test_leaving_in_the_middle_closes_the_connection() -> None:
    closed = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.sendall(cut_short(body(LARGE_FIRST, LARGE_SECOND)[:-1000]))
        try:
            connection.recv(1)
        finally:
            closed.set()

    with answering(answer) as there:
        pictures = there.pictures()
        next(pictures)
        del pictures
        assert closed.wait(10)

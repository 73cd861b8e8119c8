"""The reply to a generation as it arrives, whole, wrong or broken off, over real sockets."""

import base64
import gzip
import json
import socket
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO

import ijson
import pytest
from PIL import Image

from support.exchange import connect
from support.memory import memory_below
from support.raw_server import Answer, RawServer, reply, stalling_after
from webui import errors
from webui.http import reply as reply_module
from webui.http.endpoints import Endpoint
from webui.http.events import read_events
from webui.http.reply import Reply


def encoded(width: int) -> str:
    """A PNG of that width as the servers send it; noise, so that it does not compress."""
    file = BytesIO()
    Image.effect_noise((width, width), 90).convert("RGB").save(file, "PNG")
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


def received(answer: str | bytes) -> tuple[list[int | None], dict[str, object]]:
    """All pictures' widths and the account of a reply with that body, or with those bytes."""
    with answering(reply(answer) if isinstance(answer, str) else answer) as there:
        return [picture.width for picture in there.pictures()], there.account.raw


def cut_short(text: str) -> bytes:
    """A reply whose connection ends before it is whole."""
    return reply(text, length=len(text) + 1000)


def failure(answer: Answer) -> tuple[list[int | None], errors.StableDiffusionError]:
    """The widths of what had arrived before the error, and the error."""
    widths: list[int | None] = []
    with answering(answer) as there, pytest.raises(errors.StableDiffusionError) as caught:
        widths.extend(picture.width for picture in there.pictures())
    return widths, caught.value


@pytest.mark.parametrize("escaped", [False, True], ids=["plain", "slashes escaped"])
def test_pictures_come_in_the_servers_order_to_the_byte(escaped: bool) -> None:
    text = body(SECOND, FIRST, LARGE_SECOND)
    with answering(reply(text.replace("/", "\\/") if escaped else text)) as there:
        found = [picture.base64() for picture in there.pictures()]
    assert found == [SECOND, FIRST, LARGE_SECOND]


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


@pytest.mark.parametrize("info", ["no JSON", None, 5, [1], {"seed": 7}], ids=repr)
def test_an_account_that_comes_early_or_not_at_all_loses_no_picture(info: object) -> None:
    assert received(json.dumps({"info": '{"seed": 7}', "images": [FIRST]})) == ([8], {"seed": 7})
    assert (
        received(body(FIRST, info=info)) == received(json.dumps({"images": [FIRST]})) == ([8], {})
    )


def test_names_of_the_reply_inside_its_parameters_mean_nothing() -> None:
    parameters = {"images": ["x"], "info": "x", "error": "x", "nested": {"images": [1]}}
    found = received(body(FIRST, parameters=parameters, info='{"seed": 7}'))
    assert found == ([8], {"seed": 7})


@pytest.mark.parametrize(
    "parameters",
    [
        '{"a": 1e300}',
        '{"a": 12345678901234567}',
        '{"a": "\\ud800"}',
        "[" * 90 + "]" * 90,
        '[{"images": 1}, "' + "x" * 2000 + '", "x"]',
        '{"' + "k" * 2000 + '": 1}',
    ],
    ids=["huge", "beyond a float", "surrogate", "nested", "names", "a long key"],
)
def test_odd_parameters_lose_no_picture(parameters: str) -> None:
    text = f'{{"images": ["{FIRST}"], "parameters": {parameters}, "info": "{{}}"}}'
    assert received(text) == ([8], {})


def in_chunks(content: bytes) -> bytes:
    pieces = [content[at : at + 100] for at in range(0, len(content), 100)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunks


def zipped_zeros(begin: bytes, end: bytes) -> bytes:
    """A reply of 32 MiB of zeros between these, packed into 32 KiB."""
    packing = zlib.compressobj(wbits=31)
    packed = packing.compress(begin)
    for _ in range(32):
        packed += packing.compress(b"0" * (1 << 20))
    return reply(packed + packing.compress(end) + packing.flush(), "Content-Encoding: gzip")


def zipped(content: bytes) -> bytes:
    return reply(gzip.compress(content), "Content-Encoding: gzip")


@pytest.mark.parametrize("wrap", [in_chunks, zipped])
def test_a_reply_in_chunks_or_compressed_is_read_too(wrap: Callable[[bytes], bytes]) -> None:
    assert received(wrap(body(FIRST, SECOND).encode()))[0] == [8, 16]


def test_a_reply_may_hold_one_picture_or_none() -> None:
    assert received(json.dumps({"html_info": "", "image": FIRST}))[0] == [8]
    assert received(body(info='{"seed": 7}')) == ([], {"seed": 7})


def test_a_picture_larger_than_allowed_is_noted_and_the_others_are_read() -> None:
    large, small = (len(base64.b64decode(text)) for text in (LARGE_FIRST, FIRST))
    with answering(reply(body(FIRST, LARGE_FIRST, FIRST)), largest=small) as there:
        assert [picture.width for picture in there.pictures()] == [8, 8]
        assert there.too_large == [(2, large)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        *((text, ".") for text in ("{}", '{"images": null}', '{"images": "aGVsbG8="}', '"done"',
                                   '{"images": {"0": "aGVsbG8="}}', '[{"images": []}]', "null")),
        ('{"error": "Unexpected endpoint or method."}', ": Unexpected endpoint or method."),
        ('{"detail": "Not Found"}', ": Not Found."),
        ('{"error": "server_error", "message": "no\\nroom"}', ": server_error: no room."),
        ('{"error": "generate_image Returned No Results."}', ": generate_image Returned No Results."
         " Most often memory ran out: ask for a smaller width, height or batch_size."),
        ('{"detail": "see <b>[this](http://a.b)</b>\\u001b[31m..."}',
         ": see ‹b>[this] (http: //a.b)‹/b>..."),
    ],
)  # fmt: skip
def test_json_without_pictures_is_refused_with_the_words_it_has(text: str, words: str) -> None:
    _, error = failure(reply(text))
    assert type(error) is errors.WebUIResponseError
    assert str(error).endswith(f"answered without images{words}")


@pytest.mark.parametrize("words", ["CUDA out of memory.", "ErrorOutOfDeviceMemory"])
def test_words_of_full_memory_instead_of_pictures_ask_for_less(words: str) -> None:
    _, error = failure(reply(json.dumps({"error": "sd", "detail": words})))
    assert type(error) is errors.WebUIOutOfMemoryError
    assert f"does not suffice: sd: {words.rstrip('.')}. Ask for a smaller width" in str(error)


def test_a_password_that_comes_instead_of_pictures_is_masked_before_the_words_are_cut() -> None:
    text = json.dumps({"detail": "x" * 292 + "hunter2"})
    with (
        RawServer(reply(text)) as server,
        connect(server.base_url, username="me", password="hunter2") as client,
        client.generate(Endpoint.TXT2IMG, {}, timeout=10, largest=sys.maxsize) as there,
        pytest.raises(errors.WebUIResponseError, match=r"xx\*\*\*\.$"),
    ):
        list(there.pictures())


@pytest.mark.parametrize(
    ("text", "content_type"),
    [("Please log in", "text/html"), ("Ollama is running", "text/plain"), ("", "text/plain"),
     ("\xff\xfe", "application/json"), ("\0", "application/json")],
    ids=["web page", "words", "nothing", "not UTF-8", "NUL"],
)  # fmt: skip
def test_what_is_no_json_is_no_webui(text: str, content_type: str) -> None:
    _, error = failure(reply(text.encode("latin-1"), content_type=content_type))
    assert type(error) is errors.WebUIResponseError
    assert "not as a Stable Diffusion WebUI does" in str(error)
    assert ("a web page" in str(error)) == (content_type == "text/html")


@pytest.mark.parametrize(
    ("element", "wrong"),
    [
        *((odd, "is not base64 text") for odd in (None, 5, True, {"data": "x"}, ["x"])),
        (FIRST[:-5], "is not valid base64"),
        ("\ud800", "is not valid base64"),
        ("", "is empty"),
        ("aGVsbG8=", "is not an image of a known type"),
    ],
)
def test_an_element_that_is_no_picture_is_named_by_its_place(element: object, wrong: str) -> None:
    widths, error = failure(reply(body(FIRST, element, THIRD)))
    assert type(error) is errors.WebUIResponseError
    assert "Image 2 of the reply from http://127.0.0.1" in str(error)
    assert str(error).endswith(f"{wrong}.")
    assert widths == [8]


@pytest.mark.parametrize("tail", ["", "]", f', "{SECOND[:10]}', '], "info": "{'])
def test_a_reply_cut_in_its_json_keeps_the_pictures_before_the_cut(tail: str) -> None:
    widths, error = failure(reply(f'{{"images": ["{THIRD}", "{FIRST}"{tail}'))
    assert type(error) is errors.WebUIResponseError
    assert "ends in the middle, after 2 whole images" in str(error)
    assert widths == [24, 8]


@pytest.mark.parametrize(
    "rest",
    [", nope]}", ']} {"more": 1}', '], "a": NaN}', '], "a": "\xff"}',
     # With whole numbers as such, the C parser would end the process.
     '], "parameters": {"seed": ' + "1" * 5000 + "}}"],
    ids=["words", "more", "NaN", "not UTF-8", "digits"],
)  # fmt: skip
def test_json_that_goes_wrong_after_a_picture_keeps_it_and_says_so(rest: str) -> None:
    widths, error = failure(reply(f'{{"images": ["{FIRST}"{rest}'.encode("latin-1")))
    assert type(error) is errors.WebUIResponseError
    assert "is not valid JSON" in str(error)
    assert widths == [8]


@pytest.mark.parametrize(
    "images", [[LARGE_FIRST, LARGE_SECOND], [FIRST, SECOND]], ids=["large", "small"]
)
def test_a_connection_that_breaks_off_keeps_the_pictures_that_had_arrived(
    images: list[str],
) -> None:
    arrived, error = failure(cut_short(body(*images, LARGE_FIRST)[:-1000]))
    assert type(error) is errors.WebUIConnectionError
    assert "broke off the connection in the middle of a reply." in str(error)
    assert str(error).endswith("proxy's time end? 2 images had arrived.")
    assert len(arrived) == 2


def test_a_connection_that_breaks_off_at_once_has_lost_nothing() -> None:
    _, error = failure(cut_short('{"images": ["iVBOR'))
    assert type(error) is errors.WebUIConnectionError
    assert "had arrived" not in str(error)


def test_a_reply_that_stalls_is_a_timeout() -> None:
    begun = cut_short(body(LARGE_FIRST, LARGE_SECOND)[:-1000])
    with answering(stalling_after(begun), timeout=0.3) as there:
        pictures = there.pictures()
        assert next(pictures).width == 256
        with pytest.raises(errors.WebUITimeoutError, match="1 image"):
            next(pictures)


def test_a_body_that_is_not_compressed_as_it_says_is_an_unusable_reply() -> None:
    _, error = failure(reply("nonsense", "Content-Encoding: gzip"))
    assert type(error) is errors.WebUIResponseError


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


def test_20000_nested_arrays_are_refused_unheld() -> None:
    text = f'{{"images": ["{FIRST}"], "parameters": {"[" * 20_000}{"]" * 20_000}}}'
    with answering(reply(text)) as there, memory_below(16 << 20):
        pictures = there.pictures()
        assert next(pictures).width == 8
        with pytest.raises(errors.WebUIResponseError, match="more than 100 levels"):
            next(pictures)


@pytest.mark.parametrize(
    "place",
    ['"images": ["', '"parameters": ["', '"info": "', '"'],
    ids=["picture", "value", "account", "key"],
)
def test_a_small_packed_reply_that_becomes_large_is_never_whole_in_memory(place: str) -> None:
    begin = f'{{"images": ["{FIRST}"], {place}'.encode()
    end = b'": 1}' if place == '"' else b'"]}' if "[" in place else b'"}'
    with answering(zipped_zeros(begin, end), largest=1 << 20) as there, memory_below(24 << 20):
        assert [picture.width for picture in there.pictures()] == [8]
        assert there.too_large == ([(2, (32 << 20) // 4 * 3)] if "images" in place else [])
        assert not there.account


@pytest.mark.parametrize("rest", ["1" * (20 << 20), '": "', "\\" * (20 << 20), " " * (20 << 20)])
def test_what_never_ends_is_not_held(rest: str) -> None:
    answer = cut_short(f'{{"images": ["{FIRST}"], "parameters": [{rest}')
    with answering(answer) as there, memory_below(8 << 20):
        pictures = there.pictures()
        assert next(pictures).width == 8
        with pytest.raises(errors.WebUIError):
            next(pictures)


def test_an_account_too_large_to_be_one_loses_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply_module, "LARGEST_ACCOUNT", 100_000)
    info = json.dumps({"seed": 7, "prompt": '"' * 1000})
    assert received(body(FIRST, info=info)) == ([8], json.loads(info))
    assert received(body(FIRST, info=info + " " * 200_000)) == ([8], {})


def test_a_reply_is_the_same_however_it_is_cut_into_pieces() -> None:
    words = 'a \\ and a " in it, Größe \U0001f600 ' * 40
    info = json.dumps({"prompt": words, "seed": 7})
    whole = body(FIRST, SECOND, info=info, parameters={"prompt": words, words: words}).encode()
    for size in (1, 2, 3, 7, 1023, 1024, 1025):
        pieces = (whole[at : at + size] for at in range(0, len(whole), size))
        assert list(read_events(pieces, lambda: sys.maxsize)) == [
            (event, "" if event == "map_key" and len(value) > 1024 else value)
            for event, value in ijson.basic_parse(whole, use_float=True)
        ]


def test_an_aborted_job_ends_at_once() -> None:
    begun = cut_short(body(LARGE_FIRST, LARGE_SECOND)[:-1000])
    with (
        RawServer(stalling_after(begun)) as server,
        connect(server.base_url) as client,
        client.generate(Endpoint.TXT2IMG, {}, timeout=60, largest=1 << 30) as there,
    ):
        pictures = there.pictures()
        assert next(pictures).width == 256
        threading.Timer(0.1, client.abort).start()
        with pytest.raises(errors.WebUIConnectionError, match="1 image had arrived"):
            next(pictures)

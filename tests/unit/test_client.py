"""What is sent to a server, and what is read from its lists."""

import base64
import json
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from responses import RequestsMock, matchers
from urllib3.util import connection

from support.dify_files import picture
from support.exchange import connect, failure
from support.raw_server import Answer, RawServer, free_port, reply, stalling_after
from webui.errors import (
    WebUIConnectionError,
    WebUIError,
    WebUILateError,
    WebUINotFoundError,
    WebUIResponseError,
)
from webui.http import client
from webui.http.client import WebUIClient
from webui.http.endpoints import Endpoint
from webui.http.reply import Reply
from webui.pictures.picture import identify_picture

OPTIONS = '{"sd_model_checkpoint": "dream", "samples_format": "png"}'
PICTURE = identify_picture(picture())


@contextmanager
def answering(answer: Answer) -> Iterator[tuple[RawServer, WebUIClient]]:
    with RawServer(answer) as server, connect(server.base_url) as there:
        yield server, there


def sent(server: RawServer) -> tuple[bytes, Any]:
    """Head and parsed body of the first request."""
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    return head, json.loads(body) if body else None


def generate(there: WebUIClient, timeout: float = 5, **request: object) -> Reply:
    return there.generate(Endpoint.TXT2IMG, request, timeout=timeout, largest=sys.maxsize)


def test_making_a_client_opens_no_connection() -> None:
    with answering(reply(OPTIONS)) as (server, _):
        assert server.requests == []


def test_a_request_is_plain_json_without_a_login_where_none_is_set() -> None:
    with answering(reply("{}")) as (server, there), generate(there, prompt="灯台", steps=20):
        head, body = sent(server)
    assert head.startswith(b"POST /sdapi/v1/txt2img HTTP/1.1\r\n")
    assert b"\r\nContent-Type: application/json" in head
    assert b"\r\nAccept-Encoding: identity" in head
    assert b"authorization" not in head.lower()
    assert body == {"prompt": "灯台", "steps": 20}


def test_options_models_and_what_is_in_a_picture_are_what_the_server_says() -> None:
    with answering(reply(OPTIONS)) as (_, there):
        assert there.options() == json.loads(OPTIONS)
    with answering(reply('[{"title": "a"}, null, "b", {"title": "c"}]')) as (_, there):
        assert there.sd_models() == [{"title": "a"}, {"title": "c"}]
    with answering(reply('{"info": "a cat"}')) as (server, there):
        assert there.png_info(PICTURE) == {"info": "a cat"}
    assert sent(server)[1] == {"image": PICTURE.base64()}


@pytest.mark.parametrize("body", ["{}", '{"info": 5}', "null", "["])
def test_what_only_a_webui_would_say_is_required_where_a_call_stands_or_falls_with_it(
    body: str,
) -> None:
    with answering(reply(body)) as (_, there):
        for ask in (there.options, there.sd_models, lambda: there.png_info(PICTURE)):
            with pytest.raises(WebUIResponseError, match="not as a Stable Diffusion WebUI does"):
                ask()


@pytest.mark.parametrize(
    ("look_up", "line", "body"),
    [
        (lambda there: there.entries(Endpoint.SD_MODULES), "GET /sdapi/v1/sd-modules", None),
        (lambda there: there.refresh(Endpoint.SD_MODULES), "POST /sdapi/v1/refresh-vae", {}),
        (WebUIClient.progress, "GET /sdapi/v1/progress?skip_current_image=true", None),
        (lambda there: there.task_progress("task(1)"), "POST /internal/progress",
         {"id_task": "task(1)", "live_preview": False}),
        (WebUIClient.interrupt, "POST /sdapi/v1/interrupt", {}),
    ],
    ids=["a list", "a refresh", "progress", "a task's progress", "an interrupt"],
)  # fmt: skip
def test_a_lookup_gives_what_the_endpoint_says(
    look_up: Callable[[WebUIClient], object], line: str, body: object
) -> None:
    with answering(reply('{"said": [1]}')) as (server, there):
        assert look_up(there) == {"said": [1]}
    assert sent(server)[0].startswith(f"{line} HTTP/1.1\r\n".encode())
    assert sent(server)[1] == body


@pytest.mark.parametrize(
    "answer",
    [
        reply('{"detail": "Not Found"}', status="404 Not Found"),
        reply('{"location": "/login"}', "Location: /login", status="302 Found"),
        reply('{"detail": "Not authenticated"}', status="401 Unauthorized"),
        reply('{"error": "OSError", "errors": "disk on fire"}', status="500 Server Error"),
        reply("<html></html>", content_type="text/html"),
        reply("", status="204 No Content"),
        *(reply(body) for body in ("[", "[" * 100_000, "1" * 5000, b"\xff\xfe\xfa")),
    ],
    ids=["404", "redirect", "401", "500", "web page", "nothing", "cut", "nested", "digits",
         "not UTF-8"],
)  # fmt: skip
def test_a_lookup_that_fails_gives_nothing(answer: bytes) -> None:
    with answering(answer) as (_, there):
        assert there.entries(Endpoint.SD_MODULES) is None
        assert not there.answers(Endpoint.CAPABILITIES)


@pytest.mark.parametrize("begun", [b"", reply("[]", length=1000)], ids=["silence", "half"])
def test_a_lookup_does_not_wait_for_a_server_that_hangs(
    monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(client, "LOOKUP_PATIENCE", 0.3)
    with answering(stalling_after(begun)) as (_, there):
        assert there.memory() is None
        # Not offered is one thing, not in time another.
        with pytest.raises(WebUILateError):
            there.entries(Endpoint.SD_MODULES)


def test_a_lookup_says_so_when_nothing_can_be_reached() -> None:
    with (
        connect(f"http://127.0.0.1:{free_port()}") as there,
        pytest.raises(WebUIConnectionError, match="refused the connection"),
    ):
        there.entries(Endpoint.SD_MODULES)


@pytest.mark.parametrize(
    ("pasted", "given", "login"),
    [
        ("", {"username": "jürgen", "password": "pässwörd日本"}, "jürgen:pässwörd日本"),
        ("", {"password": "only"}, ":only"),
        ("", {"username": "me"}, "me:"),
        ("me:hunter2%2Fwith%3Aodd%40signs@", {}, "me:hunter2/with:odd@signs"),
    ],
)
def test_the_login_travels_as_basic_in_utf8_and_in_the_header_alone(
    pasted: str, given: dict[str, str], login: str
) -> None:
    with (
        RawServer(reply(OPTIONS)) as server,
        connect(server.base_url.replace("//", f"//{pasted}"), **given) as there,
    ):
        there.options()
    assert server.requests[0].startswith(b"GET /sdapi/v1/options HTTP/1.1\r\n")
    token = base64.b64encode(login.encode())
    assert b"\r\nAuthorization: Basic " + token + b"\r\n" in server.requests[0]
    assert b"hunter2" not in server.requests[0]


def test_headers_of_the_credentials_go_with_every_request_and_are_shown_by_none() -> None:
    with (
        RawServer(reply('{"detail": "no X-Key hunter2"}', status="403 No")) as server,
        connect(server.base_url, headers="X-Key: hunter2 | User-Agent: us") as there,
    ):
        with pytest.raises(WebUIError, match=r"no X-Key \*\*\*") as caught:
            there.options()
        with pytest.raises(WebUIError), generate(there):
            pass
        there.interrupt()
    assert "hunter2" not in repr(caught.value)
    assert len(server.requests) == 3
    for request in server.requests:
        assert b"\r\nX-Key: hunter2\r\n" in request
        assert b"\r\nUser-Agent: us\r\n" in request
        assert b"x-task-id" not in request.lower()


def test_an_authorization_of_ones_own_is_sent_as_it_is() -> None:
    with (
        RawServer(reply(OPTIONS)) as server,
        connect(server.base_url, headers="Authorization: Bearer hunter2") as there,
    ):
        there.options()
    assert b"\r\nAuthorization: Bearer hunter2\r\n" in server.requests[0]


def test_a_netrc_of_the_machine_is_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login other password elsewhere\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with answering(reply(OPTIONS)) as (server, there):
        assert requests.utils.get_netrc_auth(server.base_url) == ("other", "elsewhere")
        there.options()
    assert b"authorization" not in server.requests[0].lower()


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_public_server_is_reached_through_the_proxy_and_a_local_one_without(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    with RawServer(reply(OPTIONS)) as proxy, RawServer(reply(OPTIONS)) as local:
        monkeypatch.setenv(variable, proxy.base_url)
        for base_url in ("http://gpu.invalid:7860", local.base_url):
            with connect(base_url) as there:
                there.options()
    assert (len(proxy.requests), len(local.requests)) == (1, 1)
    assert proxy.requests[0].startswith(b"GET http://gpu.invalid:7860/sdapi/v1/options HTTP/1.1")


def test_a_server_of_no_proxy_is_reached_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(reply(OPTIONS)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url)
        monkeypatch.setenv("NO_PROXY", "gpu.invalid")
        assert "does not resolve" in str(failure("http://gpu.invalid:7860"))
    assert proxy.requests == []


@pytest.mark.parametrize(
    ("status", "path", "told"),
    [
        *((status, "/sd/sdapi/v1/options", "/sd. Set base_url to the address that answers itself")
          for status in ("301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent")),
        ("302 Found", "/login?next=%2Fsdapi", "/login"),
    ],
)  # fmt: skip
def test_a_redirect_is_not_followed_and_names_the_address_to_use(
    status: str, path: str, told: str
) -> None:
    with RawServer(reply(OPTIONS)) as target:
        location = f"Location: http://me:hunter2@127.0.0.1:{target.port}{path}"
        with RawServer(reply("", location, status=status)) as server:
            error = failure(server.base_url)
    assert type(error) is WebUINotFoundError
    assert f"{server.base_url} redirects to http://127.0.0.1:{target.port}{told}" in str(error)
    assert target.requests == []


@pytest.mark.parametrize(
    "answer",
    [reply("", "Location: /a", status="308 No"), reply("", status="503 Busy"), b"", b"?\r\n"],
    ids=["redirect", "503", "hang up", "nonsense"],
)
def test_a_job_is_sent_once_whatever_comes_back(answer: bytes) -> None:
    with answering(answer) as (server, there), pytest.raises(WebUIError):
        generate(there, prompt="a cat")
    assert len(server.requests) == 1


def test_a_job_has_seconds_of_its_own_to_answer_and_few_to_connect(http: RequestsMock) -> None:
    limits = matchers.request_kwargs_matcher(
        {"timeout": (client.CONNECT_TIMEOUT, 900), "stream": True}
    )
    http.post("http://gpu:7860/sdapi/v1/txt2img", body="{}", match=[limits])
    with connect("http://gpu:7860") as there, generate(there, timeout=900):
        pass


def test_connections_notice_a_peer_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[socket.socket] = []
    create = connection.create_connection

    def watched(*where: Any, **options: Any) -> socket.socket:  # noqa: ANN401 - urllib3's own
        opened.append(create(*where, **options))
        return opened[-1]

    monkeypatch.setattr(connection, "create_connection", watched)
    with answering(reply(OPTIONS)) as (_, there), generate(there):
        assert opened[0].getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert opened[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1

"""The stand-in's manners on the wire: logins, paths, methods, compression."""

import gzip
import http.client
import json
from collections.abc import Iterator

import pytest
import requests
from standin_calls import get

from devtools.standin import StandIn


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


def raw_request(standin: StandIn, method: str, path: str, **headers: str) -> tuple[int, bytes]:
    """Without the corrections that requests makes."""
    connection = http.client.HTTPConnection(standin.base_url.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_without_a_login_the_api_answers_401_and_asks_for_none() -> None:
    with StandIn(api_auth="ann:secret") as guarded:
        response = get(guarded, "/sdapi/v1/options")
    assert response.status_code == 401
    assert response.json() == {
        "error": "HTTPException",
        "detail": "Not authenticated",
        "body": "",
        "errors": "",
    }
    assert "WWW-Authenticate" not in response.headers


@pytest.mark.parametrize(
    ("login", "status"),
    [
        (("ann", "secret"), 200),
        (("bob", "other"), 200),
        (("ann", "other"), 401),
        (("eve", "secret"), 401),
    ],
)
def test_each_login_opens_with_its_own_password(login: tuple[str, str], status: int) -> None:
    with StandIn(api_auth="ann:secret,bob:other") as guarded:
        response = get(guarded, "/sdapi/v1/options", auth=login)
    assert response.status_code == status
    if status == 401:
        assert response.json()["detail"] == "Incorrect username or password"


@pytest.mark.parametrize("path", ["/sdapi/v1/loras", "/openapi.json", "/internal/ping", "/"])
def test_some_routes_need_no_login(path: str) -> None:
    with StandIn(api_auth="ann:secret") as guarded:
        assert get(guarded, path).status_code == 200


def test_the_flags_give_the_login_away() -> None:
    with StandIn(api_auth="ann:secret") as guarded:
        flags = get(guarded, "/sdapi/v1/cmd-flags", auth=("ann", "secret")).json()
    assert flags["api_auth"] == "ann:secret"


def test_without_the_api_its_routes_are_not_found_and_the_pages_remain() -> None:
    with StandIn(api=False) as closed:
        response = get(closed, "/sdapi/v1/options")
        assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})
        assert get(closed, "/").status_code == 200
        assert get(closed, "/internal/ping").status_code == 200


def test_a_doubled_slash_is_not_found(standin: StandIn) -> None:
    status, body = raw_request(standin, "GET", "//sdapi/v1/options")
    assert (status, json.loads(body)) == (404, {"detail": "Not Found"})


def test_a_slash_too_many_at_the_end_is_redirected(standin: StandIn) -> None:
    response = requests.get(
        f"{standin.base_url}/sdapi/v1/options/", allow_redirects=False, timeout=10
    )
    assert (response.status_code, response.headers["Location"]) == (307, "/sdapi/v1/options")


def test_the_wrong_method_is_not_allowed(standin: StandIn) -> None:
    response = get(standin, "/sdapi/v1/txt2img")
    assert (response.status_code, response.json()) == (405, {"detail": "Method Not Allowed"})


def test_long_replies_are_compressed_for_those_who_take_it(standin: StandIn) -> None:
    _, body = raw_request(standin, "GET", "/sdapi/v1/samplers", **{"Accept-Encoding": "gzip"})
    assert json.loads(gzip.decompress(body))
    _, body = raw_request(standin, "GET", "/sdapi/v1/samplers", **{"Accept-Encoding": "identity"})
    assert json.loads(body)


def test_short_replies_are_never_compressed(standin: StandIn) -> None:
    _, body = raw_request(standin, "GET", "/internal/ping", **{"Accept-Encoding": "gzip"})
    assert body == b"{}"


def test_compression_can_be_switched_off() -> None:
    with StandIn(gzip=False) as plain:
        _, body = raw_request(plain, "GET", "/sdapi/v1/samplers", **{"Accept-Encoding": "gzip"})
    assert json.loads(body)

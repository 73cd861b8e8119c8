"""The stand-in as a server: login, missing API, compression, prepared failures, its end."""

import gzip
import http.client
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from devtools.standin import StandIn, main

SMALL = {"width": 64, "height": 64, "steps": 1}


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


def get(standin: StandIn, path: str, **arguments: Any) -> requests.Response:
    return requests.get(standin.base_url + path, timeout=10, **arguments)


def post(standin: StandIn, path: str, **arguments: Any) -> requests.Response:
    return requests.post(standin.base_url + path, timeout=10, **arguments)


def raw_request(standin: StandIn, method: str, path: str, **headers: str) -> tuple[int, bytes]:
    """Without the corrections that requests makes."""
    connection = http.client.HTTPConnection(standin.base_url.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    "name",
    [
        "options",
        "sd-models",
        "sd-vae",
        "samplers",
        "schedulers",
        "upscalers",
        "latent-upscale-modes",
        "face-restorers",
        "prompt-styles",
        "embeddings",
        "loras",
        "scripts",
        "script-info",
        "memory",
        "cmd-flags",
        "progress",
    ],
)
def test_every_list_is_served_and_not_empty(standin: StandIn, name: str) -> None:
    response = get(standin, f"/sdapi/v1/{name}")
    assert response.status_code == 200
    assert response.json()


@pytest.mark.parametrize("name", ["checkpoints", "vae", "loras"])
def test_refreshing_answers_null(standin: StandIn, name: str) -> None:
    response = post(standin, f"/sdapi/v1/refresh-{name}")
    assert (response.status_code, response.json()) == (200, None)


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_pages_are_html(standin: StandIn, path: str) -> None:
    response = get(standin, path)
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"


def test_ping_answers_an_empty_object(standin: StandIn) -> None:
    assert get(standin, "/internal/ping").json() == {}


def test_whole_numbers_among_the_options_are_floats(standin: StandIn) -> None:
    assert '"CLIP_stop_at_last_layers":1.0' in get(standin, "/sdapi/v1/options").text


def test_samplers_and_schedulers_have_the_keys_of_the_real_lists(standin: StandIn) -> None:
    sampler = get(standin, "/sdapi/v1/samplers").json()[0]
    assert sampler["name"] == "DPM++ 2M"
    assert sampler.keys() == {"name", "aliases", "options"}
    schedulers = get(standin, "/sdapi/v1/schedulers").json()
    assert [one["label"] for one in schedulers][:3] == ["Automatic", "Uniform", "Karras"]
    assert {"name", "label", "aliases", "default_rho", "need_inner_model"} == schedulers[0].keys()


def test_the_schema_lists_the_fields_of_both_requests(standin: StandIn) -> None:
    schemas = get(standin, "/openapi.json").json()["components"]["schemas"]
    txt2img = schemas["StableDiffusionProcessingTxt2Img"]["properties"]
    assert len(txt2img) == 55
    assert txt2img["steps"] == {"title": "Steps", "default": 50, "type": "integer"}
    assert "default" not in txt2img["denoising_strength"]
    img2img = schemas["StableDiffusionProcessingImg2Img"]["properties"]
    assert len(img2img) == 57
    assert img2img["denoising_strength"]["default"] == 0.75


def test_without_a_login_the_api_answers_401_and_asks_for_none(standin: StandIn) -> None:
    del standin
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
    response = get(standin, "/sdapi/v1/options/", allow_redirects=False)
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


def test_requests_are_recorded_in_order_with_what_they_carried(standin: StandIn) -> None:
    get(standin, "/sdapi/v1/progress?skip_current_image=true", headers={"X-Mark": "first"})
    post(standin, "/sdapi/v1/txt2img", json={**SMALL, "prompt": "a lighthouse"})
    first, second = standin.received
    assert (first.method, first.path, first.json) == ("GET", "/sdapi/v1/progress", None)
    assert first.query == {"skip_current_image": "true"}
    assert first.headers["x-mark"] == "first"
    assert second.json == {**SMALL, "prompt": "a lighthouse"}


def test_prepared_failures_answer_once_each_and_only_their_path(standin: StandIn) -> None:
    path = "/sdapi/v1/samplers"
    standin.fail_next(path, status=502, body="<html>Bad gateway</html>", content_type="text/html")
    standin.fail_next(path, body={"detail": "broken"})
    assert get(standin, "/sdapi/v1/schedulers").status_code == 200
    first, second, third = (get(standin, path) for _ in range(3))
    assert (first.status_code, first.text) == (502, "<html>Bad gateway</html>")
    assert first.headers["Content-Type"].startswith("text/html")
    assert (second.status_code, second.json()) == (500, {"detail": "broken"})
    assert third.status_code == 200


def test_out_of_memory_ends_one_generation_as_the_real_server_does(standin: StandIn) -> None:
    standin.run_out_of_memory()
    response = post(standin, "/sdapi/v1/txt2img", json=SMALL)
    assert response.status_code == 500
    assert response.json()["error"] == "OutOfMemoryError"
    assert response.json()["errors"].startswith("CUDA out of memory.")
    assert post(standin, "/sdapi/v1/txt2img", json=SMALL).status_code == 200


def test_the_end_leaves_no_thread_even_with_a_job_and_a_silent_client() -> None:
    before = set(threading.enumerate())
    with (
        StandIn(delay=600) as standin,
        socket.create_connection(("127.0.0.1", int(standin.base_url.rpartition(":")[2]))),
    ):
        caller = threading.Thread(target=_post_and_lose, args=(standin,))
        caller.start()
        while standin.state.running is None:
            threading.Event().wait(0.01)
    caller.join(10)
    assert set(threading.enumerate()) == before


def _post_and_lose(standin: StandIn) -> None:
    with pytest.raises(requests.ConnectionError):
        post(standin, "/sdapi/v1/txt2img", json=SMALL)


def test_nothing_is_printed_unless_asked(capfd: pytest.CaptureFixture[str]) -> None:
    with StandIn() as quiet:
        get(quiet, "/sdapi/v1/options")
    assert capfd.readouterr() == ("", "")
    with StandIn(verbose=True) as verbose:
        get(verbose, "/sdapi/v1/progress?secret=1")
    assert capfd.readouterr() == ("GET /sdapi/v1/progress 200\n", "")


def test_the_command_serves_until_it_is_stopped() -> None:
    command = [sys.executable, "-m", "devtools.standin", "--port", "0", "--api-auth", "ann:secret"]
    root = Path(__file__).parent.parent
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split()[3].rstrip(",")
            response = requests.get(f"{address}/sdapi/v1/options", timeout=10)
            assert response.status_code == 401
        finally:
            process.terminate()


def test_a_login_without_a_password_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--api-auth", "ann"])
    assert end.value.code == 2
    assert "USER:PASS" in capsys.readouterr().err

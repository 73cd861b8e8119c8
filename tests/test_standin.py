"""The stand-in as a server: its lists, records and prepared failures, its start and its end."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from standin_calls import SMALL, ask, get

from devtools.standin import StandIn, main


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


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
    response = ask(standin, f"refresh-{name}")
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


def test_requests_are_recorded_in_order_with_what_they_carried(standin: StandIn) -> None:
    get(standin, "/sdapi/v1/progress?skip_current_image=true", auth=("ann", "secret"))
    ask(standin, "txt2img", prompt="a lighthouse")
    first, second = standin.received
    assert (first.method, first.path, first.json) == ("GET", "/sdapi/v1/progress", None)
    assert first.query == {"skip_current_image": "true"}
    assert first.headers["authorization"].startswith("Basic ")
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
    response = ask(standin, "txt2img")
    assert response.status_code == 500
    assert response.json()["error"] == "OutOfMemoryError"
    assert response.json()["errors"].startswith("CUDA out of memory.")
    assert ask(standin, "txt2img").status_code == 200


def test_the_end_leaves_no_thread_even_with_a_job_and_a_silent_client() -> None:
    before = set(threading.enumerate())
    standin = StandIn(delay=600)
    standin.start()
    with socket.create_connection(("127.0.0.1", int(standin.base_url.rpartition(":")[2]))):
        caller = threading.Thread(target=_post_and_lose, args=(standin,))
        caller.start()
        while standin.state.running is None:
            time.sleep(0.01)
        standin.stop()
    caller.join(10)
    assert set(threading.enumerate()) == before


def _post_and_lose(standin: StandIn) -> None:
    with pytest.raises(requests.ConnectionError):
        ask(standin, "txt2img")


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

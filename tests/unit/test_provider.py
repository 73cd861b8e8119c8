"""The provider's validation through the real SDK class, against the stand-in and real sockets."""

import socket
import threading
import traceback
from collections.abc import Iterator

import pytest
import requests
from dify_plugin.errors.tool import ToolProviderCredentialValidationError

from devtools.standin import StandIn
from provider.stable_diffusion import StableDiffusionProvider

OPTIONS = "/sdapi/v1/options"
PASSWORD = "hunter2/with:odd@signs"


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


def validate(base_url: object, **others: object) -> None:
    StableDiffusionProvider().validate_credentials({"base_url": base_url} | others)


def refusal(base_url: object, **others: object) -> str:
    with pytest.raises(ToolProviderCredentialValidationError) as caught:
        validate(base_url, **others)
    shown = "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in shown
    assert "hunter2" not in shown
    return str(caught.value)


def test_an_address_alone_is_enough_and_costs_one_get(standin: StandIn) -> None:
    validate(standin.base_url)
    assert [(r.method, r.path) for r in standin.received] == [("GET", OPTIONS)]


@pytest.mark.parametrize(
    "pasted",
    [" {} ", "{}/", "{}//", "{}/docs", "{}/docs#/default", "{}/sdapi/v1", "{}/sdapi/v1/txt2img",
     "{}/?__theme=dark", "{}/redoc/", "{}//sdapi//v1/options"],
)  # fmt: skip
def test_what_people_paste_is_understood(standin: StandIn, pasted: str) -> None:
    validate(pasted.format(standin.base_url))
    assert [r.path for r in standin.received] == [OPTIONS]


def test_a_login_in_the_address_is_taken_as_the_login() -> None:
    with StandIn(api_auth="me:secret") as standin:
        validate(standin.base_url.replace("http://", "http://me:secret@"))
        validate(standin.base_url, username="me", password="secret")


def test_the_fields_win_over_a_login_in_the_address() -> None:
    with StandIn(api_auth="me:secret") as standin:
        pasted = standin.base_url.replace("http://", "http://old:hunter2@")
        validate(pasted, username="me", password="secret")


@pytest.mark.parametrize("empty", [None, "", "  "], ids=repr)
def test_an_empty_address_is_refused(empty: object) -> None:
    assert "base_url is empty" in refusal(empty)


@pytest.mark.parametrize(
    "text", ["hello", "localhost:7860", "http//x:7860", "http://", "http://a b"]
)
def test_what_is_no_url_is_refused_with_an_example(text: str) -> None:
    assert "http://host.docker.internal:7860" in refusal(text)


@pytest.mark.parametrize("port", ["99999", "78x60", "-1"])
def test_a_port_that_cannot_be_is_refused(port: str) -> None:
    assert "is not a URL" in refusal(f"http://me:{PASSWORD}@gpu:{port}")


@pytest.mark.parametrize("scheme", ["ftp", "ws", "file", "HTTPX"])
def test_other_schemes_are_refused(scheme: str) -> None:
    text = refusal(f"{scheme}://me:{PASSWORD}@gpu:7860")
    assert f"{scheme.lower()}:// is not supported. Use http:// or https://" in text


def test_a_name_that_does_not_resolve() -> None:
    text = refusal(f"http://me:{PASSWORD}@gpu.invalid:7860")
    assert "gpu.invalid does not resolve" in text


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_refused_connection_to_this_machine_explains_docker(host: str) -> None:
    port = free_port()
    text = refusal(f"http://{host}:{port}", username="me", password=PASSWORD)
    assert "refused the connection" in text
    assert f"Inside Docker, {host} is the container itself" in text
    assert f"http://host.docker.internal:{port}" in text
    assert "--listen" in text


def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webui.client.LOOKUP_TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        text = refusal(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert "did not answer in time" in text


def test_plain_http_where_tls_is_expected(standin: StandIn) -> None:
    text = refusal(standin.base_url.replace("http://", "https://"))
    assert "does not answer with TLS" in text
    assert "use http://" in text


@pytest.mark.parametrize(
    "login", [{}, {"username": "me", "password": PASSWORD}], ids=["none", "bad"]
)
def test_a_login_that_is_missing_or_wrong(login: dict[str, str]) -> None:
    with StandIn(api_auth="me:secret") as standin:
        text = refusal(standin.base_url, **login)
    assert "--api-auth" in text
    assert "username and password" in text


def test_a_webui_started_without_its_api() -> None:
    with StandIn(api=False) as standin:
        text = refusal(standin.base_url)
    assert "has no /sdapi/v1/options (404). Start the WebUI with --api" in text


def test_a_wrong_path(standin: StandIn) -> None:
    assert "404" in refusal(standin.base_url + "/elsewhere")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<html><title>router</title></html>", "text/html"),
        ({"error": "Unexpected endpoint or method. (GET /sdapi/v1/options)"}, "application/json"),
        ("[]", "application/json"),
        ("Ollama is running", "text/plain"),
    ],
    ids=["a web page", "LM Studio", "a list", "Ollama"],
)
def test_something_that_is_no_webui(standin: StandIn, body: object, content_type: str) -> None:
    standin.fail_next(OPTIONS, status=200, body=body, content_type=content_type)
    assert "not as a Stable Diffusion WebUI does" in refusal(standin.base_url)


@pytest.mark.parametrize(
    "body",
    [
        {"error": "OSError", "detail": "", "body": "", "errors": "disk on fire"},
        {"error": "OSError", "detail": "", "body": "", "message": "disk on fire"},
        {"detail": "disk on fire"},
        {"error": "disk on fire"},
        '"disk on fire"',
        "disk on fire",
    ],
    ids=["A1111", "Forge", "detail", "stable-diffusion.cpp", "SD.Next", "text"],
)
def test_a_server_error_is_told_in_the_servers_words(standin: StandIn, body: object) -> None:
    standin.fail_next(OPTIONS, status=500, body=body)
    text = refusal(standin.base_url)
    assert "failed (500)" in text
    assert "disk on fire" in text


def test_a_redirect_names_the_address_to_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(
                    b"HTTP/1.1 308 Permanent Redirect\r\nContent-Length: 0\r\n"
                    b"Location: https://gpu.example/sd/sdapi/v1/options\r\n\r\n"
                )

        thread = threading.Thread(target=answer)
        thread.start()
        text = refusal(base_url)
        thread.join()
    assert "redirects to https://gpu.example/sd." in text


def spellings(standin: StandIn) -> list[str]:
    models = requests.get(standin.base_url + "/sdapi/v1/sd-models", timeout=5).json()
    model = next(m for m in models if "/" in m["title"].replace("\\", "/") and m["hash"])
    title = model["title"]
    path = title.rpartition(" [")[0]
    stem = path.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
    return [
        title, path, model["model_name"], stem, model["hash"], model["sha256"],
        f"{stem} [{model['hash']}]", f" {title.upper()} ",
    ]  # fmt: skip


def test_a_model_is_accepted_in_every_spelling_of_the_server(standin: StandIn) -> None:
    for spelling in spellings(standin):
        validate(standin.base_url, model=spelling)


def test_a_model_costs_one_get_more(standin: StandIn) -> None:
    model = spellings(standin)[0]
    standin.received.clear()
    validate(standin.base_url, model=model)
    assert {r.method for r in standin.received} == {"GET"}
    assert not [r for r in standin.received if "img" in r.path]


def test_an_unknown_model_is_refused_with_the_closest(standin: StandIn) -> None:
    right = standin.state.catalogue.checkpoints[0].name_for_extra
    text = refusal(standin.base_url, model=right[:-1] + "z")
    assert f"model: the server has no model {right[:-1] + 'z'!r}." in text or right in text
    assert right in text


@pytest.mark.parametrize("timeout", ["0", "-5", "86401", "soon", "nan", True], ids=repr)
def test_a_timeout_out_of_range_is_refused(timeout: object) -> None:
    text = refusal("http://gpu:7860", timeout=timeout)
    assert "timeout:" in text
    assert "from 1 to 86400" in text


def test_a_verify_tls_that_is_neither_is_refused() -> None:
    assert "verify_tls: 'maybe' is neither true nor false" in refusal(
        "http://gpu:7860", verify_tls="maybe"
    )


def test_a_name_that_http_basic_cannot_carry_is_refused() -> None:
    assert "cannot contain a colon" in refusal("http://gpu:7860", username="a:b")

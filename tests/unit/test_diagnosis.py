"""What each answer of a server becomes: the error's type, the server's words and the remedy."""

import base64
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from support.exchange import PASSWORD, failure
from support.raw_server import RawServer, reply
from webui import errors

# How AUTOMATIC1111 wraps what its code raises on purpose; a detail completes it.
ON_PURPOSE = {"error": "HTTPException", "body": "", "errors": ""}
HOSTILE = [b"\xff\xfe\xfa", "[" * 100_000, "1" * 5000]
HOSTILE_NAMES = ["not UTF-8", "nested", "digits"]


def answered(
    body: object, status: str, content_type: str = "application/json", **login: object
) -> errors.StableDiffusionError:
    """The error that a server's answer raises; a string is sent as it is, the rest as JSON."""
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    with RawServer(reply(text, status=status, content_type=content_type)) as server:
        return failure(server.base_url, **login)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        ("401 Unauthorized", {**ON_PURPOSE, "detail": "Incorrect name"}, "(401): Incorrect name."),
        ("401 Unauthorized", {"detail": "Incorrect name"}, "(401): Incorrect name."),
        ("403 Forbidden", "Unauthorized", "(403): Unauthorized."),
        ("403 Forbidden", "", "(403)."),
    ],
    ids=["A1111", "Forge", "SD.Next", "nothing"],
)
def test_a_login_that_is_refused_or_missing_is_told_in_the_servers_words(
    status: str, body: object, words: str
) -> None:
    refused, missing = answered(body, status), answered(body, status, username="", password="")
    assert type(refused) is type(missing) is errors.WebUIAuthenticationError
    hint = "Set username and password as in the WebUI's --api-auth (SD.Next: --auth)."
    assert str(refused).endswith(f"refuses the login 'me' {words} {hint}")
    hint = (
        "Set username and password in the plugin's settings, as in the WebUI's --api-auth "
        "(SD.Next: --auth)."
    )
    assert str(missing).endswith(f"asks for a login {words} {hint}")


@pytest.mark.parametrize(
    "body",
    [{"detail": "Not Found"}, "404 page not found", "<html><h1>nginx</h1></html>", "", "null"],
    ids=["started without --api", "Ollama", "web server", "nothing", "null"],
)
def test_a_path_the_server_does_not_have_points_at_api(body: object) -> None:
    error = answered(body, "404 Not Found")
    assert type(error) is errors.WebUINotFoundError
    assert "has no /sdapi/v1/options (404). Start the WebUI with --api" in str(error)
    assert "nginx" not in str(error)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        ("404 Not Found", {**ON_PURPOSE, "detail": "Sampler not found"},
         "(404): Sampler not found."),
        ("404 Not Found", {"detail": "Sampler not found"}, "(404): Sampler not found."),
        ("405 Method Not Allowed", {"detail": "Method Not Allowed"}, "(405): Method Not Allowed."),
        ("400 Bad Request", {"error": "empty body"}, "(400): empty body."),
        ("413 Too Large", "", "(413)."),
        ("422 Unprocessable", {**ON_PURPOSE, "detail": "Script 'X' not found"},
         "(422): Script 'X' not found."),
        ("422 Unprocessable", {"detail": [
            {"loc": ["body", "steps"], "msg": "value is not a valid integer", "type": "x"},
            {"loc": ["body", "alwayson_scripts", 0], "msg": "field required"}]},
         "(422): steps: value is not a valid integer; alwayson_scripts.0: field required."),
        ("422 Unprocessable", {"detail": [{"loc": ["body"], "msg": "malformed"}]},
         "(422): malformed."),
        ("422 Unprocessable", {"detail": [{"msg": "malformed"}, "odd", 5, None]},
         "(422): malformed; odd."),
        ("422 Unprocessable", {"detail": [{"loc": 5, "msg": "malformed"}]}, "(422): malformed."),
    ],
)  # fmt: skip
def test_a_refused_request_is_told_in_the_servers_words(
    status: str, body: object, words: str
) -> None:
    error = answered(body, status)
    assert type(error) is errors.WebUIRequestError
    assert str(error).endswith(f"refused the request {words}")


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        (" 0 ", 0, 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        (format_datetime(datetime.now(UTC) + timedelta(hours=1)), 3000, 3600),
    ],
)
def test_how_long_to_wait_is_read_in_either_form(header: str, least: int, most: int) -> None:
    with RawServer(reply("", f"Retry-After: {header}", status="429 Too Many")) as server:
        error = failure(server.base_url)
    assert isinstance(error, errors.WebUIBusyError)
    assert error.retry_after is not None
    assert least <= error.retry_after <= most


@pytest.mark.parametrize("header", ["soon", "", "-5", "²", "Wed, 99 Oct 2015 07:28:00 GMT"])
def test_a_wait_that_is_no_time_counts_as_none(header: str) -> None:
    answer = reply("", f"Retry-After: {header}".rstrip(), status="429 Too Many")
    with RawServer(answer) as server:
        error = failure(server.base_url)
    assert isinstance(error, errors.WebUIBusyError)
    assert error.retry_after is None


def test_the_setting_behind_sdnexts_limit_is_named() -> None:
    # As recorded.
    detail = "127.0.0.1:/sdapi/v1/txt2img: rate limit exceeded"
    told = {"error": "HTTPException", "code": 429, "detail": detail, "errors": f"429: {detail}"}
    assert "server_rate_limit, 'API base rate limit rate'" in str(answered(told, "429 Too Many"))
    plain = str(answered({"error": "slow down"}, "429 Too Many"))
    assert plain.endswith("takes no more for now (429): slow down.")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "OSError", "detail": "", "errors": "disk full"}, ": OSError: disk full."),
        ({"error": "OSError", "detail": "", "message": "disk full"}, ": OSError: disk full."),
        ({"error": "server_error", "message": "disk full"}, ": server_error: disk full."),
        ({"error": {"message": "disk full", "code": 5}}, ": disk full."),
        ({"detail": "disk full."}, ": disk full."),
        ('"disk full"', ": disk full."),
        ("disk\n  full", ": disk full."),
        ({"detail": "word " * 1000}, ": " + ("word " * 60)[:299] + "…."),
        ({"detail": None, "errors": 5}, "."), ([], "."), ("null", "."), ("", "."),
        ("<html><body>nginx</body></html>", "."),
        ({"error": "generate_image returned no results"}, ": generate_image returned no results. "
         "Most often memory ran out: ask for a smaller width, height or batch_size."),
        ({"error": "html_info bad"}, ": html_info bad. That is a mistake of this SD.Next itself, "
         "whatever it is asked to enlarge. Use img2img with a larger width and height, or another "
         "version."),
    ],
    ids=["A1111", "Forge", "stable-diffusion.cpp", "nested", "detail", "SD.Next", "text", "long",
         "odd", "list", "null", "nothing", "web page", "a bare stable-diffusion.cpp", "enlarging"],
)  # fmt: skip
def test_a_failure_of_the_server_is_told_in_its_words(body: object, words: str) -> None:
    error = answered(body, "502 Bad Gateway")
    assert type(error) is errors.WebUIServerError
    assert str(error).endswith(f"failed (502){words}")


@pytest.mark.parametrize(
    "body",
    [
        {"error": "OutOfMemoryError", "errors": "CUDA out of memory. Tried to allocate 8.00 GiB."},
        {"error": "OutOfMemoryError", "detail": "", "message": ""},
        {"error": "RuntimeError", "message": "MPS backend out of memory (MPS allocated: 18 GB)"},
        {"error": "RuntimeError", "errors": "DefaultCPUAllocator: can't allocate memory"},
        {"error": "RuntimeError", "errors": "CUDA error: CUBLAS_STATUS_ALLOC_FAILED"},
        {"error": "RuntimeError", "errors": "Not enough memory resources are available"},
    ],
    ids=["A1111", "by the error's name alone", "Apple", "CPU", "cuBLAS", "not enough"],
)
def test_too_little_graphics_memory_asks_for_less(body: object) -> None:
    error = answered(body, "500 Internal Server Error")
    assert type(error) is errors.WebUIOutOfMemoryError
    assert "does not suffice: " in str(error) or "does not suffice." in str(error)
    assert "Ask for a smaller width, height, batch_size or hr_scale." in str(error)


@pytest.mark.parametrize(
    "body", [*HOSTILE, '"\\ud800"', '{"detail": "\x00"}'], ids=[*HOSTILE_NAMES, "surrogate", "NUL"]
)
def test_a_hostile_body_of_a_failure_is_still_a_failure_of_the_server(body: bytes | str) -> None:
    assert type(answered(body, "500 Internal Server Error")) is errors.WebUIServerError


@pytest.mark.parametrize(
    "body",
    ["<html><title>router</title></html>", "Ollama is running", "[]", "{}", "null", "5", "",
     {"error": "Unexpected endpoint or method. (GET /sdapi/v1/options)"},
     '{"sd_model_checkpoint": ', *HOSTILE],
    ids=["web page", "Ollama", "list", "object", "null", "number", "nothing", "LM Studio", "cut",
         *HOSTILE_NAMES],
)  # fmt: skip
def test_an_answer_that_is_not_a_webuis_is_said_not_to_be(body: object) -> None:
    error = answered(body, "200 OK", "text/plain")
    assert type(error) is errors.WebUIResponseError
    assert "not as a Stable Diffusion WebUI does. Check host and port" in str(error)
    assert ("a web page" in str(error)) == ("<html>" in str(body))


def test_a_login_that_the_server_echoes_is_not_repeated() -> None:
    # The helper that raises also looks for the password in all of the error.
    for echo in (PASSWORD, base64.b64encode(f"me:{PASSWORD}".encode()).decode()):
        assert "bad header *** in" in str(answered({"detail": f"bad header {echo} in"}, "422 No"))

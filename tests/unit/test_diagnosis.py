"""What each answer of a server becomes: the error's type, the server's words and the remedy."""

import base64
import json
import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote

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


@pytest.mark.parametrize("status", ["429 Too Many", "503 Unavailable"])
@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        (" 0 ", 0, 0),
        ("9" * 400, 86400, 86400),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        (format_datetime(datetime.now(UTC) + timedelta(hours=1)), 3000, 3600),
    ],
)
def test_how_long_to_wait_is_read_in_either_form(
    status: str, header: str, least: int, most: int
) -> None:
    with RawServer(reply("", f"Retry-After: {header}", status=status)) as server:
        error = failure(server.base_url)
    assert isinstance(error, errors.WebUIBusyError)
    assert error.retry_after is not None
    assert least <= error.retry_after <= most
    told = f"takes no more for now ({status[:3]}). Try again in {math.ceil(error.retry_after)} sec"
    assert told in str(error)


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
        ({"detail": "word " * 1000}, ": " + ("word " * 60)[:299] + "…"),
        ({"detail": "disk full.."}, ": disk full."), ({"detail": " . "}, "."),
        ({"detail": "see <b>[it](http://a.b)</b>\x1b[31m!"},
         ": see ‹b>[it] (http: //a.b)‹/b>!"),
        ({"detail": None, "errors": 5}, "."), ([], "."), ("null", "."), ("", "."),
        ("<html><body>nginx</body></html>", "."),
        ({"error": "generate_image returned no results"}, ": generate_image returned no results. "
         "Most often memory ran out: ask for a smaller width, height or batch_size."),
        ({"error": "html_info bad"}, ": html_info bad. That is a mistake of this SD.Next itself, "
         "whatever it is asked to enlarge. Use img2img with a larger width and height, or another "
         "version."),
    ],
    ids=["A1111", "Forge", "stable-diffusion.cpp", "nested", "detail", "SD.Next", "text", "long",
         "dots", "a dot", "markup", "odd", "list", "null", "nothing", "web page",
         "a bare stable-diffusion.cpp", "enlarging"],
)  # fmt: skip
def test_a_failure_of_the_server_is_told_in_its_words(body: object, words: str) -> None:
    error = answered(body, "500 Internal Server Error")
    assert type(error) is errors.WebUIServerError
    assert str(error).endswith(f"failed (500){words}")


RAISE_ITS_TIMEOUT = (
    "raise its read timeout (HAProxy: timeout server, nginx: proxy_read_timeout), or set base_url "
    "to an address that goes around it, as you must with Cloudflare, whose 100 seconds are fixed."
)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        *((f"{status} Bad", body, f"got no answer from the WebUI ({status}){said}")
          for status in (502, 503, 520, 521, 522, 523)
          for body, said in (("<html>nginx</html>", "."), ("no route", ": no route."))),
        *((f"{status} Bad", body, f"gave up waiting for the WebUI ({status}){said}")
          for status in (504, 524)
          for body, said in (("<html>nginx</html>", "."), ({"message": "slow"}, ": slow."))),
    ],
)  # fmt: skip
def test_a_proxy_that_gives_up_is_told_apart_from_the_server_with_the_times_to_raise(
    status: str, body: object, words: str
) -> None:
    error = answered(body, status)
    assert type(error) is errors.WebUIServerError
    assert words in str(error)
    assert str(error).endswith(RAISE_ITS_TIMEOUT)


@pytest.mark.parametrize("status", ["500 Error", "502 Bad Gateway", "503 Unavailable"])
def test_a_failure_in_the_servers_own_json_is_the_servers(status: str) -> None:
    error = answered({"error": "OSError", "detail": "disk full"}, status)
    assert type(error) is errors.WebUIServerError
    assert str(error).endswith(f"failed ({status[:3]}): OSError: disk full.")


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        ("403 Forbidden", errors.WebUIAuthenticationError,
         "A proxy or firewall before {} refuses the request (403), and not for its login."),
        ("407 Proxy Authentication Required", errors.WebUIConnectionError,
         "The HTTP proxy of the plugin's environment wants a login before it asks {} (407)."),
        ("413 Too Large", errors.WebUIRequestError,
         "A proxy before {} takes no request as large as this (413). Raise its limit (nginx: "
         "client_max_body_size), or give smaller pictures."),
        ("525 No Handshake", errors.WebUIServerError, "does not trust the WebUI's certificate"),
        ("526 Bad Certificate", errors.WebUIServerError, "does not trust the WebUI's certificate"),
    ],
)  # fmt: skip
def test_what_only_something_in_between_says_names_it(
    status: str, kind: type[errors.StableDiffusionError], words: str
) -> None:
    with RawServer(reply("<html>no</html>", status=status)) as server:
        error = failure(server.base_url)
    assert type(error) is kind
    assert words.format(server.base_url) in str(error)


@pytest.mark.parametrize(
    "body",
    [
        {"error": "OutOfMemoryError", "errors": "CUDA out of memory. Tried to allocate 8.00 GiB."},
        {"error": "OutOfMemoryError", "detail": "", "message": ""},
        {"error": "RuntimeError", "message": "MPS backend out of memory (MPS allocated: 18 GB)"},
        {"error": "RuntimeError", "errors": "DefaultCPUAllocator: can't allocate memory"},
        {"error": "RuntimeError", "errors": "CUDA error: CUBLAS_STATUS_ALLOC_FAILED"},
        {"error": "RuntimeError", "errors": "Not enough memory resources are available"},
        {"error": "RuntimeError", "errors": "[enforce] DefaultCPUAllocator: 8 bytes"},
        {"error": "RuntimeError", "errors": "There is not enough GPU video memory available!"},
        {"error": "vk::Device::allocateMemory: ErrorOutOfDeviceMemory"},
        {"error": "OSError", "errors": "word " * 100 + "CUDA Out-Of-Memory"},
        "std::bad_alloc",
    ],
    ids=[
        "A1111",
        "by the error's name alone",
        "Apple",
        "CPU",
        "cuBLAS",
        "not enough",
        "torch",
        "DirectML",
        "Vulkan",
        "beyond the cut",
        "C++",
    ],
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
    assert ("an empty reply" in str(error)) == (body == "")


@pytest.mark.parametrize("before", ["bad header ", "x" * 292])
@pytest.mark.parametrize(
    "echo",
    [PASSWORD, quote(PASSWORD, safe=""), base64.b64encode(f"me:{PASSWORD}".encode()).decode()],
)
def test_a_login_that_the_server_echoes_is_not_repeated(before: str, echo: str) -> None:
    # The helper that raises also looks for the password in all of the error.
    error = str(answered({"detail": f"{before}{echo} in"}, "422 No"))
    assert f"{before}***" in error
    assert "hunter" not in error


def test_a_short_password_leaves_the_words_as_they_are() -> None:
    error = answered({"detail": "a bad cat"}, "422 No", username="me", password="a")
    assert str(error).endswith(": a bad cat.")


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("/login?next=/", "/login."),
        ("x" * 5000, "xxx…."),
        (f"http://elsewhere.example/{PASSWORD}", "http: //elsewhere.example/***."),
        (f"http://me:{quote(PASSWORD, safe='')}@127.0.0.1/a", "http://127.0.0.1/a."),
        ("http://xn--/", "what is no address."),
        (f"http://{'a' * 5000}/", "aaa…."),
        ("", "."),
    ],
    ids=["relative", "long", "elsewhere", "login", "broken", "long host", "none"],
)  # fmt: skip
def test_where_a_redirect_leads_is_told_without_a_login_and_short(
    location: str, shown: str
) -> None:
    with RawServer(reply("", f"Location: {location}", status="302 Found")) as server:
        error = failure(server.base_url)
    assert type(error) is errors.WebUINotFoundError
    where = str(error).split(" redirects to ")[1]
    assert f"{shown} Set base_url to the address" in where
    assert len(where) < 500


def test_a_redirect_to_another_host_may_be_a_gateway_that_asks_for_its_token() -> None:
    for location, asks in (("https://team.cloudflareaccess.com/login?kid=1", True), ("/a", False)):
        with RawServer(reply("", f"Location: {location}", status="302 Found")) as server:
            assert ("give its token as headers" in str(failure(server.base_url))) is asks

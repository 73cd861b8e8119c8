"""Each error of the tree as one of the types that Dify unwraps."""

import re
from collections.abc import Callable, Generator
from typing import Any

import pytest
from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage
from dify_plugin.errors import model

from dify.errors import MistakeError, known_to_dify, sentence, tells_dify
from dify.limits import DifyTimeLimitError, FileTooLargeError
from webui import errors
from webui.pictures.infotext import parse_infotext

CREDENTIALS, BAD_REQUEST = model.CredentialsValidateFailedError, model.InvokeBadRequestError
LOGIN, CONNECTION = model.InvokeAuthorizationError, model.InvokeConnectionError
UNAVAILABLE = model.InvokeServerUnavailableError
FROM_OUTSIDE = (KeyboardInterrupt, SystemExit, GeneratorExit)
KNOWN: dict[type[errors.StableDiffusionError], type[Exception]] = {
    errors.InvalidCredentialsError: CREDENTIALS,
    errors.InvalidParameterError: BAD_REQUEST,
    errors.WebUIRequestError: BAD_REQUEST,
    errors.WebUIAuthenticationError: LOGIN,
    errors.WebUIBusyError: UNAVAILABLE,
    errors.WebUIConnectionError: CONNECTION,
    errors.WebUICertificateError: CONNECTION,
    errors.WebUINotFoundError: CONNECTION,
    errors.WebUITimeoutError: UNAVAILABLE,
    errors.WebUILateError: UNAVAILABLE,
    errors.WebUIServerError: UNAVAILABLE,
    errors.WebUIOutOfMemoryError: UNAVAILABLE,
    errors.WebUIResponseError: UNAVAILABLE,
    errors.WrongModelError: UNAVAILABLE,
    errors.WebUIError: UNAVAILABLE,
    errors.TimeUpError: UNAVAILABLE,
    DifyTimeLimitError: UNAVAILABLE,
    errors.PictureTooLargeError: UNAVAILABLE,
    errors.NotKeptError: UNAVAILABLE,
    FileTooLargeError: UNAVAILABLE,
    errors.StableDiffusionError: UNAVAILABLE,
    MistakeError: UNAVAILABLE,
}


def test_every_error_becomes_one_that_dify_unwraps() -> None:
    assert {kind for kind in vars(errors).values() if isinstance(kind, type)} <= set(KNOWN)
    told = {kind: known_to_dify(kind("It failed.")) for kind in KNOWN}
    assert {kind: type(error) for kind, error in told.items()} == KNOWN
    assert {str(error) for error in told.values()} == {"It failed."}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("", ""),
        ("hosts", ' On Linux, give the plugin_daemon service extra_hosts: "host.docker.internal:'),
        ("no_proxy", " Add the WebUI's host to NO_PROXY of the plugin daemon."),
    ],
)
def test_a_remedy_in_difys_own_settings_is_added(setting: str, said: str) -> None:
    error = errors.WebUIConnectionError("It failed.", caller_setting=setting)
    assert sentence(error).startswith(f"It failed.{said}")
    assert str(known_to_dify(error)) == sentence(error)


class Broken(Tool):
    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        raise NotImplementedError


def told(raised: BaseException | Callable[[], object]) -> BaseException:
    """What a tool that raises it tells Dify, in the end."""

    @tells_dify
    def invoke(_tool: Tool, _given: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        if callable(raised):
            raised()
        else:
            raise raised
        yield from ()

    login = {"base_url": "http://gpu:7860", "username": "ada", "password": "hunter22"}
    with pytest.raises((Exception, *FROM_OUTSIDE)) as caught:
        list(invoke(Broken.from_credentials(login), {}))
    return caught.value


def test_a_mistake_of_the_plugin_says_where_and_shows_no_path_and_no_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    password: Any = ["hunter22"]
    error = told(lambda: parse_infotext(password))
    said = "This is a mistake of the plugin: AttributeError in webui/pictures/infotext.py, line "
    assert type(error) is UNAVAILABLE
    assert re.match(re.escape(said) + r"\d+\. Please report it ", str(error))
    assert told(ValueError("hunter22 in /home/ada")).__suppress_context__
    assert str(told(KeyError("hunter22"))).startswith(
        "This is a mistake of the plugin: KeyError in"
    )
    assert "Traceback" in caplog.text
    assert "hunter22" not in caplog.text


def test_an_error_shows_no_secret_no_link_and_no_more_than_a_page() -> None:
    words = "hunter22 <a href=x> http://evil.example \x1b[1m" + "x" * 50_000
    found = told(errors.WebUIServerError(words))
    assert str(found).startswith("*** ‹a href=x> http: //evil.example xxx")
    assert len(str(found)) < 21_000


def test_what_ends_a_call_from_outside_passes() -> None:
    for kind in FROM_OUTSIDE:
        assert type(told(kind())) is kind

"""Each error of the tree as one of the types that Dify unwraps."""

import pytest
from dify_plugin.errors import model

from dify.errors import known_to_dify, sentence
from dify.limits import DifyTimeLimitError, FileTooLargeError
from webui import errors

CREDENTIALS, BAD_REQUEST = model.CredentialsValidateFailedError, model.InvokeBadRequestError
LOGIN, CONNECTION = model.InvokeAuthorizationError, model.InvokeConnectionError
UNAVAILABLE = model.InvokeServerUnavailableError
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

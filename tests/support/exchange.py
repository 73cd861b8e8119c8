"""One exchange with a server, and what it raises."""

import base64
import traceback

import pytest

from dify.credentials import read_credentials
from webui.errors import StableDiffusionError
from webui.http.client import WebUIClient

PASSWORD = "hunter2/with:odd@signs"


def connect(base_url: str, **given: object) -> WebUIClient:
    """A client for that address; `given` are further credentials, as Dify hands them over."""
    return WebUIClient(read_credentials({"base_url": base_url} | given))


def failure(base_url: str, **given: object) -> StableDiffusionError:
    """What asking for the options raises, made sure to show no password."""
    login = {"username": "me", "password": PASSWORD} | given
    with connect(base_url, **login) as there, pytest.raises(StableDiffusionError) as caught:
        there.options()
    assert_no_password_in(caught.value)
    return caught.value


def assert_no_password_in(error: BaseException) -> None:
    """Assert that neither the error nor its traceback shows the password, plain or encoded."""
    shown = str(error) + repr(error) + "".join(traceback.format_exception(error))
    assert "hunter2" not in shown
    assert base64.b64encode(f"me:{PASSWORD}".encode()).decode() not in shown

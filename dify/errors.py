"""Errors as Dify knows them.

Of most errors Dify shows a traceback around the message, to people and to language models. Of a
few types, known by name, it shows the message alone (its api/core/plugin/impl/base.py). So every
error leaves as the one of those that fits, with the sentence and nothing else.
"""

import functools
from collections.abc import Callable, Generator
from typing import Any

from dify_plugin.entities.tool import ToolInvokeMessage
from dify_plugin.errors.model import (
    CredentialsValidateFailedError,
    InvokeAuthorizationError,
    InvokeBadRequestError,
    InvokeConnectionError,
    InvokeServerUnavailableError,
)

from webui.errors import (
    InvalidCredentialsError,
    InvalidParameterError,
    StableDiffusionError,
    WebUIAuthenticationError,
    WebUIConnectionError,
    WebUINotFoundError,
    WebUIRequestError,
    WebUITimeoutError,
)

type Invoke[T] = Callable[[T, dict[str, Any]], Generator[ToolInvokeMessage, None, None]]

# The nearest class counts. Whatever is not here is the server's failure, or Dify's limit.
_KNOWN: dict[type[StableDiffusionError], type[Exception]] = {
    InvalidCredentialsError: CredentialsValidateFailedError,
    InvalidParameterError: InvokeBadRequestError,
    WebUIRequestError: InvokeBadRequestError,
    WebUIAuthenticationError: InvokeAuthorizationError,
    WebUIConnectionError: InvokeConnectionError,
    WebUINotFoundError: InvokeConnectionError,
    WebUITimeoutError: InvokeServerUnavailableError,
    StableDiffusionError: InvokeServerUnavailableError,
}


# What must change where the plugin runs, by `caller_setting`.
_SETTINGS = {
    "hosts": (
        'On Linux, give the plugin_daemon service extra_hosts: "host.docker.internal:host-gateway".'
    ),
    "no_proxy": "Add the WebUI's host to NO_PROXY of the plugin daemon.",
}


def known_to_dify(error: StableDiffusionError) -> Exception:
    """Return the same sentence as an error that Dify shows without a traceback."""
    return _KNOWN[_nearest(error)](sentence(error))


def sentence(error: StableDiffusionError) -> str:
    """Return what is shown of an error: with the remedy, if that lies in Dify's own settings."""
    setting = error.caller_setting if isinstance(error, WebUIConnectionError) else ""
    return f"{error} {_SETTINGS[setting]}" if setting else str(error)


def _nearest(error: StableDiffusionError) -> type[StableDiffusionError]:
    return next(kind for kind in type(error).__mro__ if kind in _KNOWN)


def tells_dify[T](invoke: Invoke[T]) -> Invoke[T]:
    """Decorate a tool's `_invoke`: what it raises on purpose reaches the person as a sentence."""

    @functools.wraps(invoke)
    def told(tool: T, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        try:
            yield from invoke(tool, tool_parameters)
        except StableDiffusionError as error:
            raise known_to_dify(error) from None

    return told

"""Errors as Dify knows them, and the last resort for what nobody thought of.

Of most errors Dify shows a traceback around the message, to people and to language models. Of a
few types, known by name, it shows the message alone (its api/core/plugin/impl/base.py). So every
error leaves as the one of those that fits, with the sentence and nothing else.
"""

import functools
import logging
import traceback
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from dify_plugin.entities.tool import ToolInvokeMessage, ToolRuntime
from dify_plugin.errors.model import (
    CredentialsValidateFailedError,
    InvokeAuthorizationError,
    InvokeBadRequestError,
    InvokeConnectionError,
    InvokeServerUnavailableError,
)

from dify.credentials import secrets_of
from dify.outgoing import Door
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


class _Tool(Protocol):
    runtime: ToolRuntime


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


_ROOT = Path(__file__).absolute().parent.parent
_ROOMS = {"webui", "dify", "tools", "provider"}
_LOG = logging.getLogger(__name__)


class MistakeError(StableDiffusionError):
    """The plugin failed where it should not have."""


class Telling:
    """A context out of which every error comes as one that Dify shows, with its sentence alone.

    always: the type to give all of them, where Dify knows no other.
    """

    def __init__(
        self, credentials: Mapping[str, object], always: type[Exception] | None = None
    ) -> None:
        self._credentials = credentials
        self._always = always

    def __enter__(self) -> None:
        """Nothing is needed before."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, Exception):
            return
        if not isinstance(error, StableDiffusionError):
            error = self._mistake(error)
        known = known_to_dify(error)
        told = Door(self._credentials).words(str(known))
        raise (self._always or type(known))(told) from None

    def _mistake(self, error: Exception) -> MistakeError:
        lines = "".join(traceback.format_exception(error))
        _LOG.error("%s", secrets_of(self._credentials).mask(lines))
        return MistakeError(
            f"This is a mistake of the plugin: {type(error).__name__} in {_place(error)}. Please "
            "report it to the plugin's author, with the lines of plugin_daemon's log around it."
        )


def tells_dify[T: _Tool](invoke: Invoke[T]) -> Invoke[T]:
    """Decorate a tool's `_invoke`: whatever it raises reaches the person as a sentence."""

    @functools.wraps(invoke)
    def told(tool: T, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        with Telling(tool.runtime.credentials):
            yield from invoke(tool, tool_parameters)

    return told


def known_to_dify(error: StableDiffusionError) -> Exception:
    """Return the same sentence as an error that Dify shows without a traceback."""
    return _KNOWN[_nearest(error)](sentence(error))


def sentence(error: StableDiffusionError) -> str:
    """Return what is shown of an error: with the remedy, if that lies in Dify's own settings."""
    setting = error.caller_setting if isinstance(error, WebUIConnectionError) else ""
    return f"{error} {_SETTINGS[setting]}" if setting else str(error)


def _nearest(error: StableDiffusionError) -> type[StableDiffusionError]:
    return next(kind for kind in type(error).__mro__ if kind in _KNOWN)


def _place(error: Exception) -> str:
    """Return the last of our own lines that it went through; no path of the machine."""
    place = "an unknown place"
    for frame, line in traceback.walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename).absolute()
        if path.is_relative_to(_ROOT) and path.relative_to(_ROOT).parts[0] in _ROOMS:
            place = f"{path.relative_to(_ROOT).as_posix()}, line {line}"
    return place

"""One call of a tool through its real class, as a test wants it, and what the stand-in saw."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage
from dify_plugin.errors.model import CredentialsValidateFailedError, InvokeError
from PIL import Image

from devtools.standin import StandIn
from dify.errors import known_to_dify, sentence
from dify.limits import EXECUTION_VARIABLE, DifyTimeLimitError
from support.dify_files import picture
from tools.txt2img import Txt2ImgTool
from webui.errors import StableDiffusionError


class Drawn:
    """A call's messages, sorted by what Dify makes of them. progress: what was streamed."""

    def __init__(self, messages: Iterable[ToolInvokeMessage]) -> None:
        self.files: list[tuple[bytes, Any]] = []
        self.json: Any = None
        self.text = ""
        self.variables: dict[str, Any] = {}
        self.progress: list[str] = []
        for one in messages:
            content: Any = one.message
            match one.type:
                case ToolInvokeMessage.MessageType.BLOB:
                    self.files.append((content.blob, one.meta))
                case ToolInvokeMessage.MessageType.JSON:
                    self.json = content.json_object
                case ToolInvokeMessage.MessageType.TEXT:
                    self.text += content.text
                case ToolInvokeMessage.MessageType.VARIABLE if content.stream:
                    self.progress.append(content.variable_value)
                case ToolInvokeMessage.MessageType.VARIABLE:
                    self.variables[content.variable_name] = content.variable_value

    @property
    def warnings(self) -> list[str]:
        found: list[str] = self.variables["warnings"]
        return found


def invoke(
    tool: type[Tool],
    where: StandIn | str,
    given: dict[str, Any],
    credentials: Mapping[str, Any] | None = None,
) -> Iterable[ToolInvokeMessage]:
    """The messages as they come; `given` are the node's parameters."""
    base_url = where if isinstance(where, str) else where.base_url
    return tool.from_credentials({"base_url": base_url, **(credentials or {})}).invoke(given)


def draw(
    where: StandIn | str, /, credentials: Mapping[str, Any] | None = None, **given: object
) -> Drawn:
    """A small picture by txt2img."""
    small = {"prompt": "a cat", "width": 64, "height": 64}
    return Drawn(invoke(Txt2ImgTool, where, small | given, credentials))


@contextmanager
def refused(
    kind: type[StableDiffusionError], match: str | None = None
) -> Iterator[pytest.ExceptionInfo[Exception]]:
    """Expect an error of that kind to reach Dify as one whose sentence it shows, and only that."""
    with pytest.raises((InvokeError, CredentialsValidateFailedError), match=match) as caught:
        yield caught
    told, own = caught.value, caught.value.__context__
    assert isinstance(own, kind)
    assert (type(told), str(told)) == (type(known_to_dify(own)), sentence(own))
    assert told.__suppress_context__


def lying_picture() -> bytes:
    """96x64 pixels that a viewer turns by a quarter."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture(96, 64, "JPEG", exif=exif)


def all_sent(standin: StandIn, job: str = "txt2img") -> list[dict[str, Any]]:
    """What was posted for a job, each time."""
    path = f"/sdapi/v1/{job}"
    return [r.json for r in standin.received if r.path == path and isinstance(r.json, dict)]


def sent(standin: StandIn, job: str = "txt2img") -> dict[str, Any]:
    """What was posted, the one time that it was."""
    (request,) = all_sent(standin, job)
    return request


def until(condition: Callable[[], object]) -> None:
    """Wait for it, but not for ever."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


def paths(standin: StandIn) -> list[str]:
    """What was asked for, in order."""
    return [request.path for request in standin.received]


def collected(monkeypatch: pytest.MonkeyPatch, call: Callable[[], Drawn]) -> Drawn:
    """What a call gives that is made again, after Dify's limit of a second cut it off."""
    monkeypatch.setenv(EXECUTION_VARIABLE, "1")
    with refused(DifyTimeLimitError, match="run this again"):
        call()
    monkeypatch.delenv(EXECUTION_VARIABLE)
    return call()

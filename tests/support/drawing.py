"""One call of a tool through its real class, as a test wants it, and what the stand-in saw."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage
from PIL import Image

from devtools.standin import StandIn
from support.dify_files import picture
from tools.txt2img import Txt2ImgTool


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
    credentials: dict[str, Any] | None = None,
) -> Iterable[ToolInvokeMessage]:
    """The messages as they come; `given` are the node's parameters."""
    base_url = where if isinstance(where, str) else where.base_url
    return tool.from_credentials({"base_url": base_url} | (credentials or {})).invoke(given)


def draw(
    where: StandIn | str, /, credentials: dict[str, Any] | None = None, **given: object
) -> Drawn:
    """A small picture by txt2img."""
    small = {"prompt": "a cat", "width": 64, "height": 64}
    return Drawn(invoke(Txt2ImgTool, where, small | given, credentials))


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

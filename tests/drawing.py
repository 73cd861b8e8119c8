"""One call of txt2img through the real tool class, as a test wants it."""

from collections.abc import Iterable
from typing import Any

from dify_plugin.entities.tool import ToolInvokeMessage

from devtools.standin import StandIn
from tools.txt2img import Txt2ImgTool


class Drawn:
    """A call's messages, sorted by what Dify makes of them."""

    def __init__(self, messages: Iterable[ToolInvokeMessage]) -> None:
        self.files: list[tuple[bytes, Any]] = []
        self.json: Any = None
        self.text = ""
        self.variables: dict[str, Any] = {}
        for one in messages:
            content: Any = one.message
            match one.type:
                case ToolInvokeMessage.MessageType.BLOB:
                    self.files.append((content.blob, one.meta))
                case ToolInvokeMessage.MessageType.JSON:
                    self.json = content.json_object
                case ToolInvokeMessage.MessageType.TEXT:
                    self.text += content.text
                case ToolInvokeMessage.MessageType.VARIABLE:
                    self.variables[content.variable_name] = content.variable_value


def draw(
    where: StandIn | str, /, credentials: dict[str, Any] | None = None, **given: object
) -> Drawn:
    """A small picture; `given` are the node's parameters."""
    base_url = where if isinstance(where, str) else where.base_url
    tool = Txt2ImgTool.from_credentials({"base_url": base_url} | (credentials or {}))
    return Drawn(tool.invoke({"prompt": "a cat", "width": 64, "height": 64} | given))

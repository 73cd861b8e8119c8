from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

from webui import credentials, drawing, messages
from webui.parameters import Parameters

PARAMETERS = Parameters.beside(__file__)


class Img2ImgTool(Tool):
    """Redraws a picture, or the masked part of it, with every field of the server's img2img."""

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        given = PARAMETERS.read(tool_parameters)
        settings = credentials.read(self.runtime.credentials)
        yield from messages.of(self, drawing.draw("img2img", given, settings))

from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

from webui import credentials, drawing, messages
from webui.parameters import Parameters

PARAMETERS = Parameters.beside(__file__)


class Txt2ImgTool(Tool):
    """Draws from a prompt with every field of the server's txt2img."""

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        given = PARAMETERS.read(tool_parameters)
        settings = credentials.read(self.runtime.credentials)
        yield from messages.of(self, drawing.draw("txt2img", given, settings))

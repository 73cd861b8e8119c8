from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

from dify.errors import tells_dify
from dify.messages import hand_over
from dify.parameters import Parameters
from webui.draw import txt2img

PARAMETERS = Parameters.beside(__file__)


class Txt2ImgTool(Tool):
    """Draws from a prompt with every field of the server's txt2img."""

    @tells_dify
    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        call = PARAMETERS.read_call(tool_parameters, self.runtime, self.session.app_id)
        events = txt2img(call)
        yield from hand_over(self, events)

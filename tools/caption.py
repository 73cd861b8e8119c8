from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

from dify.errors import tells_dify
from dify.messages import hand_over
from dify.parameters import Parameters
from webui.caption import caption

PARAMETERS = Parameters.beside(__file__)


class CaptionTool(Tool):
    """Puts pictures into words."""

    @tells_dify
    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        call = PARAMETERS.read_call(tool_parameters, self.runtime, self.session.app_id)
        events = caption(call)
        yield from hand_over(self, events)

from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

from webui import credentials, messages, upscaling
from webui.parameters import Parameters

PARAMETERS = Parameters.beside(__file__)


class UpscaleTool(Tool):
    """Enlarges pictures with the server's upscalers."""

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        given = PARAMETERS.read(tool_parameters)
        settings = credentials.read(self.runtime.credentials)
        for event in upscaling.enlarge(given, settings):
            if not isinstance(event, dict):
                yield from messages.of(self, [event])
                continue
            yield self.create_json_message(event)
            yield self.create_text_message(upscaling.text(event))
            for name in ("warnings", "elapsed_seconds"):
                yield self.create_variable_message(name, event[name])

import json
from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

from webui import credentials, reading
from webui.parameters import Parameters

PARAMETERS = Parameters.beside(__file__)


class PngInfoTool(Tool):
    """Reads the generation parameters inside a picture."""

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        given = PARAMETERS.read(tool_parameters)
        found = reading.read(given["image"], credentials.read(self.runtime.credentials))
        yield self.create_text_message(
            found.infotext or "The image holds no generation parameters."
        )
        told = {"infotext": found.infotext, "fields": found.fields, "items": found.items}
        yield self.create_json_message(told)
        yield self.create_variable_message("infotext", found.infotext)
        yield self.create_variable_message("parameters", found.parameters)
        fields = json.dumps(found.fields, ensure_ascii=False)
        yield self.create_variable_message("extra_parameters", fields)

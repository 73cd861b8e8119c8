from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

from webui import credentials, survey, survey_table
from webui.parameters import Parameters

PARAMETERS = Parameters.beside(__file__)


class ServerInfoTool(Tool):
    """Says what the server is, does and, by choice, offers."""

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        given = PARAMETERS.read(tool_parameters)
        settings = credentials.read(self.runtime.credentials)
        found = survey.take(settings, given["list"])
        yield self.create_json_message(found)
        yield self.create_text_message(survey_table.text(found))
        for name in ("names", "family", "version", "model", "login"):
            yield self.create_variable_message(name, found[name])
        yield self.create_variable_message(
            "queue", -1 if found["queue"] is None else found["queue"]
        )

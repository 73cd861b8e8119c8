import time
from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

from webui import credentials, outcome, request, result
from webui.client import WebUIClient
from webui.generation import Generation
from webui.parameters import Parameters
from webui.server import Server

PARAMETERS = Parameters.beside(__file__)


class Txt2ImgTool(Tool):
    """Draws from a prompt with every field of the server's txt2img."""

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        began = time.monotonic()
        given = PARAMETERS.read(tool_parameters)
        settings = credentials.read(self.runtime.credentials)
        with WebUIClient(settings) as client:
            server = Server(client)
            wanted = request.build(given, server, default_model=settings.model)
            job = Generation(
                settings,
                client,
                "sdapi/v1/txt2img",
                wanted.body,
                timeout=given.get("timeout", settings.timeout),
                resume=given.get("resume", True),
                began=began,
            )
            found = result.Result("txt2img", job.body)
            for event in job.events():
                if isinstance(event, str):
                    yield self.create_stream_variable_message("progress", event)
                else:
                    meta = {"mime_type": event.mime_type, "filename": found.add(event)}
                    yield self.create_blob_message(event.data, meta=meta)
            summary = found.summary(job.info, job.elapsed)
            differences = outcome.check(summary, job.body, server)
            summary["warnings"] = [*job.warnings, *differences, *wanted.warnings]
        yield self.create_json_message(summary)
        yield self.create_text_message(result.text(summary))
        for name, value in result.variables(summary).items():
            yield self.create_variable_message(name, value)

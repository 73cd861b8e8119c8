import time
from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

from webui import credentials, outcome, request, result
from webui.client import WebUIClient
from webui.parameters import Parameters
from webui.reply import Reply
from webui.server import Server

PARAMETERS = Parameters.beside(__file__)


class Txt2ImgTool(Tool):
    """Draws from a prompt with every field of the server's txt2img."""

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        started = time.monotonic()
        given = PARAMETERS.read(tool_parameters)
        settings = credentials.read(self.runtime.credentials)
        with WebUIClient(settings) as client:
            server = Server(client)
            job = request.build(given, server, default_model=settings.model)
            found = result.Result("txt2img", job.body)
            timeout = given.get("timeout", settings.timeout)
            response = client.generate("sdapi/v1/txt2img", job.body, timeout=timeout)
            reply = Reply(response, client.address)
            for picture in reply.pictures():
                meta = {"mime_type": picture.mime_type, "filename": found.add(picture)}
                yield self.create_blob_message(picture.data, meta=meta)
            summary = found.summary(reply.info, time.monotonic() - started)
            summary["warnings"] = [*outcome.check(summary, job.body, server), *job.warnings]
        yield self.create_json_message(summary)
        yield self.create_text_message(result.text(summary))
        for name, value in result.variables(summary).items():
            yield self.create_variable_message(name, value)

"""What a call gives, as the messages of a Dify tool."""

from collections.abc import Generator, Iterable

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

from webui.report import Event
from webui.run.progress import Progress
from webui.run.summary import Image


def hand_over(tool: Tool, events: Iterable[Event]) -> Generator[ToolInvokeMessage, None, None]:
    """Messages for events, as they come: files, lines of `progress`, and the report."""
    for event in events:
        if isinstance(event, Progress):
            yield tool.create_stream_variable_message("progress", event.line())
        elif isinstance(event, Image):
            meta = {"mime_type": event.picture.mime_type, "filename": event.filename}
            yield tool.create_blob_message(event.picture.data, meta=meta)
        else:
            told = event.json()
            if told is not None:
                yield tool.create_json_message(told)
            yield tool.create_text_message(event.text())
            for name, value in event.variables().items():
                yield tool.create_variable_message(name, value)

"""A run's events as the messages of a Dify tool."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from webui import result
from webui.images import Picture

# What a run gives: a named picture, a line of progress, and at the end its summary.
Named = tuple[str, Picture]
Event = Named | str | dict[str, Any]


class Maker[T](Protocol):
    """The part of the SDK's Tool that makes messages."""

    def create_text_message(self, text: str) -> T:
        """What people and language models read."""

    def create_json_message(self, json: Mapping[str, Any]) -> T:
        """The node's `json`."""

    def create_blob_message(self, blob: bytes, meta: dict[str, Any]) -> T:
        """A file; meta: mime_type and filename."""

    def create_variable_message(self, variable_name: str, variable_value: object) -> T:
        """One of the output_schema's variables."""

    def create_stream_variable_message(self, variable_name: str, variable_value: str) -> T:
        """A piece of text that is added to a variable, shown as it comes."""


def of[T](maker: Maker[T], events: Iterable[Event], *, brief: bool = False) -> Iterator[T]:
    """Messages for events, as they come.

    brief: without `json`, for agents, whose language model would read all of it.
    """
    for event in events:
        match event:
            case str():
                yield maker.create_stream_variable_message("progress", event)
            case (file_name, picture):
                meta = {"mime_type": picture.mime_type, "filename": file_name}
                yield maker.create_blob_message(picture.data, meta=meta)
            case _:
                if not brief:
                    yield maker.create_json_message(event)
                yield maker.create_text_message(result.text(event))
                for name, value in result.variables(event).items():
                    yield maker.create_variable_message(name, value)

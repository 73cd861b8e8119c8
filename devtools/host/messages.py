"""What a plugin sends to the plugin daemon: tool messages, and the ways a call can fail."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


class PluginError(Exception):
    """The plugin reported an error.

    message: what Dify shows of the types that it knows. As a string: what it shows of any other.
    """

    def __init__(self, provider: str, reported: Mapping[str, Any]) -> None:
        self.error_type = str(reported.get("error_type"))
        self.message = str(reported.get("message"))
        super().__init__(
            f"An error occurred in the {provider}, please contact the author of {provider} for "
            f"help, error type: {self.error_type}, error details: {self.message}"
        )


class PluginGoneError(ConnectionError):
    """The plugin's process ended or its connection closed; nothing more will come."""


class ProtocolError(Exception):
    """The plugin sent what the daemon or Dify would not have accepted."""


@dataclass(frozen=True)
class Message:
    """One tool message; a file in pieces arrives as one message of type "blob"."""

    type: str
    message: dict[str, Any]
    meta: dict[str, Any] | None
    blob: bytes | None


def tool_messages(answers: Iterable[dict[str, Any]]) -> Iterator[Message]:
    """Put the pieces of one call's files together; a file with a gap is a ProtocolError."""
    files: dict[str, list[bytes]] = {}
    for data in answers:
        kind, message, meta = data["type"], data.get("message") or {}, data.get("meta")
        if kind != "blob_chunk":
            yield Message(kind, message, meta, None)
            continue
        pieces = files.setdefault(message["id"], [])
        pieces.append(base64.b64decode(message["blob"], validate=True))
        if message["end"]:
            content = b"".join(files.pop(message["id"]))
            if len(content) != message["total_length"]:
                raise ProtocolError(f"{len(content)} of {message['total_length']} bytes came")
            yield Message("blob", {}, meta, content)
    if files:
        raise ProtocolError(f"{len(files)} file(s) were sent without their last piece")

"""What a plugin says to the plugin daemon: tool messages, and the ways a call can fail."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

# Any other type makes the daemon end the call with an error.
MESSAGE_TYPES = frozenset(
    {
        "text",
        "file",
        "blob",
        "blob_chunk",
        "json",
        "link",
        "image",
        "image_link",
        "binary_link",
        "variable",
        "log",
        "retriever_resources",
    }
)
# Dify refuses larger pieces of a file.
MAX_CHUNK_BYTES = 8192


class PluginError(Exception):
    """The plugin reported an error; as a string, the text that Dify shows for it.

    `arguments` is what the SDK sends along: the traceback, mainly.
    """

    def __init__(
        self, error_type: str, message: str, arguments: dict[str, Any], *, provider: str
    ) -> None:
        super().__init__(
            f"An error occurred in the {provider}, please contact the author of {provider} for "
            f"help, error type: {error_type}, error details: {message}"
        )
        self.error_type = error_type
        self.message = message
        self.arguments = arguments


class PluginGoneError(Exception):
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


class MessageReader:
    """Checks the messages of one call and puts the pieces of its files together."""

    def __init__(self) -> None:
        self._files: dict[str, list[bytes]] = {}

    def read(self, data: dict[str, Any]) -> Message | None:
        """The message in `data`; None for a piece of a file that still lacks its end.

        Raises:
            ProtocolError: an unknown type, or a piece too large, out of order or broken.

        """
        kind, message, meta = data.get("type"), data.get("message") or {}, data.get("meta")
        if kind not in MESSAGE_TYPES:
            raise ProtocolError(f"unmarshal_error: {kind!r} is no type of a tool message")
        if kind == "blob_chunk":
            content = self._add(message)
            return None if content is None else Message("blob", {}, meta, content)
        if kind == "blob":
            return Message("blob", {}, meta, _decoded(message))
        return Message(str(kind), message, meta, None)

    def finish(self) -> None:
        """Raises ProtocolError when a file was begun and not ended."""
        if self._files:
            raise ProtocolError(f"{len(self._files)} file(s) were sent without their last piece")

    def _add(self, piece: dict[str, Any]) -> bytes | None:
        content = _decoded(piece)
        pieces = self._files.setdefault(piece["id"], [])
        if len(content) > MAX_CHUNK_BYTES:
            raise ProtocolError(f"a file's piece has {len(content)} bytes, over {MAX_CHUNK_BYTES}")
        if piece["sequence"] != len(pieces):
            raise ProtocolError(f"piece {piece['sequence']} of a file came as {len(pieces)}")
        pieces.append(content)
        if not piece["end"]:
            return None
        whole = b"".join(self._files.pop(piece["id"]))
        if len(whole) != piece["total_length"]:
            raise ProtocolError(f"a file of {piece['total_length']} bytes came with {len(whole)}")
        return whole


def _decoded(message: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(message["blob"], validate=True)
    except (KeyError, TypeError, binascii.Error) as error:
        raise ProtocolError(f"a file's content is no base64: {error}") from error

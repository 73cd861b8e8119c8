"""The daemon's side of remote debugging: a plugin connects by TCP and describes itself."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any, Self

from devtools.host.conversation import Conversation
from devtools.host.messages import PluginGoneError, ProtocolError

# The daemon closes a connection that has not attached by then.
ATTACH_SECONDS = 10
DRAIN_SECONDS = 0.2


class DebugServer(Conversation):
    """Listens as the daemon does on port 5003; plugins attach one after the other.

    Port 0 chooses a free one. `manifest` and `tools` are those of the plugin that attached last,
    as it sent them.
    """

    def __init__(self, port: int = 0, key: str = "debugging-key") -> None:
        super().__init__()
        self._gone = PluginGoneError("No plugin is attached.")
        self._port, self._key = port, key
        self.tools: list[dict[str, Any]] = []
        self._connection: socket.socket | None = None
        self._writing = threading.Lock()

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", self._port))
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)

    @property
    def address(self) -> str:
        """Host and port to connect to."""
        host, port = self._listening.getsockname()
        return f"{host}:{port}"

    def wait_for_plugin(self, timeout: float | None = None) -> None:
        """Return when a plugin is attached; TimeoutError if none connects in `timeout` seconds.

        One that is refused gets the ProtocolError's text for an answer.
        """
        self._listening.settimeout(timeout)
        connection, _ = self._listening.accept()
        connection.settimeout(ATTACH_SECONDS)
        lines = filter(bytes.strip, connection.makefile("rb"))
        try:
            self._register(lines)
        except ProtocolError as refusal:
            with connection, contextlib.suppress(OSError):
                connection.sendall(f"{refusal}\n".encode())
                connection.shutdown(socket.SHUT_WR)
                # Closing with lines unread would reset the connection and lose the answer.
                connection.settimeout(DRAIN_SECONDS)
                list(lines)
            raise
        connection.settimeout(None)
        self._connection, self._gone = connection, None
        self._reader = threading.Thread(target=self._read, args=(connection, lines), daemon=True)
        self._reader.start()

    def wait_for_detachment(self) -> None:
        """Return when the plugin that attached is gone."""
        self._reader.join()

    def _register(self, lines: Iterator[bytes]) -> None:
        """Read what a plugin says of itself before it can be called."""
        match _read_json(lines):
            case {"type": "handshake", "data": {"key": self._key}}:
                pass
            case {"type": "handshake"}:
                raise ProtocolError("handshake failed, invalid key")
            case _:
                raise ProtocolError("handshake failed, invalid handshake message")
        while True:
            match _read_json(lines):
                case {"type": "manifest_declaration", "data": dict(manifest)}:
                    self.manifest = manifest
                case {"type": "tool_declaration", "data": list(tools)}:
                    self.tools = tools
                case {"type": "end"}:
                    return

    def _send(self, line: bytes) -> None:
        # A broken connection ends `_read`, which tells all callers.
        with self._writing, contextlib.suppress(OSError):
            if self._connection is not None:
                self._connection.sendall(line)

    def _read(self, connection: socket.socket, lines: Iterator[bytes]) -> None:
        with connection, contextlib.suppress(OSError):
            for line in lines:
                self._receive(line)
        self._lose(PluginGoneError("Connection closed unexpectedly"))


def _read_json(lines: Iterator[bytes]) -> Any:  # noqa: ANN401 - whatever the line holds
    try:
        return json.loads(next(lines))
    except (ValueError, OSError, StopIteration) as error:
        raise ProtocolError(f"registration failed: {error!r}") from error

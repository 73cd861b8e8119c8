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


class DebugServer(Conversation):
    """Listens as the daemon does on port 5003; plugins attach one after the other.

    Port 0 chooses a free one. `manifest` is that of the plugin that attached last.
    """

    def __init__(self, port: int = 0, key: str = "debugging-key") -> None:
        super().__init__()
        self._gone = PluginGoneError("No plugin is attached.")
        self._port, self._key = port, key
        self._connection: socket.socket | None = None

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", self._port))
        self.address = "{}:{}".format(*self._listening.getsockname())
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)

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
                connection.settimeout(0.2)
                list(lines)
            raise
        connection.settimeout(None)
        self._connection, self._gone = connection, None
        self._reader = threading.Thread(target=self._read, args=(connection, lines), daemon=True)
        self._reader.start()

    def wait_for_detachment(self, timeout: float | None = None) -> bool:
        """Return whether the plugin that attached is gone, after at most `timeout` seconds."""
        self._reader.join(timeout)
        return not self._reader.is_alive()

    def _register(self, lines: Iterator[bytes]) -> None:
        """Read what a plugin says of itself before it can be called."""
        said: dict[str, Any] = {}
        while "end" not in said:
            try:
                message = json.loads(next(lines))
                said[message["type"]] = message["data"]
            except (ValueError, KeyError, TypeError, OSError, StopIteration) as error:
                raise ProtocolError(f"registration failed: {error!r}") from error
            if said.get("handshake") != {"key": self._key}:
                raise ProtocolError("handshake failed, invalid key")
        self.manifest = said.get("manifest_declaration", {})

    def _send(self, line: bytes) -> None:
        if self._connection is not None:
            self._connection.sendall(line)

    def _read(self, connection: socket.socket, lines: Iterator[bytes]) -> None:
        with connection, contextlib.suppress(OSError):
            for line in lines:
                self._receive(line)
        self._lose(PluginGoneError("Connection closed unexpectedly"))

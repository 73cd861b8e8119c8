"""The daemon's side of remote debugging: plugins connect by TCP and describe themselves."""

import base64
import binascii
import contextlib
import hmac
import json
import socket
import socketserver
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from devtools.messages import PluginGoneError
from devtools.session import Conversation

# The daemon closes a connection that has not shown its key by then.
HANDSHAKE_SECONDS = 10
DRAIN_SECONDS = 2
POLL_SECONDS = 0.05


class RefusedError(Exception):
    """The text is what the daemon answers before it closes the connection."""


class Registration:
    """What a plugin says about itself before it can be called.

    `declarations` holds each as sent, by its message type; `assets` the files by name.
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self.accepted = False
        self.complete = False
        self.declarations: dict[str, Any] = {}
        self.assets: dict[str, bytes] = {}

    def read(self, line: bytes) -> None:
        """Takes one line; `complete` tells whether it was the last.

        Raises:
            RefusedError: the daemon would close the connection.

        """
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        match message:
            case {"type": "handshake", "data": {"key": str(key)}}:
                if not hmac.compare_digest(key.encode(), self._key.encode()):
                    raise RefusedError("handshake failed, invalid key")
                self.accepted = True
            case {"type": str(kind), "data": data} if self.accepted:
                self._describe(kind, data)
            case _:
                raise RefusedError("handshake failed, invalid handshake message")

    def _describe(self, kind: str, data: Any) -> None:  # noqa: ANN401 - the kind decides
        match kind:
            case "asset_chunk":
                try:
                    content = base64.b64decode(data["data"], validate=True)
                    self.assets[data["filename"]] = self.assets.get(data["filename"], b"") + content
                except (KeyError, TypeError, binascii.Error) as error:
                    raise RefusedError(f"transfer assets failed, error: {error!r}") from error
            case "end":
                if not self.declarations.keys() - {"manifest_declaration"}:
                    raise RefusedError("no registration transferred, cannot initialize")
                self.complete = True
            case _ if kind in self.declarations:
                raise RefusedError(f"{kind.replace('_', ' ')} already registered")
            case _:
                self.declarations[kind] = data


class DebugServer(Conversation):
    """Listens as the daemon does on port 5003; one plugin at a time may attach.

    Port 0 chooses a free one. `manifest`, `tools` and `assets` are those of the plugin that
    attached last, as it sent them.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, key: str = "debugging-key"
    ) -> None:
        super().__init__()
        self._gone = PluginGoneError("No plugin is attached.")
        self._host, self._port, self._key = host, port, key
        self.tools: list[dict[str, Any]] = []
        self.assets: dict[str, bytes] = {}
        self._connection: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._writing = threading.Lock()
        self._attached = threading.Event()
        self._detached = threading.Event()

    def __enter__(self) -> Self:
        conversation = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                conversation._serve(self.connection, self.rfile)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True

            def get_request(self) -> tuple[socket.socket, Any]:
                connection, address = super().get_request()
                # Noted here and not by the handler's thread, so that none is missed at the end.
                conversation._open.add(connection)
                return connection, address

        self._server = Server((self._host, self._port), Handler)
        self._listener = threading.Thread(target=self._server.serve_forever, args=(POLL_SECONDS,))
        self._listener.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._listener.join()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to connect to."""
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    def wait_for_plugin(self, timeout: float | None) -> None:
        """Returns when a plugin is attached; TimeoutError after `timeout` seconds."""
        if not self._attached.wait(timeout):
            raise TimeoutError(f"no plugin attached within {timeout} s")

    def wait_for_detachment(self, timeout: float | None) -> None:
        """Returns when the plugin is gone; TimeoutError after `timeout` seconds."""
        if not self._detached.wait(timeout):
            raise TimeoutError(f"the plugin was still attached after {timeout} s")

    def _send(self, line: bytes) -> None:
        connection = self._connection
        # A broken connection ends `_serve`, which tells all callers.
        with self._writing, contextlib.suppress(OSError):
            if connection is not None:
                connection.sendall(line)

    def _serve(self, connection: socket.socket, lines: Iterable[bytes]) -> None:
        registration = Registration(self._key)
        connection.settimeout(HANDSHAKE_SECONDS)
        try:
            for line in lines:
                if not line.strip():
                    continue
                if registration.complete:
                    self._receive(line)
                    continue
                registration.read(line)
                if registration.accepted:
                    connection.settimeout(None)
                if registration.complete:
                    self._attach(connection, registration)
        except RefusedError as refusal:
            with contextlib.suppress(OSError):
                connection.sendall(f"{refusal}\n".encode())
                connection.shutdown(socket.SHUT_WR)
                # Closing with lines unread would reset the connection and lose the answer.
                connection.settimeout(DRAIN_SECONDS)
                for _ in lines:
                    pass
        except OSError:
            pass  # The connection broke or never spoke: for the plugin the same as closing it.
        finally:
            self._open.discard(connection)
            if self._connection is connection:
                self._detach()

    def _attach(self, connection: socket.socket, registration: Registration) -> None:
        with self._lock:
            if self._connection is not None:
                raise RefusedError("server is busy now, please try again later")
            self._connection = connection
            self._gone = None
            self.manifest = registration.declarations.get("manifest_declaration", {})
            self.tools = registration.declarations.get("tool_declaration", [])
            self.assets = registration.assets
        self._detached.clear()
        self._attached.set()

    def _detach(self) -> None:
        self._attached.clear()
        self._lose(PluginGoneError("Connection closed unexpectedly"))
        self._detached.set()
        # Last, for it lets the next plugin attach.
        self._connection = None

"""A server with an answer of its own for each path, however unlike a server it is."""

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterable
from typing import Self

from support.raw_server import reply

type Act = Callable[[socket.socket], object]

NOT_FOUND = reply("{}", status="404 Not Found")


def silent(connection: socket.socket) -> None:
    """Say nothing until the client hangs up."""
    connection.recv(1)


def sending(pieces: Iterable[bytes], *, every: float = 0.0, after: float = 0.0) -> Act:
    """Send these, with so many seconds between two and before the first."""

    def act(connection: socket.socket) -> None:
        time.sleep(after)
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(every)

    return act


class ByPath:
    """Listens on the loopback. Paths that `acts` does not name are not found."""

    def __init__(self, acts: dict[str, Act]) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    asked_for = self.rfile.readline().decode().split()
                    length = 0
                    while (line := self.rfile.readline().lower()).strip():
                        if line.startswith(b"content-length:"):
                            length = int(line.partition(b":")[2])
                    self.rfile.read(length)
                    if asked_for:  # Else the client thought better of it.
                        path = asked_for[1].partition("?")[0]
                        asked.append(path)
                        acts.get(path, sending([NOT_FOUND]))(self.connection)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 128

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,))
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def refuse(self) -> None:
        """Take no more connections; those that are open go on."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.socket.close()

    def __exit__(self, *_: object) -> None:
        self.refuse()

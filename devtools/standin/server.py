"""Flask on threads of its own, all of which end when it is closed."""

import contextlib
import socket
import threading
from typing import Any
from weakref import WeakSet

from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler


class _Handler(WSGIRequestHandler):
    server: "Server"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if self.server.verbose and size:
            # Without the query, which may hold what is nobody's business.
            print(self.command, self.path.partition("?")[0], int(code), flush=True)


class Server(ThreadedWSGIServer):
    # Only threads that are no daemons are waited for by server_close.
    daemon_threads = False
    # All of a crowd that comes at once is heard.
    request_queue_size = 1024

    def __init__(self, host: str, port: int, app: Flask, *, verbose: bool) -> None:
        self.verbose = verbose
        self._connections: WeakSet[socket.socket] = WeakSet()
        # If it is taken, werkzeug would end the process, and under Windows share it.
        with socket.create_server((host, port), backlog=self.request_queue_size) as listening:
            super().__init__(host, port, app, _Handler, fd=listening.fileno())

    def start(self) -> None:
        """Serve from now on."""
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        """Break every connection, and wait for whoever answers one."""
        self.shutdown()
        self.hang_up()
        # The thread that serves ends by waiting for those that answer.
        self._thread.join()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def hang_up(self) -> None:
        """Break every connection, so that nobody goes on reading or writing."""
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

"""A server that answers with the bytes it is told, for what no HTTP library would send."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable
from typing import Self

_TLS_HANDSHAKE = b"\x16"

type Answer = bytes | Callable[[socket.socket], object]


def reply(
    body: str | bytes,
    *headers: str,
    status: str = "200 OK",
    content_type: str = "application/json",
    length: int | None = None,
) -> bytes:
    """An HTTP response; `length` is what it claims, by default its body's own."""
    content = body.encode() if isinstance(body, str) else body
    head = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(content) if length is None else length}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*head, "", ""]).encode() + content


def stalling_after(begun: bytes) -> Answer:
    """An answer that begins so and goes no further while the client waits."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(begun)
        connection.recv(1)

    return answer


class RawServer:
    """Listens on the loopback, keeps each request as it came, and answers all alike.

    answer: the bytes to send, or a function that does with the connection as it likes. The
    connection is closed afterwards. With `tls` it speaks HTTPS.
    """

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self._answer = answer
        kept, answer_to = self.requests, self.answer_to

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                try:
                    connection = (
                        tls.wrap_socket(self.request, server_side=True) if tls else self.request
                    )
                    kept.append(_read_request(connection))
                    answer = answer_to(kept[-1])
                    if isinstance(answer, bytes):
                        connection.sendall(answer)
                    else:
                        answer(connection)
                    connection.close()
                except OSError:
                    # The client hung up or speaks something else, which may be the test's point.
                    return

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,))
        self.port = int(self._server.server_address[1])
        self.base_url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def answer_to(self, request: bytes) -> Answer:  # noqa: ARG002 - for those that choose
        """Return what this request is answered with."""
        return self._answer

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def free_port() -> int:
    """A port of the loopback on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _read_request(connection: socket.socket) -> bytes:
    """Head and body of one request, or what came before the client hung up or spoke TLS."""
    received = b""
    while b"\r\n\r\n" not in received and not received.startswith(_TLS_HANDSHAKE):
        if not (more := connection.recv(65536)):
            break
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    missing = -len(body) + sum(
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while missing > 0 and (more := connection.recv(65536)):
        received, missing = received + more, missing - len(more)
    return received

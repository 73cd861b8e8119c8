"""The WebUI that a benchmark draws with: a process before a stand-in, which draws in advance.

What is asked a second time with the same size and number is answered with the pictures of the
first, so that drawing does not drown what is measured. Everything else is the stand-in's: the
lists, the grain in the pictures, and gzip at level 9 for each reply whose client accepts it.
"""

import argparse
import gzip
import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import requests

from devtools.process import ROOT, plugin_environment
from devtools.standin import StandIn

GENERATION = "/sdapi/v1/txt2img"
_MODULE = "devtools.benchmark_server"
_RECEIVED = "/benchmark/received"
_WAITING = "/benchmark/waiting"
# Shorter replies are not compressed.
_GZIP_FROM = 1000
_PATIENCE = 600.0


class PictureServer:
    """The server as a child process; `hold` is the seconds that each generation takes.

    Generations do not wait for each other.
    """

    def __init__(self, hold: float = 0.0) -> None:
        self._command = [sys.executable, "-m", _MODULE, "--hold", str(hold)]
        self.base_url = ""
        self._session = requests.Session()
        # A proxy in the environment has no business on the loopback.
        self._session.trust_env = False

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 - runs this module
            self._command, cwd=ROOT, env=plugin_environment(), stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        self.base_url = self._process.stdout.readline().strip()
        if not self.base_url:
            self._process.communicate()
            raise RuntimeError(f"{' '.join(self._command)} ended at once")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session.close()
        self._process.terminate()
        self._process.communicate()

    def prepare(self, count: int, width: int, height: int) -> None:
        """Draw these pictures now."""
        self._session.post(
            self.base_url + GENERATION,
            json={"prompt": "", "width": width, "height": height, "batch_size": count},
            headers={"Accept-Encoding": "identity"},
            timeout=_PATIENCE,
        ).raise_for_status()

    def received(self) -> int:
        """How many requests have come, this kind not counted."""
        return self._ask(_RECEIVED)

    def waiting(self) -> int:
        """How many generations are being held now."""
        return self._ask(_WAITING)

    def _ask(self, path: str) -> int:
        return int(self._session.get(self.base_url + path, timeout=_PATIENCE).json())


class _Front(ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def __init__(self, behind: str, hold: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = behind
        self.hold = hold
        self.lock = threading.Lock()
        self.drawn: dict[tuple[object, ...], tuple[int, bytes]] = {}
        self.received = 0
        self.waiting = 0

    def generation(self, body: bytes) -> tuple[int, bytes]:
        """Status and content: what the first request of this size and number was answered."""
        request = json.loads(body)
        size = tuple(request.get(name) for name in ("width", "height", "batch_size"))
        with self.lock:
            if size not in self.drawn:
                reply = self.ask("POST", GENERATION, body)
                self.drawn[size] = reply.status_code, reply.content
            return self.drawn[size]

    def ask(self, method: str, path: str, body: bytes) -> requests.Response:
        """The stand-in's own reply."""
        headers = {"Accept-Encoding": "identity", "Content-Type": "application/json"}
        return requests.request(
            method, self.behind + path, data=body, headers=headers, timeout=_PATIENCE
        )


class _Handler(BaseHTTPRequestHandler):
    # As the real servers, it keeps connections, and sends head and body together.
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    server: _Front

    def do_GET(self) -> None:
        if self.path == _RECEIVED:
            self._reply(200, json.dumps(self.server.received).encode())
        elif self.path == _WAITING:
            self._reply(200, json.dumps(self.server.waiting).encode())
        else:
            self._count(received=1)
            self._pass_on("GET")

    def do_POST(self) -> None:
        self._count(received=1)
        if self.path != GENERATION:
            self._pass_on("POST")
            return
        body = self._body()
        self._count(waiting=1)
        time.sleep(self.server.hold)
        reply = self.server.generation(body)
        self._count(waiting=-1)
        self._reply(*reply)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _count(self, received: int = 0, waiting: int = 0) -> None:
        with self.server.lock:
            self.server.received += received
            self.server.waiting += waiting

    def _pass_on(self, method: str) -> None:
        reply = self.server.ask(method, self.path, self._body())
        self._reply(reply.status_code, reply.content, reply.headers["Content-Type"])

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _reply(self, status: int, body: bytes, content_type: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        if len(body) >= _GZIP_FROM and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 9)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(argv: Sequence[str] | None = None) -> int:
    """Prints its address and serves until it is terminated."""
    parser = argparse.ArgumentParser(prog=f"python -m {_MODULE}")
    parser.add_argument("--hold", type=float, default=0.0)
    options = parser.parse_args(argv)
    with StandIn(noise=True) as standin:
        front = _Front(standin.base_url, options.hold)
        print(f"http://127.0.0.1:{front.server_port}", flush=True)
        front.serve_forever()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""A stand-in for an AUTOMATIC1111 1.10.1 WebUI: its API without a model or a graphics card.

    uv run python -m devtools.standin --port 7860

It accepts, ignores and refuses what the real server does, draws pictures that say what they
were asked for, and draws one at a time.
"""

import argparse
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from devtools.catalogue_a1111 import AUTOMATIC1111
from devtools.standin_app import App, Failure, Received
from devtools.standin_server import Server
from devtools.standin_state import State


class StandIn:
    """A stand-in WebUI inside this process, from `with` to its end.

    `delay` is the seconds one image takes. `state` shows and changes what the server has:
    its loaded checkpoint, options, and the running and waiting tasks.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        api_auth: str | None = None,
        delay: float = 0.0,
        image_format: str = "png",
        api: bool = True,
        gzip: bool = True,
        noise: bool = False,
        verbose: bool = False,
    ) -> None:
        self._host = host
        self._port = port
        self._verbose = verbose
        self.state = State(AUTOMATIC1111, delay=delay, image_format=image_format, noise=noise)
        self._app = App(self.state, api_auth=api_auth, api=api, compress=gzip)
        self.base_url = ""

    @property
    def received(self) -> list[Received]:
        """Every request so far, in the order of arrival."""
        return self._app.received

    def fail_next(
        self,
        path: str,
        *,
        status: int = 500,
        body: object = "",
        content_type: str = "application/json",
    ) -> None:
        """Answer the next request to `path` with this instead; several calls queue up.

        A string is sent as it is, anything else as JSON.
        """
        failure = Failure(status, body, content_type)
        self._app.failures.setdefault(path, deque()).append(failure)

    def run_out_of_memory(self) -> None:
        """Let the next generation end as A1111 does when the card's memory does."""
        self.state.memory_failures += 1

    def start(self) -> None:
        self._server = Server(self._host, self._port, self._app.flask, verbose=self._verbose)
        self.base_url = f"http://{self._host}:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self) -> None:
        """Drop whatever is running or waiting, and close."""
        self._server.shutdown()
        self.state.queue.close()
        self._server.hang_up()
        # The thread that serves ends by waiting for those that answer.
        self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="devtools.standin", description=__doc__.split("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--api-auth", metavar="USER:PASS[,USER:PASS]")
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="per image")
    parser.add_argument("--format", default="png", choices=("png", "jpg", "webp"))
    parser.add_argument("--noise", action="store_true", help="pictures as large as photographs")
    parser.add_argument("--no-api", action="store_true", help="as a WebUI started without --api")
    parser.add_argument("--no-gzip", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="print a line per request")
    given = parser.parse_args(arguments)
    try:
        standin = StandIn(
            host=given.host,
            port=given.port,
            api_auth=given.api_auth,
            delay=given.delay,
            image_format=given.format,
            api=not given.no_api,
            gzip=not given.no_gzip,
            noise=given.noise,
            verbose=given.verbose,
        )
    except ValueError:
        parser.error("--api-auth takes USER:PASS, several separated by commas")
    with standin:
        print(f"Stand-in WebUI at {standin.base_url}, Ctrl-C ends it", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())

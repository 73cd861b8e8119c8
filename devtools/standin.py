"""A stand-in for a Stable Diffusion WebUI: its API without a model or a graphics card.

    uv run python -m devtools.standin --port 7860 --family forge

It accepts, ignores and refuses what the real server does, draws pictures that say what they
were drawn with, and draws one at a time. Seven families of servers are played.
"""

import argparse
import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from devtools.standin_app import App, Received, Start
from devtools.standin_app_a1111 import A1111App
from devtools.standin_app_sdcpp import SdCppApp
from devtools.standin_app_sdnext import SdNextApp
from devtools.standin_family import FAMILIES
from devtools.standin_replies import Failure
from devtools.standin_server import Server
from devtools.standin_state import State
from devtools.standin_state_sdnext import SdNextState


class StandIn:
    """A stand-in WebUI inside this process, from `with` to its end.

    `family` is a name in FAMILIES. `delay` is the seconds one image takes. `docs` is off on an
    SD.Next that hides its schema. `state` shows and changes what the server has: its loaded
    checkpoint, options, the running and waiting tasks, and what every picture was drawn with.
    """

    def __init__(
        self,
        *,
        family: str = "a1111",
        host: str = "127.0.0.1",
        port: int = 0,
        api_auth: str | None = None,
        delay: float = 0.0,
        image_format: str | None = None,
        api: bool = True,
        docs: bool = True,
        gzip: bool = True,
        noise: bool = False,
        verbose: bool = False,
    ) -> None:
        self._host = host
        self._port = port
        self._verbose = verbose
        self.family = FAMILIES[family]
        image_format = image_format or self.family.catalogue.options["samples_format"]
        start = Start(api_auth=api_auth, api=api, docs=docs, gzip=gzip)
        self.state: State
        self._app: App
        if family == "sdnext":
            state = SdNextState(self.family, delay=delay, image_format=image_format, noise=noise)
            self.state, self._app = state, SdNextApp(state, start)
        else:
            self.state = State(self.family, delay=delay, image_format=image_format, noise=noise)
            kind = SdCppApp if family == "sdcpp" else A1111App
            self._app = kind(self.state, start)
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
        self._app.plans.fail(path, Failure(status, body, content_type))

    def break_off_next(self, path: str, *, after_images: int = 2) -> None:
        """Cut the next reply to `path` off after so many whole images, and hang up."""
        self._app.plans.break_off(path, after_images)

    def hang_next(self, path: str) -> None:
        """Take the next request to `path` and never answer it."""
        self._app.plans.hang(path)

    def run_out_of_memory(self, leftover: str = "nothing") -> None:
        """Let the next generation end as this family's do when the card's memory does.

        SD.Next can leave something in its reply: "preview", a blurred picture that carries the
        whole text of the one it was to become, or "bare preview", a small one without any text
        or info. The others never do.
        """
        self.state.memory_failures.append(leftover)

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
    parser.add_argument("--family", default="a1111", choices=FAMILIES, help="whose API it plays")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--api-auth", metavar="USER:PASS[,USER:PASS]")
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="per image")
    parser.add_argument(
        "--format", choices=("png", "jpg", "webp"), help="the family's own unless set"
    )
    parser.add_argument("--noise", action="store_true", help="pictures as large as photographs")
    parser.add_argument("--no-api", action="store_true", help="as a WebUI started without --api")
    parser.add_argument("--no-docs", action="store_true", help="without /openapi.json and /docs")
    parser.add_argument("--no-gzip", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="print a line per request")
    given = parser.parse_args(arguments)
    try:
        standin = StandIn(
            family=given.family,
            host=given.host,
            port=given.port,
            api_auth=given.api_auth,
            delay=given.delay,
            image_format=given.format,
            api=not given.no_api,
            docs=not given.no_docs,
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

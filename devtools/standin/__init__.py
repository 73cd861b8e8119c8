"""A stand-in for a Stable Diffusion WebUI: its API without a model or a graphics card.

    uv run python -m devtools.standin --port 7860 --family forge

It accepts, ignores and refuses what the real server does, draws pictures that say what they
were drawn with, and draws one at a time. Each JSON file in `recorded` is a family that it plays:
another of AUTOMATIC1111's line is one more file.
"""

import json
from typing import Self, Unpack

from flask import Response

from devtools.standin.a1111 import A1111App
from devtools.standin.app import App, Received
from devtools.standin.family import EXTENSIONS, FAMILIES
from devtools.standin.sdcpp import SdCppApp
from devtools.standin.sdnext import SdNextApp, SdNextState
from devtools.standin.server import Server
from devtools.standin.state import Start, State

__all__ = ["EXTENSIONS", "FAMILIES", "Received", "StandIn"]

_LINES: dict[str, tuple[type[State], type[App]]] = {
    "a1111": (State, A1111App),
    "sdnext": (SdNextState, SdNextApp),
    "sdcpp": (State, SdCppApp),
}

_PORTS_USED: set[int] = set()
"""Whoever remembers a server by its address would take the next one there for it."""


class StandIn:
    """A stand-in WebUI inside this process, from `with` to its end.

    family: a name in FAMILIES. start: see `Start`. `state` shows what the server has: its loaded
    checkpoint, options, the running and waiting tasks, and what every picture was drawn with.
    """

    def __init__(self, *, family: str = "a1111", **start: Unpack[Start]) -> None:
        self._host, self._port = start.get("host", "127.0.0.1"), start.get("port", 0)
        self._verbose = start.get("verbose", False)
        self.family = FAMILIES[family].extended(start.get("extensions", ()))
        state, app = _LINES[self.family.line]
        self.state = state(self.family, start)
        self._app = app(self.state, start)
        self.base_url = ""

    @property
    def received(self) -> list[Received]:
        """Every request so far, in the order of arrival."""
        return self._app.received

    def fail_next(
        self, path: str, *, status: int = 500, body: object = "", mime: str = "application/json"
    ) -> None:
        """Answer the next request to `path` with this instead; several calls queue up.

        A string is sent as it is, anything else as JSON.
        """
        text = body if isinstance(body, str) else json.dumps(body)
        self._app.plans[path].append(Response(text, status, content_type=mime))

    def hang_next(self, path: str) -> None:
        """Take the next request to `path` and never answer it."""
        self._app.plans[path].append(None)

    def run_out_of_memory(self, leftover: str = "nothing") -> None:
        """Let the next generation end as this family's do when the card's memory does.

        SD.Next can leave something in its reply: "preview", a blurred picture with the whole text
        of the one it was to become, or "bare preview", a small one without any text or info.
        """
        self.state.memory_failures.append(leftover)

    def start(self) -> None:
        self._server = self._opened()
        while not self._port and self._server.port in _PORTS_USED:
            self._server.server_close()
            self._server = self._opened()
        _PORTS_USED.add(self._server.port)
        self.base_url = f"http://{self._host}:{self._server.port}"
        self._server.start()

    def _opened(self) -> Server:
        return Server(self._host, self._port, self._app.flask, verbose=self._verbose)

    def stop(self) -> None:
        """Drop whatever is running or waiting, and close."""
        # Nothing new comes in while the queue is emptied.
        self._server.shutdown()
        self.state.queue.close()
        self._server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

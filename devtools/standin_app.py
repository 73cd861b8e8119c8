"""The web application of any family: its routes, and what happens around every request."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import NotFound

from devtools.standin_http import compress, error_handlers, json_or_none, json_reply
from devtools.standin_queue import ClosingError
from devtools.standin_replies import Plans
from devtools.standin_routes import API, routes_of
from devtools.standin_state import State

_DOCUMENTS = ("/openapi.json", "/docs")


@dataclass(frozen=True)
class Received:
    """One request as it arrived; `json` is None where the body is no JSON."""

    method: str
    path: str
    query: dict[str, str]
    json: Any
    headers: Headers


@dataclass(frozen=True)
class Start:
    """How the server was started."""

    api_auth: str | None = None
    api: bool = True
    docs: bool = True
    gzip: bool = True


class App(ABC):
    """The application around one State."""

    def __init__(self, state: State, start: Start) -> None:
        self.state = state
        self.family = state.family
        self.received: list[Received] = []
        self.plans = Plans()
        self.start = start
        self.methods: dict[str, list[str]] = {}
        self.flask = Flask(__name__, static_folder=None)
        self.flask.url_map.merge_slashes = False
        views = self.views()
        for method, path in routes_of(self.family):
            self._route(method, path, views[f"{method} {path.removeprefix(API)}"])
        self.flask.before_request(self._receive)
        self.flask.after_request(self._finish)
        self.flask.register_error_handler(NotFound, self._missing)
        for error, handler in error_handlers(self.family).items():
            self.flask.register_error_handler(error, handler)

    @abstractmethod
    def views(self) -> Mapping[str, Callable[[], Any]]:
        """What answers "GET /path", where paths of the API lack its beginning.

        A view returns the reply's JSON, or a whole reply.
        """

    @abstractmethod
    def check(self) -> None:
        """RefusalError unless the request may pass."""

    @abstractmethod
    def not_found(self) -> Response:
        """The reply for a path that does not exist."""

    def _route(self, method: str, path: str, view: Callable[[], Any]) -> None:
        if path.startswith(API) and not self.start.api:
            return
        if path in _DOCUMENTS and not self.start.docs:
            return
        self.methods.setdefault(path, []).append(method)

        def answer() -> Response:
            result = view()
            return result if isinstance(result, Response) else json_reply(result)

        self.flask.add_url_rule(
            path,
            endpoint=f"{method} {path}",
            view_func=answer,
            methods=[method],
            provide_automatic_options=False,
        )

    def _receive(self) -> Response | None:
        request.environ["standin.started"] = time.perf_counter()
        query, headers = request.args.to_dict(), Headers(request.headers)
        body = json_or_none(request)
        self.received.append(Received(request.method, request.path, query, body, headers))
        if self.plans.hangs_now(request.path):
            self.state.queue.wait_for_the_end()
            raise ClosingError
        if failure := self.plans.failure(request.path):
            return failure
        if request.environ["standin.target"].startswith("//"):
            return self.not_found()
        if request.url_rule:
            self.check()
        return None

    def _finish(self, response: Response) -> Response:
        if self.family.tells_time:
            elapsed = time.perf_counter() - request.environ["standin.started"]
            response.headers["X-Process-Time"] = f"{elapsed:.4f}"
        if broken := self.plans.broken(request.path, response):
            return broken
        if self.start.gzip:
            compress(request, response, self.family)
        return response

    def _missing(self, _error: NotFound) -> Response:
        return self.not_found()

"""The web application of any family: its routes, and what happens around every request."""

import base64
import binascii
import functools
import gzip
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from devtools.standin.failures import ClosingError, CrashError, Plans, RefusalError
from devtools.standin.family import API
from devtools.standin.state import Start, State

# The stand-in's own, for who runs it in another process: how many requests have come, and how many
# of them draw or wait. Asking counts as none.
COUNTS = "/standin/counts"

type View = Callable[[], Any]


@dataclass(frozen=True)
class Received:
    """One request as it arrived; `json` is None where the body is no JSON."""

    method: str
    path: str
    query: dict[str, str]
    json: Any
    headers: Headers


class App(ABC):
    """The application around one State."""

    def __init__(self, state: State, start: Start) -> None:
        self.state = state
        self.family = state.family
        self.received: list[Received] = []
        self.plans = Plans()
        self._gzip = start.gzip
        self._logins = dict(one.split(":") for one in (start.api_auth or "").split(",") if one)
        self.flask = Flask(__name__, static_folder=None)
        paths = [path for path in self.family.replies if path.startswith("/")]
        told = {f"GET {path}": functools.partial(self.told, path) for path in paths}
        for route, view in {**told, **self.views(), f"GET {COUNTS}": self._counts}.items():
            method, path = route.split()
            shown = start.api if path.startswith(API) else start.docs or path != "/openapi.json"
            offered = method == "GET" or self.family.offers(method, path)
            if shown and offered:
                self._route(method, path, view)
        self.flask.before_request(self._receive)
        self.flask.after_request(self._finish)
        self.flask.register_error_handler(RefusalError, self.refused)
        self.flask.register_error_handler(CrashError, self.crashed)
        self.flask.register_error_handler(ClosingError, lambda _error: Response(status=503))
        self.flask.register_error_handler(HTTPException, self.not_found)

    @abstractmethod
    def views(self) -> Mapping[str, View]:
        """What answers "GET /path" beside what is recorded: a reply's JSON, or a whole reply."""

    @abstractmethod
    def refused(self, error: RefusalError) -> Response:
        """A refusal in this server's form."""

    @abstractmethod
    def crashed(self, error: CrashError) -> Response:
        """A crash in this server's form."""

    def not_found(self, error: HTTPException) -> Response:
        """The reply for a path, or a method, that does not exist."""
        return json_reply({"detail": error.name}, error.code or 404)

    def is_guarded(self, path: str) -> bool:
        """Whether a login is wanted here, if at all."""
        return path.startswith(API)

    def told(self, path: str) -> Response:
        """A recorded reply, with what has changed since."""
        replies = {
            f"{API}options": self.state.options,
            f"{API}sd-models": [one.listing for one in self.state.checkpoints],
        }
        reply = replies.get(path, self.family.replies[path])
        return json_reply(reply, self.family.statuses.get(path, 200))

    def _counts(self) -> dict[str, int]:
        queue = self.state.queue
        return {
            "received": len(self.received),
            "drawing": len(queue.drawing),
            "waiting": len(queue.waiting),
        }

    def _route(self, method: str, path: str, view: View) -> None:
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
        path = request.path
        if path == COUNTS:
            return None
        try:
            body = json.loads(request.get_data())
        except ValueError:
            body = None
        query, headers = request.args.to_dict(), Headers(request.headers)
        self.received.append(Received(request.method, path, query, body, headers))
        if self.plans.hangs_now(path):
            self.state.queue.wait_for_the_end()
            raise ClosingError
        if failure := self.plans.failure(path):
            return failure
        if self._logins and request.url_rule and self.is_guarded(path):
            self._check_login()
        return None

    def _check_login(self) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            raise RefusalError(401, "Not authenticated")
        try:
            name, _, password = base64.b64decode(token).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise RefusalError(401, "Invalid authentication credentials") from None
        if self._logins.get(name) != password:
            raise RefusalError(401, self.family.traits.wrong_login)

    def _finish(self, response: Response) -> Response:
        traits = self.family.traits
        if traits.tells_time:
            elapsed = time.perf_counter() - request.environ["standin.started"]
            response.headers["X-Process-Time"] = f"{elapsed:.4f}"
        if broken := self.plans.broken(request.path, response):
            return broken
        takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
        if self._gzip and takes_gzip and traits.compresses_from is not None:
            body = response.get_data()
            if len(body) >= traits.compresses_from:
                # The level of the real servers, which costs them seconds.
                response.set_data(gzip.compress(body, compresslevel=9))
                response.headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return response


def json_reply(value: object, status: int = 200) -> Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, content_type="application/json")

"""The web application of any family: its routes, and what happens around every request."""

import gzip
import json
import re
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Flask, Response, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from devtools.standin.family import API, FailureError, RefusalError, filled
from devtools.standin.state import Start, State

type View = Callable[[], Any]


@dataclass(frozen=True)
class Received:
    """One request as it arrived; `json` is None where the body is no JSON."""

    method: str
    path: str
    json: Any
    headers: Headers


class App:
    """The application around one State, with AUTOMATIC1111's manners."""

    def __init__(self, state: State, start: Start) -> None:
        self.state, self.family, self.queue = state, state.family, state.queue
        self.received: list[Received] = []
        # For the next requests, by path; None is to hang.
        self.plans: dict[str, deque[Response | None]] = defaultdict(deque)
        logins = (start.get("api_auth") or "").split(",")
        self._logins = dict(one.split(":") for one in logins if one)
        api, docs = start.get("api", True), start.get("docs", True)
        self.flask = Flask(__name__, static_folder=None)
        told = [path for path in self.family.replies if re.fullmatch(r"/[^?]*", path)]
        views = {f"GET {path}": partial(self.told, path) for path in told} | self.views()
        for route, view in views.items():
            method, path = route.split()
            shown = api if path.startswith(API) else docs or path != "/openapi.json"
            if shown and self.family.offers(method, path):
                self.flask.add_url_rule(path, route, partial(self._answer, view), methods=[method])
        self.flask.before_request(self._receive)
        self.flask.after_request(self._finish)
        self.flask.register_error_handler(FailureError, self.failed)
        self.flask.register_error_handler(HTTPException, self.not_found)

    def views(self) -> dict[str, View]:
        """Map "GET /path" beside what is recorded to what answers: JSON, or a whole reply."""
        raise NotImplementedError

    def failed(self, error: FailureError) -> Response:
        """Return an error in this family's form; of invalid fields all have FastAPI's."""
        is_of_fields = isinstance(error.facts.get("detail"), list)
        form = {"detail": "detail"} if is_of_fields else self.family.errors[error.kind]
        return json_reply(filled(form, error.facts), error.facts["status"])

    def check(self, values: Mapping[str, Any]) -> None:
        """Fail at values at which the real server was seen to."""
        for at, given, *error in self.family.mistakes:
            if request.path.endswith(at) and given.items() <= values.items():
                raise self.family.failure(*error)

    def not_found(self, error: HTTPException) -> Response:
        """Return the reply for a path, or a method, that does not exist."""
        return json_reply({"detail": error.name}, error.code or 404)

    def told(self, path: str) -> Response:
        """Return a recorded reply, with what has changed since."""
        told, state = self.family.replies, self.state
        model = {**told.get(f"{API}checkpoint", {}), "title": state.loaded.title}
        changing = {
            f"{API}options": {name: state.options[name] for name in state.listed},
            f"{API}checkpoint": model if state.has_model else {"type": None, "class": None},
            f"{API}sd-models": [one.listing for one in state.checkpoints],
        }
        reply = changing.get(path, told.get(request.full_path, told[path]))
        return json_reply(reply, self.family.statuses.get(path, 200))

    def _answer(self, view: View) -> Response:
        """Send what a view returns; for nothing what is recorded, or null, or no content."""
        said = view()
        if said is None:
            said = self.family.replies.get(f"{request.method} {request.path}")
        if said is None and self.family.traits.says_204:
            return Response(status=204)
        return said if isinstance(said, Response) else json_reply(said)

    def _receive(self) -> Response | None:
        path = request.path
        body, headers = request.get_json(force=True, silent=True), Headers(request.headers)
        self.received.append(Received(request.method, path, body, headers))
        if self.plans[path]:
            if planned := self.plans[path].popleft():
                return planned
            self.queue.wait_for_the_end()
            raise ServiceUnavailable
        if self._logins and request.url_rule and re.match(self.family.traits.guarded, path):
            if not (login := request.authorization):
                raise RefusalError(401, "Not authenticated")
            if self._logins.get(login.username or "") != login.password:
                raise RefusalError(401, self.family.traits.wrong_login)
        return None

    def _finish(self, response: Response) -> Response:
        takes = request.headers.get("Accept-Encoding", "")
        least = self.family.traits.compresses_from
        if least is not None and len(response.get_data()) >= least and "gzip" in takes:
            # The level of the real servers, which costs them seconds.
            response.set_data(gzip.compress(response.get_data(), compresslevel=9))
            response.headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return response


def json_reply(value: object, status: int = 200) -> Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, content_type="application/json")

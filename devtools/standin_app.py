"""The routes of a stand-in WebUI and what each one does."""

import base64
import functools
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, request
from pydantic.v1 import BaseModel
from werkzeug.datastructures import Headers
from werkzeug.exceptions import NotFound

from devtools import pictures, standin_extras, standin_lists
from devtools.standin_fields import (
    ExtrasSingleImageRequest,
    Img2Img,
    PNGInfoRequest,
    ProgressRequest,
    Txt2Img,
    check_fields,
    check_object,
)
from devtools.standin_generation import generate
from devtools.standin_http import (
    ERRORS,
    body_of,
    check_login,
    compress,
    json_or_none,
    json_reply,
    logins_in,
    page,
)
from devtools.standin_state import State

API = "/sdapi/v1"
# The built-in LoRA extension registers its routes itself and forgets the login.
_UNGUARDED = (f"{API}/loras", f"{API}/refresh-loras")


@dataclass(frozen=True)
class Received:
    """One request as it arrived; `json` is None where the body is no JSON."""

    method: str
    path: str
    query: dict[str, str]
    json: Any
    headers: Headers


@dataclass(frozen=True)
class Failure:
    """A reply prepared in advance; a string goes out as it is, anything else as JSON."""

    status: int
    body: object
    content_type: str

    def reply(self) -> Response:
        body = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return Response(body, self.status, content_type=self.content_type)


class App:
    """The web application around one State."""

    def __init__(self, state: State, *, api_auth: str | None, api: bool, compress: bool) -> None:
        self.state = state
        self.received: list[Received] = []
        self.failures: dict[str, deque[Failure]] = {}
        self._api_auth = api_auth
        self._logins = logins_in(api_auth)
        self._api = api
        self._compress = compress
        self._methods: dict[str, list[str]] = {}
        self.flask = Flask(__name__, static_folder=None)
        self.flask.url_map.merge_slashes = False
        self._add_routes()
        self.flask.before_request(self._receive)
        self.flask.after_request(self._finish)
        self.flask.register_error_handler(NotFound, self._not_found)
        for error, handler in ERRORS.items():
            self.flask.register_error_handler(error, handler)

    def _add_routes(self) -> None:
        for name, answer in standin_lists.LISTS.items():
            self._route("GET", f"{API}/{name}", functools.partial(answer, self.state))
        for method, path, view in (
            ("POST", f"{API}/txt2img", self._txt2img),
            ("POST", f"{API}/img2img", self._img2img),
            ("POST", f"{API}/extra-single-image", self._enlarge),
            ("POST", f"{API}/png-info", self._png_info),
            ("GET", f"{API}/progress", self._progress),
            ("POST", f"{API}/interrupt", self._interrupt),
            ("POST", f"{API}/skip", self.state.queue.skip),
            ("POST", f"{API}/options", self._change_options),
            ("POST", f"{API}/refresh-checkpoints", self._refresh),
            ("POST", f"{API}/refresh-vae", self._refresh),
            ("POST", f"{API}/refresh-loras", self._refresh),
            ("GET", f"{API}/cmd-flags", self._flags),
            ("GET", "/internal/ping", dict),
            ("POST", "/internal/progress", self._task_progress),
            ("GET", "/internal/pending-tasks", self.state.queue.pending_tasks),
            ("GET", "/openapi.json", self._schema),
            ("GET", "/docs", functools.partial(page, "FastAPI - Swagger UI")),
            ("GET", "/", functools.partial(page, "Stable Diffusion")),
        ):
            self._route(method, path, view)

    def _route(self, method: str, path: str, view: Callable[[], Any]) -> None:
        if path.startswith(API) and not self._api:
            return
        self._methods.setdefault(path, []).append(method)

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
        if failures := self.failures.get(request.path):
            return failures.popleft().reply()
        if request.environ["standin.target"].startswith("//"):
            return json_reply({"detail": "Not Found"}, 404)
        guarded = request.path.startswith(API) and request.path not in _UNGUARDED
        if self._logins and guarded and request.url_rule:
            check_login(request, self._logins)
        return None

    def _finish(self, response: Response) -> Response:
        elapsed = time.perf_counter() - request.environ["standin.started"]
        response.headers["X-Process-Time"] = f"{elapsed:.4f}"
        if self._compress:
            compress(request, response)
        return response

    def _not_found(self, _error: NotFound) -> Response:
        shorter = request.path.removesuffix("/")
        if request.path != shorter and shorter in self._methods:
            return Response(status=307, headers={"Location": shorter})
        return json_reply({"detail": "Not Found"}, 404)

    def _txt2img(self) -> dict[str, Any]:
        return generate(self.state, "txt2img", _fields(Txt2Img))

    def _img2img(self) -> dict[str, Any]:
        return generate(self.state, "img2img", _fields(Img2Img))

    def _enlarge(self) -> dict[str, Any]:
        return standin_extras.enlarge(self.state, _fields(ExtrasSingleImageRequest).dict())

    def _png_info(self) -> dict[str, Any]:
        return standin_extras.read_png_info(_fields(PNGInfoRequest).dict()["image"])

    def _progress(self) -> dict[str, Any]:
        skip = request.args.get("skip_current_image", "").lower() in ("1", "on", "true", "yes")
        preview = None if skip else self._preview()
        return {**self.state.queue.server_progress(), "current_image": preview}

    def _task_progress(self) -> dict[str, Any]:
        fields = _fields(ProgressRequest).dict()
        reply = self.state.queue.task_progress(fields["id_task"])
        if reply["active"] and fields["live_preview"] and (preview := self._preview()):
            reply["live_preview"] = f"data:image/png;base64,{preview}"
            reply["id_live_preview"] = self.state.queue.task.sampling_step
        return reply

    def _preview(self) -> str | None:
        """A small picture of the running task, once it has come some way."""
        task = self.state.running
        if task is None or task.sampling_step < self.state.options["show_progress_every_n_steps"]:
            return None
        picture = pictures.draw(64, 64, "", task.sampling_step)
        return base64.b64encode(pictures.encode(picture, "png")).decode()

    def _interrupt(self) -> dict[str, Any]:
        self.state.queue.interrupt()
        return {}

    def _change_options(self) -> None:
        self.state.change_options(check_object(body_of(request)))

    def _refresh(self) -> None:
        with self.state.queue.turn():
            pass

    def _flags(self) -> dict[str, Any]:
        port = int(request.environ["SERVER_PORT"])
        return standin_lists.command_line_flags(api_auth=self._api_auth, port=port)

    def _schema(self) -> dict[str, Any]:
        shown = (API, "/internal")
        paths = {path: how for path, how in self._methods.items() if path.startswith(shown)}
        return standin_lists.openapi(paths, api=self._api)


def _fields(model: type[BaseModel]) -> BaseModel:
    return check_fields(model, body_of(request))

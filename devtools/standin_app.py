"""The HTTP side of a stand-in WebUI: routes, login, error bodies, compression."""

import base64
import binascii
import functools
import gzip
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, Request, Response, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import MethodNotAllowed, NotFound

from devtools import pictures, standin_extras, standin_fields, standin_lists
from devtools.standin_generation import generate
from devtools.standin_queue import ClosingError
from devtools.standin_state import CrashError, RefusalError, State

API = "/sdapi/v1"
# The built-in LoRA extension registers its routes itself and forgets the login.
_UNGUARDED = (f"{API}/loras", f"{API}/refresh-loras")
_GZIP_FROM = 1000
_PAGE = "<!DOCTYPE html><html><head><title>{title}</title></head><body>{text}</body></html>"


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
    """A reply prepared in advance."""

    status: int
    body: object
    content_type: str


class App:
    """The WSGI application around one State."""

    def __init__(self, state: State, *, api_auth: str | None, api: bool, gzip: bool) -> None:
        self.state = state
        self.received: list[Received] = []
        self.failures: dict[str, deque[Failure]] = {}
        self._api_auth = api_auth
        self._logins = dict(login.split(":", 1) for login in (api_auth or "").split(",") if login)
        self._api = api
        self._gzip = gzip
        self.flask = Flask(__name__, static_folder=None)
        self.flask.url_map.merge_slashes = False
        self.methods: dict[str, list[str]] = {}
        self._add_routes()
        self.flask.before_request(self._receive)
        self.flask.after_request(self._finish)
        for error, handler in (
            (standin_fields.InvalidRequestError, _invalid),
            (RefusalError, _refused),
            (CrashError, _crashed),
            (ClosingError, _closing),
            (NotFound, self._not_found),
            (MethodNotAllowed, _not_allowed),
        ):
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
            ("POST", f"{API}/skip", self._skip),
            ("POST", f"{API}/options", self._change_options),
            ("POST", f"{API}/refresh-checkpoints", self._refresh),
            ("POST", f"{API}/refresh-vae", self._refresh),
            ("POST", f"{API}/refresh-loras", self._refresh),
            ("GET", f"{API}/cmd-flags", self._flags),
            ("GET", "/internal/ping", dict),
            ("POST", "/internal/progress", self._task_progress),
            ("GET", "/internal/pending-tasks", self.state.queue.pending_tasks),
            ("GET", "/openapi.json", self._schema),
            ("GET", "/docs", lambda: _page("FastAPI - Swagger UI", "")),
            ("GET", "/", lambda: _page("Stable Diffusion", "Stand-in")),
        ):
            self._route(method, path, view)

    def _route(self, method: str, path: str, view: Callable[[], Any]) -> None:
        if path.startswith(API) and not self._api:
            return
        self.methods.setdefault(path, []).append(method)

        def answer() -> Response:
            result = view()
            return result if isinstance(result, Response) else _json(result)

        self.flask.add_url_rule(
            path,
            endpoint=f"{method} {path}",
            view_func=answer,
            methods=[method],
            provide_automatic_options=False,
        )

    def _receive(self) -> Response | None:
        self.received.append(
            Received(
                request.method,
                request.path,
                request.args.to_dict(),
                _lenient_json(request),
                Headers(request.headers),
            )
        )
        request.environ["standin.started"] = time.perf_counter()
        if failures := self.failures.get(request.path):
            failure = failures.popleft()
            body = failure.body if isinstance(failure.body, str) else json.dumps(failure.body)
            return Response(body, failure.status, content_type=failure.content_type)
        if request.environ["standin.target"].startswith("//"):
            return _json({"detail": "Not Found"}, 404)
        if self._logins and request.path in self.methods and _is_guarded(request.path):
            self._check_login()
        return None

    def _check_login(self) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            raise RefusalError(401, "Not authenticated")
        try:
            name, colon, password = base64.b64decode(token).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            colon = ""
        if not colon:
            raise RefusalError(401, "Invalid authentication credentials")
        if self._logins.get(name) != password:
            raise RefusalError(401, "Incorrect username or password")

    def _finish(self, response: Response) -> Response:
        elapsed = time.perf_counter() - request.environ["standin.started"]
        response.headers["X-Process-Time"] = f"{elapsed:.4f}"
        body = response.get_data()
        if self._gzip and len(body) >= _GZIP_FROM and _takes_gzip():
            response.set_data(gzip.compress(body, compresslevel=9))
            response.headers["Content-Encoding"] = "gzip"
            response.headers["Vary"] = "Accept-Encoding"
        return response

    def _txt2img(self) -> dict[str, Any]:
        fields = standin_fields.check_fields(standin_fields.Txt2Img, _body())
        return generate(self.state, "txt2img", fields)

    def _img2img(self) -> dict[str, Any]:
        fields = standin_fields.check_fields(standin_fields.Img2Img, _body())
        return generate(self.state, "img2img", fields)

    def _enlarge(self) -> dict[str, Any]:
        model = standin_fields.ExtrasSingleImageRequest
        return standin_extras.enlarge(
            self.state, standin_fields.check_fields(model, _body()).dict()
        )

    def _png_info(self) -> dict[str, Any]:
        fields = standin_fields.check_fields(standin_fields.PNGInfoRequest, _body()).dict()
        return standin_extras.read_png_info(fields["image"])

    def _progress(self) -> dict[str, Any]:
        reply = self.state.queue.server_progress()
        skip = request.args.get("skip_current_image", "").lower() in ("1", "on", "true", "yes")
        preview = None if skip else self._preview()
        return {**reply, "current_image": preview}

    def _task_progress(self) -> dict[str, Any]:
        fields = standin_fields.check_fields(standin_fields.ProgressRequest, _body()).dict()
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

    def _skip(self) -> None:
        self.state.queue.skip()

    def _change_options(self) -> None:
        self.state.change_options(standin_fields.check_object(_body()))

    def _refresh(self) -> None:
        with self.state.queue.turn():
            pass

    def _flags(self) -> dict[str, Any]:
        port = int(request.environ["SERVER_PORT"])
        return standin_lists.command_line_flags(api_auth=self._api_auth, port=port)

    def _schema(self) -> dict[str, Any]:
        return standin_lists.openapi(self.methods)

    def _not_found(self, _error: NotFound) -> Response:
        shorter = request.path.removesuffix("/")
        if request.path != shorter and shorter in self.methods:
            return Response(status=307, headers={"Location": shorter})
        return _json({"detail": "Not Found"}, 404)


def _is_guarded(path: str) -> bool:
    return path.startswith(API) and path not in _UNGUARDED


def _takes_gzip() -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "")


def _body() -> Any:  # noqa: ANN401 - any JSON value
    content_type = request.headers.get("Content-Type", "")
    return standin_fields.read_json(request.get_data(), content_type)


def _lenient_json(incoming: Request) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(incoming.get_data())
    except ValueError:
        return None


def _json(value: object, status: int = 200) -> Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, content_type="application/json")


def _page(title: str, text: str) -> Response:
    return Response(_PAGE.format(title=title, text=text), content_type="text/html; charset=utf-8")


def _invalid(error: standin_fields.InvalidRequestError) -> Response:
    return _json({"detail": error.detail}, 422)


def _refused(error: RefusalError) -> Response:
    body = {"error": "HTTPException", "detail": error.detail, "body": "", "errors": ""}
    return _json(body, error.status)


def _crashed(error: CrashError) -> Response:
    return _json({"error": error.name, "detail": "", "body": "", "errors": str(error)}, 500)


def _closing(_error: ClosingError) -> Response:
    return Response(status=503)


def _not_allowed(_error: MethodNotAllowed) -> Response:
    return _json({"detail": "Method Not Allowed"}, 405)

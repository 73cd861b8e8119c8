"""The routes of AUTOMATIC1111 and its forks, and what each one does."""

import base64
import functools
from collections.abc import Callable
from typing import Any

from flask import Response, request

from devtools import pictures, standin_extras, standin_lists
from devtools.standin_app import App, Start
from devtools.standin_generation import generate
from devtools.standin_http import check_login, json_reply, logins_in, page
from devtools.standin_models import models_of
from devtools.standin_openapi import openapi
from devtools.standin_routes import API
from devtools.standin_schema import Fields, read_json
from devtools.standin_state import State

# The built-in LoRA extension registers its routes itself and forgets the login.
_UNGUARDED = (f"{API}/loras", f"{API}/refresh-loras")
_TRUE = ("1", "on", "true", "yes")


class A1111App(App):
    """AUTOMATIC1111 or one of its forks."""

    unguarded: tuple[str, ...] = _UNGUARDED

    def __init__(self, state: State, start: Start) -> None:
        if state.family.framework is None:
            raise TypeError(f"{state.family.name} has no framework")
        self._framework = state.family.framework
        self._models = models_of(state.family)
        self._logins = logins_in(start.api_auth)
        super().__init__(state, start)

    def views(self) -> dict[str, Callable[[], Any]]:
        state, queue = self.state, self.state.queue
        lists = {
            f"GET /{name}": functools.partial(answer, state)
            for name, answer in standin_lists.LISTS.items()
        }
        refreshed = ("checkpoints", "vae", "loras", "embeddings")
        return {
            **lists,
            **{f"POST /refresh-{what}": self.refresh for what in refreshed},
            "POST /txt2img": lambda: generate(state, "txt2img", self.fields()),
            "POST /img2img": lambda: generate(state, "img2img", self.fields()),
            "POST /extra-single-image": self._with_values(standin_extras.enlarge),
            "POST /extra-batch-images": self._with_values(standin_extras.enlarge_several),
            "POST /png-info": self._with_values(standin_extras.read_png_info),
            "POST /interrogate": self._with_values(standin_extras.interrogate),
            "GET /progress": self.progress,
            "POST /interrupt": self.interrupt,
            "POST /skip": queue.skip,
            "POST /options": lambda: state.change_options(self.json_object()),
            "POST /unload-checkpoint": state.unload_checkpoint,
            "POST /reload-checkpoint": self.refresh,
            "GET /cmd-flags": self._flags,
            "GET /controlnet/model_list": lambda: {"model_list": []},
            "GET /controlnet/module_list": lambda: {"module_list": ["none", "canny"]},
            "GET /controlnet/control_types": lambda: {"control_types": {}},
            "GET /internal/ping": dict,
            "GET /internal/pending-tasks": queue.pending_tasks,
            "GET /internal/sysinfo": lambda: {"Version": self.family.catalogue.version},
            "POST /internal/progress": self.task_progress,
            "GET /openapi.json": self._schema,
            "GET /docs": functools.partial(page, "FastAPI - Swagger UI"),
            "GET /": functools.partial(page, "Stable Diffusion"),
        }

    def check(self) -> None:
        guarded = request.path.startswith(API) and request.path not in self.unguarded
        if self._logins and guarded:
            check_login(request, self._logins, self.family)

    def not_found(self) -> Response:
        shorter = request.path.removesuffix("/")
        if request.path != shorter and shorter in self.methods:
            return Response(status=307, headers={"Location": shorter})
        return json_reply({"detail": "Not Found"}, 404)

    def fields(self) -> Fields:
        """The request's fields, converted; InvalidRequestError where they cannot be."""
        return self._models[request.path].read(self._json())

    def json_object(self) -> dict[str, Any]:
        """The request's JSON object."""
        value = self._json()
        if not isinstance(value, dict):
            raise self._framework.no_object(value)
        return value

    def progress(self) -> dict[str, Any]:
        """Of the server, with the running picture's preview."""
        skip = request.args.get("skip_current_image", "").lower() in _TRUE
        preview = None if skip else self.preview()
        return {**self.state.queue.server_progress(), "current_image": preview}

    def task_progress(self) -> dict[str, Any]:
        """Of one task."""
        fields = self.fields().values
        reply = self.state.queue.task_progress(fields["id_task"])
        if reply["active"] and fields["live_preview"] and (preview := self.preview()):
            reply["live_preview"] = f"data:image/png;base64,{preview}"
            reply["id_live_preview"] = self.state.queue.task.sampling_step
        return reply

    def preview(self) -> str | None:
        """A small picture of the running task, once it has come some way."""
        task = self.state.running
        if task is None or task.sampling_step < self.state.options["show_progress_every_n_steps"]:
            return None
        picture = pictures.draw(64, 64, "", task.sampling_step)
        return base64.b64encode(pictures.encode(picture, "png")).decode()

    def interrupt(self) -> Any:  # noqa: ANN401 - a reply's JSON or a reply
        """Stop the running task, whosever it is."""
        self.state.queue.interrupt()
        return {}

    def refresh(self) -> Any:  # noqa: ANN401 - a reply's JSON or a reply
        """Look at the folders again, when nobody draws."""
        with self.state.queue.turn():
            return None

    def _with_values(self, answer: Callable[[State, dict[str, Any]], Any]) -> Callable[[], Any]:
        return lambda: answer(self.state, self.fields().values)

    def _json(self) -> Any:  # noqa: ANN401 - any JSON value
        kind = request.headers.get("Content-Type", "")
        return read_json(self._framework, request.get_data(), kind)

    def _flags(self) -> dict[str, Any]:
        port = int(request.environ["SERVER_PORT"])
        return standin_lists.command_line_flags(api_auth=self.start.api_auth, port=port)

    def _schema(self) -> dict[str, Any]:
        shown = (API, "/internal", "/controlnet")
        paths = {path: how for path, how in self.methods.items() if path.startswith(shown)}
        models = {path: model for path, model in self._models.items() if path in paths}
        return openapi(self._framework, paths, models)

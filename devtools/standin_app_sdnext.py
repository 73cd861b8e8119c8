"""SD.Next's routes, where they differ from AUTOMATIC1111's."""

import functools
from collections.abc import Callable
from typing import Any

from flask import Response

from devtools.standin_app import Start
from devtools.standin_app_a1111 import A1111App
from devtools.standin_http import json_reply
from devtools.standin_lists_sdnext import LISTS
from devtools.standin_sdnext import generate
from devtools.standin_state_sdnext import SdNextState


class SdNextApp(A1111App):
    """SD.Next, which guards every route and answers 204 where there is nothing to say."""

    unguarded = ()

    def __init__(self, state: SdNextState, start: Start) -> None:
        self._own = state
        super().__init__(state, start)

    def views(self) -> dict[str, Callable[[], Any]]:
        state = self._own
        lists = {f"GET /{name}": functools.partial(answer, state) for name, answer in LISTS.items()}
        return {
            **super().views(),
            **lists,
            "POST /txt2img": lambda: generate(state, "txt2img", self.fields()),
            "POST /img2img": self._img2img,
            "POST /refresh-loras": lambda: None,
            "POST /skip": self._skip,
            "POST /unload-checkpoint": self._unload,
        }

    def progress(self) -> dict[str, Any]:
        reply = super().progress()
        state = dict(reply["state"])
        del state["stopping_generation"]
        return {"id": self.state.queue.task.id, **reply, "state": state}

    def task_progress(self) -> dict[str, Any]:
        """No request over the API has a task's name, so none is ever found by one."""
        wanted = self.fields().values["id_task"]
        task = self.state.queue.task
        active = wanted == "undefined" and self.state.running is not None
        return {
            "job": task.job,
            "textinfo": None if active else "Waiting...",
            "active": active,
            "queued": False,
            "paused": False,
            "completed": False,
            "debug": False,
            "step": task.sampling_step,
            "steps": max(task.sampling_steps, 1),
            "batch_no": task.job_no,
            "batch_count": max(task.job_count, 0),
            "progress": round(min(task.share_done, 1.0), 2),
            "eta": None,
            "live_preview": None,
            "id_live_preview": 0,
        }

    def interrupt(self) -> Response:
        self.state.queue.interrupt()
        return Response(status=204)

    def refresh(self) -> Response:
        return Response(status=204)

    def _skip(self) -> Response:
        self.state.queue.skip()
        return Response(status=204)

    def _unload(self) -> Response:
        self.state.unload_checkpoint()
        return Response(status=204)

    def _img2img(self) -> Any:  # noqa: ANN401 - a reply's JSON or a reply
        fields = self.fields()
        if fields.values["init_images"] is None:
            return json_reply({"error": "Init image is none"}, 400)
        return generate(self._own, "img2img", fields)

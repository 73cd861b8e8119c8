"""Where SD.Next's lists differ from AUTOMATIC1111's."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from devtools.catalogue import ROOT
from devtools.standin_errors import CrashError
from devtools.standin_lists import scripts
from devtools.standin_state import State


def _schedulers(_state: State) -> None:
    """Its own check of its own reply fails: a row without a class is no text."""
    raise CrashError("ResponseValidationError", "1 validation errors: Input should be a string")


def _status(state: State) -> dict[str, Any]:
    task = state.queue.task
    return {
        "status": "running" if state.running else "interrupted" if task.interrupted else "idle",
        "task": task.job,
        "timestamp": time.strftime("%Y%m%d%H%M%S", time.localtime(task.started)),
        "current": "",
        "id": task.id,
        "job": task.job_no,
        "jobs": max(task.job_count, 0),
        "total": len(state.drawn),
        "step": task.sampling_step,
        "steps": task.sampling_steps,
        "queued": 0,
        "uptime": 60,
        "elapsed": None,
        "eta": None,
        "progress": task.share_done,
    }


LISTS: Mapping[str, Callable[[State], Any]] = {
    "options": lambda state: dict(state.options),
    "schedulers": _schedulers,
    "face-restorers": lambda state: [
        {"name": name, "path": str(ROOT / "models" / "yolo" / f"{name}.pt")}
        for name in state.catalogue.face_restorers
    ],
    "prompt-styles": lambda state: [
        {**one, "extra": "", "filename": None, "preview": None} for one in state.catalogue.styles
    ],
    "embeddings": lambda state: {"loaded": list(state.catalogue.embeddings), "skipped": []},
    "scripts": lambda state: {**scripts(state), "control": scripts(state)["txt2img"]},
    "version": lambda state: {
        "app": "sd.next",
        "updated": "2026-07-23",
        "commit": state.catalogue.version,
        "branch": "master",
        "url": "https://github.com/vladmandic/sdnext/tree/master",
    },
    "status": _status,
}

"""How far a job is, from the best source the server has."""

from typing import Any

from webui.client import WebUIClient

_TASK = "internal/progress"
_SERVER = "sdapi/v1/progress"


class Progress:
    """Asks after one job; a source that does not answer is not asked again."""

    def __init__(self, client: WebUIClient, task_id: str) -> None:
        self._client = client
        self._task_id = task_id
        self._sources = [self._of_task, self._of_server]

    def line(self) -> str:
        """A short line for a person, "" when nobody can tell."""
        for source in list(self._sources):
            found = source()
            if found is None:
                self._sources.remove(source)
            elif found:
                return found
        return ""

    def task(self) -> dict[str, Any] | None:
        """`POST /internal/progress` of our own task: {active, queued, completed, progress, eta, …}.

        None where the server has no such endpoint (--nowebui, stable-diffusion.cpp).
        """
        request = {"id_task": self._task_id, "live_preview": False}
        found = self._client.lookup(_TASK, request)
        return found if isinstance(found, dict) and "active" in found else None

    def _of_task(self) -> str | None:
        task = self.task()
        if task is None:
            return None
        if task.get("active"):
            return _told("drawing", task.get("progress"), task.get("eta"))
        if task.get("queued"):
            return str(task.get("textinfo") or "In the queue").strip().rstrip(".")
        return ""

    def _of_server(self) -> str | None:
        """The server's one running job, which may be somebody else's, and is marked so."""
        found = self._client.lookup(_SERVER, query={"skip_current_image": "true"})
        if not isinstance(found, dict) or "progress" not in found:
            return None
        if not found["progress"]:
            return ""
        return _told("the server's running job", found["progress"], found.get("eta_relative"))


def _told(what: str, share: object, seconds: object) -> str:
    line = what
    if isinstance(share, int | float):
        line += f" {share:.0%}"
    if isinstance(seconds, int | float) and seconds > 0:
        line += f", about {seconds:.0f} s left"
    return line

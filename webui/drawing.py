"""From a tool's values to pictures: what txt2img, img2img and draw have in common."""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from webui import inputs, outcome, request
from webui.client import WebUIClient
from webui.credentials import Credentials
from webui.families import SDCPP, SDNEXT
from webui.generation import Generation
from webui.messages import Event
from webui.result import Result
from webui.server import Server


def draw(
    endpoint: str,
    given: Mapping[str, Any],
    settings: Credentials,
    *,
    tool: str = "",
    warnings: Iterable[str] = (),
) -> Iterator[Event]:
    """Check, submit, wait, and sum up.

    endpoint: "txt2img" or "img2img". given: values of the API's fields and of our own parameters,
    as `Parameters.read` gives them, and perhaps `count`, the number of pictures. tool: what
    the files are named after, if not the endpoint. warnings: what the summary is to say first.
    Raises StableDiffusionError.
    """
    began = time.monotonic()
    placed = inputs.placed(given)
    with WebUIClient(settings) as client:
        server = Server(client, endpoint)
        wanted = request.build(_counted(placed.given, server), server, default_model=settings.model)
        job = Generation(
            settings,
            client,
            f"sdapi/v1/{endpoint}",
            wanted.body,
            timeout=given.get("timeout", settings.timeout),
            resume=given.get("resume", True),
            began=began,
        )
        found = Result(tool or endpoint, job.body)
        for event in job.events():
            yield event if isinstance(event, str) else (found.add(event), event)
        summary = found.summary(job.info, job.elapsed)
        differences = outcome.check(summary, job.body, server, interrupted=job.interrupted)
        told = [*warnings, *job.warnings, *differences, *wanted.warnings, *placed.warnings]
        if placed.turned and server.profile.family in {SDNEXT, SDCPP}:
            told.append(
                f"{server.profile.family.label} does not turn the image as its EXIF data says."
            )
        summary["warnings"] = list(dict.fromkeys(told))
        yield summary


def _counted(given: Mapping[str, Any], server: Server) -> dict[str, Any]:
    """`count` under the server's name: one by one, which takes less memory, where it can."""
    fields = dict(given)
    if "count" in fields:
        repeats = "n_iter" if server.profile.reads("n_iter") else "batch_size"
        fields[repeats] = fields.pop("count")
    return fields

"""From a call's values to pictures: what txt2img, img2img and sketch have in common."""

from collections.abc import Iterator, Sequence

from webui.call import Call
from webui.http.client import WebUIClient
from webui.http.endpoints import Endpoint
from webui.pictures.picture import Picture
from webui.report import Event
from webui.request.build import build_request
from webui.request.division import divide
from webui.request.inputs import place_inputs
from webui.run.generation import Generation
from webui.run.leftovers import OverrideWatch, undo_leftovers, warn_of_inherited
from webui.run.outcome import compare_outcome, warn_of_interruption
from webui.run.progress import Progress
from webui.run.summary import Collector, Image, Summary
from webui.server.server import Server


def txt2img(call: Call) -> Iterator[Event]:
    """Draw from a prompt. Raises StableDiffusionError, as all of these do."""
    return draw(Endpoint.TXT2IMG, call)


def img2img(call: Call) -> Iterator[Event]:
    """Redraw a picture, or the masked part of it."""
    return draw(Endpoint.IMG2IMG, call)


def draw(endpoint: Endpoint, call: Call) -> Iterator[Event]:
    """Check, submit, wait, and sum up."""
    return draw_and_sum_up(endpoint, call, tool=endpoint.job)


def draw_and_sum_up(
    endpoint: Endpoint, call: Call, *, tool: str, warnings: Sequence[str] = ()
) -> Iterator[Image | Progress | Summary]:
    """Yield the same, where the summary has more to say.

    tool: what the files are named after. warnings: what the summary is to say first.
    """
    inputs = place_inputs(call.asked, endpoint, call.untouched)
    with WebUIClient(call.settings, until=call.deadline) as client:
        server = Server.ask(client, endpoint)
        request = build_request(endpoint, inputs.asked, server, default_model=call.settings.model)
        undone = undo_leftovers(request, server)
        watch = OverrideWatch.begin(request, server)
        collector = Collector(tool)
        resume = call.asked.get("resume", True)
        parts = divide(request, server, call.settings.parallel)
        with Generation.begin(call, request, parts, resume=resume) as generation:
            client.forgives = True
            for event in generation.events():
                yield collector.add(event) if isinstance(event, Picture) else event
        client.turn_to(generation.task_ids[0])
        summary = collector.summary(generation.fields, generation.account, generation.elapsed)
        differences = compare_outcome(summary, request, server, interrupted=generation.interrupted)
        if generation.was_watched and not generation.interrupted:
            differences += warn_of_interruption(server, generation.task_ids)
        told = [*warnings, *generation.warnings, *differences, *watch.end()]
        told += warn_of_inherited(summary, request, server)
        told += [*request.warnings, *inputs.warnings, *undone]
        if inputs.turned and not server.family.turns_by_exif:
            told.append(f"{server.family.label} does not turn the image as its EXIF data says.")
        summary.warnings = list(dict.fromkeys(told))
        yield summary

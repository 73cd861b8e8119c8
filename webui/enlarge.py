"""From pictures to larger ones."""

from collections.abc import Iterator

from webui.call import Call
from webui.http.client import WebUIClient
from webui.http.endpoints import Endpoint
from webui.report import Event
from webui.request.enlarging import build_enlarging
from webui.run.remaking import remake
from webui.server.server import Server


def enlarge(call: Call) -> Iterator[Event]:
    """Enlarge each picture, as a `Series` does; errors as there."""
    with WebUIClient(call.settings, until=call.deadline) as client:
        server = Server.ask(client, Endpoint.EXTRA_SINGLE_IMAGE)
        server.require(
            Endpoint.EXTRA_SINGLE_IMAGE,
            "enlarge pictures",
            "Use another WebUI, or img2img with a larger width and height.",
        )
        plan = build_enlarging(call.asked, server)
        yield from remake(call, server, plan, tool="upscale", undone="Not enlarged")

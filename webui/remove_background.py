"""From pictures to what stands in them, or to its mask."""

from collections.abc import Iterator

from webui.call import Call
from webui.http.client import WebUIClient
from webui.http.endpoints import Endpoint
from webui.report import Event
from webui.request.cutting import build_cutting
from webui.run.remaking import remake
from webui.server.server import Server


def remove_background(call: Call) -> Iterator[Event]:
    """Cut out what stands in each picture, as a `Series` does; errors as there."""
    with WebUIClient(call.settings, until=call.deadline) as client:
        server = Server.ask(client, Endpoint.REMBG)
        plan = build_cutting(call.asked, server)
        yield from remake(call, server, plan, tool="remove_background", undone="Not cut out")

"""From pictures to larger ones, one after the other."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from webui.call import Call
from webui.errors import StableDiffusionError, WebUINotFoundError
from webui.http.client import WebUIClient
from webui.http.endpoints import Endpoint
from webui.pictures.picture import Picture, Source
from webui.report import Event
from webui.request.enlarging import Enlarging, build_enlarging
from webui.run.generation import Generation
from webui.run.progress import Progress
from webui.run.summary import Collector, Image, count_images, warning_lines
from webui.server.server import Server
from webui.values import Fields


@dataclass(frozen=True)
class Enlarged:
    """One larger picture, and the one it comes from."""

    filename: str
    width: int | None
    height: int | None
    source: str
    source_width: int
    source_height: int


@dataclass
class EnlargingReport:
    """request: what is the same for all pictures. elapsed: seconds."""

    request: Fields
    images: list[Enlarged] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    elapsed: float = 0.0

    def json(self) -> Fields:
        return {"images": [asdict(one) for one in self.images], "request": self.request} | (
            self.variables()
        )

    def text(self) -> str:
        """Return how many, by what, time, each size and the warnings, a line each."""
        count, upscaler = count_images(len(self.images)), self.request["upscaler_1"]
        return "\n".join(
            [
                f"{count}, {upscaler}, {self.elapsed} s.",
                *(f"{one.source}: {one.width}x{one.height}." for one in self.images),
                *warning_lines(self.warnings),
            ]
        )

    def variables(self) -> Fields:
        return {"warnings": self.warnings, "elapsed_seconds": self.elapsed}


def enlarge(call: Call) -> Iterator[Event]:
    """Enlarge each picture; the timeout holds for all together.

    Raises StableDiffusionError; but when something is already done, it stops with a warning, for a
    call that fails gives its caller nothing.
    """
    sources: list[Source] = call.asked["images"]
    with WebUIClient(call.settings, until=call.deadline) as client:
        server = Server.ask(client, Endpoint.EXTRA_SINGLE_IMAGE)
        _refuse_without_endpoint(server, client)
        work = _Work(call, build_enlarging(call.asked, server))
        for place, source in enumerate(sources):
            part = f"{place + 1}/{len(sources)}" if len(sources) > 1 else ""
            try:
                for event in work.enlarge(source):
                    yield event.within(part) if isinstance(event, Progress) else event
            except StableDiffusionError as error:
                if not work.report.images:
                    raise
                missing = ", ".join(one.name for one in sources[place:])
                work.report.warnings.append(f"Not enlarged: {missing}. {error}")
                break
            if source.picture.is_turned and not work.plan.turns:
                work.report.warnings.append(
                    f"{source.name}: {server.family.label} does not turn it as its EXIF data says."
                )
        yield work.conclude()


def _refuse_without_endpoint(server: Server, client: WebUIClient) -> None:
    endpoint = Endpoint.EXTRA_SINGLE_IMAGE
    if not server.family.enlarges or not server.profile.offers(endpoint):
        raise WebUINotFoundError(
            f"{server.family.label} at {client.address} cannot enlarge pictures: it has no "
            f"{endpoint.path}. Use another WebUI, or img2img with a larger width and height."
        )


class _Work:
    """A call's pictures, one job each, and the report that grows with them."""

    def __init__(self, call: Call, plan: Enlarging) -> None:
        self.plan = plan
        self.report = EnlargingReport(plan.fields, warnings=plan.warnings)
        self._call = call
        self._collector = Collector("upscale")
        self._submitted = time.monotonic()

    def enlarge(self, source: Source) -> Iterator[Image | Progress]:
        """Yield one picture, within what is left of the time."""
        # A call that gives something succeeds, so nobody would come back for the rest.
        resume = not self.report.images
        request = self.plan.request_for(source.picture)
        with Generation.begin(self._call, request, resume=resume) as generation:
            for event in generation.events():
                if not isinstance(event, Picture):
                    yield event
                    continue
                image = self._collector.add(event)
                self.report.images.append(
                    Enlarged(
                        image.filename,
                        event.width,
                        event.height,
                        source.name,
                        *self.plan.size_of(source.picture),
                    )
                )
                self.report.warnings += self.plan.differences(source.name, source.picture, event)
                yield image
        self.report.warnings += generation.warnings

    def conclude(self) -> EnlargingReport:
        """Return the report, when all is done."""
        self.report.warnings = list(dict.fromkeys(self.report.warnings))
        self.report.elapsed = round(time.monotonic() - self._submitted, 1)
        return self.report

"""Pictures made of pictures, one of each: what `enlarge` and `remove_background` share."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Protocol

from webui.call import Call
from webui.pictures.picture import Picture
from webui.request.request import Request
from webui.run.progress import Progress
from webui.run.series import Outcome, Series
from webui.run.summary import Collector, Image, count_images, warning_lines
from webui.server.server import Server
from webui.values import Fields


class Plan(Protocol):
    """What is the same for every picture.

    fields: as sent. maker: what makes the new ones, for people. turns: pictures are turned as
    their EXIF data says.
    """

    @property
    def fields(self) -> Fields: ...
    @property
    def maker(self) -> str: ...
    @property
    def warnings(self) -> list[str]: ...
    @property
    def turns(self) -> bool: ...

    def request_for(self, picture: Picture) -> Request:
        """Return the job that one picture becomes."""

    def differences(self, name: str, source: Picture, came: Picture) -> Iterator[str]:
        """Yield a sentence for each way in which a picture is not what it should have become."""


@dataclass(frozen=True)
class Remade:
    """One new picture, and the one that it comes from, as the server sees it."""

    filename: str
    width: int | None
    height: int | None
    source: str
    source_width: int
    source_height: int


@dataclass
class RemakingReport:
    """elapsed: seconds."""

    plan: Plan
    images: list[Remade] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    elapsed: float = 0.0

    def json(self) -> Fields:
        return {"images": [asdict(one) for one in self.images], "request": self.plan.fields} | (
            self.variables()
        )

    def text(self) -> str:
        """Return how many, by what, time, each size and the warnings, a line each."""
        return "\n".join(
            [
                f"{count_images(len(self.images))}, {self.plan.maker}, {self.elapsed} s.",
                *(f"{one.source}: {one.width}x{one.height}." for one in self.images),
                *warning_lines(self.warnings),
            ]
        )

    def variables(self) -> Fields:
        return {"warnings": self.warnings, "elapsed_seconds": self.elapsed}


def remake(
    call: Call, server: Server, plan: Plan, *, tool: str, undone: str
) -> Iterator[Image | Progress | RemakingReport]:
    """Make one of each picture, as a `Series` does; errors as there.

    tool: what files are named after. undone: see `Series`.
    """
    report, collector = RemakingReport(plan, warnings=plan.warnings), Collector(tool)
    series = Series(call, plan.request_for, undone)
    for event in series.events():
        match event:
            case Progress():
                yield event
            case Outcome(source, Picture() as picture):
                image, old = collector.add(picture), source.picture
                yield image
                size = old.upright_size if plan.turns else old.size
                report.images.append(
                    Remade(image.filename, picture.width, picture.height, source.name, *size)
                )
                report.warnings += plan.differences(source.name, old, picture)
                if old.is_turned and not plan.turns:
                    report.warnings.append(server.leaves_turned(source.name))
    report.warnings = list(dict.fromkeys(report.warnings + series.warnings))
    report.elapsed = series.elapsed
    yield report

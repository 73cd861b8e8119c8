"""From pictures to words."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from webui.call import Call
from webui.errors import WebUIServerError
from webui.http.client import WebUIClient
from webui.http.endpoints import Endpoint
from webui.report import Event
from webui.request.captioning import build_captioning, split_failure
from webui.run.progress import Progress
from webui.run.series import Outcome, Series
from webui.run.summary import warning_lines
from webui.server.server import Server
from webui.values import Fields


@dataclass(frozen=True)
class Caption:
    """The words for one picture, "" where the server found none."""

    source: str
    caption: str


@dataclass
class CaptionReport:
    """request: what is the same for all pictures. elapsed: seconds."""

    method: str
    request: Fields
    captions: list[Caption] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    elapsed: float = 0.0

    def json(self) -> Fields:
        return {
            "captions": [asdict(one) for one in self.captions],
            "method": self.method,
            "request": self.request,
            "warnings": self.warnings,
            "elapsed_seconds": self.elapsed,
        }

    def text(self) -> str:
        """Return the bare caption, of several each with its file's name, and the warnings."""
        several = len(self.captions) > 1
        told = [f"{one.source}: {one.caption}" if several else one.caption for one in self.captions]
        return "\n".join([*told, *warning_lines(self.warnings)])

    def variables(self) -> Fields:
        return {
            "caption": self.captions[0].caption,
            "captions": [one.caption for one in self.captions],
            "warnings": self.warnings,
            "elapsed_seconds": self.elapsed,
        }


def caption(call: Call) -> Iterator[Event]:
    """Put each picture into words, as a `Series` does; errors as there."""
    with WebUIClient(call.settings, until=call.deadline) as client:
        server = Server.ask(client, Endpoint.INTERROGATE)
        plan = build_captioning(call.asked, server)
        report = CaptionReport(plan.method, plan.fields, warnings=plan.warnings)
        series = Series(call, plan.request_for, "Not described")
        for event in series.events():
            match event:
                case Progress():
                    yield event
                case Outcome(source, str() as text):
                    words, failure = split_failure(text)
                    if failure and not words and not report.captions:
                        raise WebUIServerError(
                            f"{client.address} failed to describe {source.name}: {failure}. "
                            "The server's log says why; often a model could not be downloaded."
                        )
                    if failure:
                        report.warnings.append(
                            f"{source.name} is described in part at the most, for the server "
                            f"failed: {failure}. Its log says why."
                        )
                    elif not words:
                        report.warnings.append(f"{source.name}: the server found no words for it.")
                    if source.picture.is_turned and not server.family.turns_by_exif:
                        report.warnings.append(server.leaves_turned(source.name))
                    report.captions.append(Caption(source.name, words))
        report.warnings = list(dict.fromkeys(report.warnings + series.warnings))
        report.elapsed = series.elapsed
        yield report

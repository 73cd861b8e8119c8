"""A picture from a few words, within the limits of whoever set the tool up: `draw`, for agents."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from webui import values
from webui.call import Call
from webui.draw import draw_and_sum_up
from webui.errors import InvalidParameterError
from webui.http.endpoints import Endpoint
from webui.report import Event
from webui.run.summary import Summary
from webui.values import Fields

_TOOL = "draw"
# What means the same in txt2img. Whether `count` is a batch is for the server to say.
_TAKEN_AS_GIVEN = (
    "negative_prompt",
    "model",
    "steps",
    "cfg_scale",
    "sampler_name",
    "scheduler",
    "lora",
    "timeout",
)


@dataclass(frozen=True)
class Sketched:
    """A summary for a language model, which reads all that it is given."""

    summary: Summary
    prompt: str

    def json(self) -> None:
        """Nothing: the text says enough."""

    def text(self) -> str:
        return f"{self.summary.text()}\nPrompt: {self.prompt}"

    def variables(self) -> Fields:
        return self.summary.variables()


@dataclass(frozen=True)
class _Size:
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    def within(self, longest: int) -> "_Size":
        """No side longer than that: scaled down in proportion, to multiples of 8."""
        now, most = max(self.width, self.height), longest // 8 * 8
        if now <= most:
            return self
        return _Size(*(max(8, round(n * most / now / 8) * 8) for n in (self.width, self.height)))


# About a megapixel each, which SDXL and Flux were trained on.
_SHAPES = {
    "square": _Size(1024, 1024),
    "portrait": _Size(832, 1216),
    "landscape": _Size(1216, 832),
    "wide": _Size(1344, 768),
    "tall": _Size(768, 1344),
}


def sketch(call: Call) -> Iterator[Event]:
    """Draw by txt2img what the few fields ask for."""
    asked = call.asked
    wanted = _SHAPES.get(asked["shape"]) or _Size(asked["width"], asked["height"])
    size = wanted.within(asked["max_size"])
    count = min(asked["count"], asked["max_count"])
    reductions = []
    if size != wanted:
        reductions.append(
            f"{wanted} was asked for, but max_size is {asked['max_size']}: now {size}."
        )
    if count < asked["count"]:
        reductions.append(
            f"{asked['count']} pictures were asked for, but max_count is {asked['max_count']}."
        )
    fields = {name: asked[name] for name in _TAKEN_AS_GIVEN if name in asked}
    prompt = fields["prompt"] = _prompt(asked)
    styles = values.names(asked.get("style", ""))
    if styles:
        fields["styles"] = styles
    fields |= {"width": size.width, "height": size.height, "count": count}
    for event in draw_and_sum_up(
        Endpoint.TXT2IMG, replace(call, asked=fields), tool=_TOOL, warnings=reductions
    ):
        yield Sketched(event, prompt) if isinstance(event, Summary) else event


def _prompt(asked: Fields) -> str:
    names = ("prompt_prefix", "prompt", "prompt_suffix")
    parts = [asked.get(name, "").strip(" ,\r\n\t") for name in names]
    if not parts[1]:
        raise InvalidParameterError("prompt holds no word. Say what to draw.")
    return ", ".join(filter(None, parts))

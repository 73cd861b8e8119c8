from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

from webui import credentials, drawing, messages
from webui.parameters import Parameters

PARAMETERS = Parameters.beside(__file__)

# What means the same here and there. `count` is nobody's field; drawing finds the server's.
_TAKEN_AS_GIVEN = (
    "negative_prompt",
    "count",
    "model",
    "steps",
    "cfg_scale",
    "sampler_name",
    "scheduler",
    "lora",
    "timeout",
)


class DrawTool(Tool):
    """Draws what an agent asks for, as the settings around it say."""

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        asked = PARAMETERS.read(tool_parameters)
        settings = credentials.read(self.runtime.credentials)
        given = {name: asked[name] for name in _TAKEN_AS_GIVEN if name in asked}
        given["prompt"] = _prompt(asked)
        styles = [name.strip() for name in asked.get("style", "").split(",") if name.strip()]
        if styles:
            given["styles"] = styles
        given["width"], given["height"] = _size(asked)
        given["count"] = min(asked["count"], asked["max_count"])
        events = drawing.draw(
            "txt2img", given, settings, tool="draw", warnings=_reductions(asked, given)
        )
        yield from messages.of(self, events, brief=True)
        yield self.create_text_message(f"\nPrompt: {given['prompt']}")


def _prompt(asked: dict[str, Any]) -> str:
    names = ("prompt_prefix", "prompt", "prompt_suffix")
    parts = [asked.get(name, "").strip(" ,\r\n\t") for name in names]
    return ", ".join(filter(None, parts))


def _size(asked: dict[str, Any]) -> tuple[int, int]:
    """Width and height in pixels; above max_size scaled down in proportion, to multiples of 8."""
    width, height = asked["width"], asked["height"]
    longest, most = max(width, height), asked["max_size"] // 8 * 8
    if longest <= most:
        return width, height
    across, down = (max(8, round(side * most / longest / 8) * 8) for side in (width, height))
    return across, down


def _reductions(asked: dict[str, Any], given: dict[str, Any]) -> list[str]:
    """What the caps took away."""
    told = []
    wanted, drawn = (f"{size['width']}x{size['height']}" for size in (asked, given))
    if wanted != drawn:
        told.append(f"{wanted} was asked for, but max_size is {asked['max_size']}: now {drawn}.")
    if asked["count"] > given["count"]:
        told.append(
            f"{asked['count']} pictures were asked for, but max_count is {asked['max_count']}."
        )
    return told

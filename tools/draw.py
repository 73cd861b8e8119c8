from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

from webui import credentials, drawing, messages
from webui.parameters import Parameters

PARAMETERS = Parameters.beside(__file__)
_SAME_AS_TXT2IMG = (
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
        given = {name: asked[name] for name in _SAME_AS_TXT2IMG if name in asked}
        given["prompt"] = _prompt(asked)
        styles = [name.strip() for name in asked.get("style", "").split(",") if name.strip()]
        if styles:
            given["styles"] = styles
        warnings = []
        given["width"], given["height"] = _size(asked)
        if given["width"] != asked["width"] or given["height"] != asked["height"]:
            warnings.append(
                f"{asked['width']}x{asked['height']} was asked for and made "
                f"{given['width']}x{given['height']}, as max_size is {asked['max_size']}."
            )
        if asked["count"] > asked["max_count"]:
            given["count"] = asked["max_count"]
            warnings.append(
                f"{asked['count']} pictures were asked for, but max_count is {asked['max_count']}."
            )
        events = drawing.draw("txt2img", given, settings, warnings=warnings)
        yield from messages.of(self, events, brief=True)
        yield self.create_text_message(f"\nPrompt: {given['prompt']}")


def _prompt(asked: dict[str, Any]) -> str:
    parts = [asked.get(name, "") for name in ("prompt_prefix", "prompt", "prompt_suffix")]
    return ", ".join(part for given in parts if (part := given.strip().strip(",").strip()))


def _size(asked: dict[str, Any]) -> tuple[int, int]:
    """Width and height in pixels, scaled down to max_size and to multiples of 8."""
    width, height, most = asked["width"], asked["height"], asked["max_size"] // 8 * 8
    longest = max(width, height)
    if longest <= most:
        return width, height
    return max(8, round(width * most / longest / 8) * 8), max(
        8, round(height * most / longest / 8) * 8
    )

"""The plugin's tools by name."""

from dify_plugin import Tool

from tools.caption import CaptionTool
from tools.control_preview import ControlPreviewTool
from tools.draw import DrawTool
from tools.img2img import Img2ImgTool
from tools.png_info import PngInfoTool
from tools.remove_background import RemoveBackgroundTool
from tools.server_info import ServerInfoTool
from tools.txt2img import Txt2ImgTool
from tools.upscale import UpscaleTool

TOOLS: dict[str, type[Tool]] = {
    "txt2img": Txt2ImgTool,
    "img2img": Img2ImgTool,
    "upscale": UpscaleTool,
    "remove_background": RemoveBackgroundTool,
    "caption": CaptionTool,
    "draw": DrawTool,
    "server_info": ServerInfoTool,
    "png_info": PngInfoTool,
    "control_preview": ControlPreviewTool,
}

"""From a picture to the generation parameters inside it."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from webui.call import Call
from webui.errors import InvalidParameterError, WebUIError, WebUINotFoundError
from webui.http.client import WebUIClient
from webui.http.endpoints import Endpoint
from webui.pictures.infotext import parse_infotext
from webui.pictures.infotext_fields import fields_of
from webui.pictures.picture import Picture
from webui.report import Event
from webui.server.server import Entries, Server
from webui.text import printable, shortened
from webui.values import Fields, Json

# Other programs keep whole workflows in a picture, and a message has its limits.
_LONGEST_INFOTEXT = 200_000
_LONGEST_ITEM = 20_000
_MOST_ITEMS = 50


@dataclass(frozen=True)
class Reading:
    """infotext: as it is in the picture, "" if there is none. parameters: its own labels and
    values. fields: the same as txt2img's fields. items: what else the server found.
    """

    infotext: str
    parameters: dict[str, str]
    fields: Fields
    items: dict[str, str]

    def json(self) -> Fields:
        return {"infotext": self.infotext, "fields": self.fields, "items": self.items}

    def text(self) -> str:
        return self.infotext or "The image holds no generation parameters."

    def variables(self) -> Fields:
        return {
            "infotext": self.infotext,
            "parameters": self.parameters,
            "extra_parameters": json.dumps(self.fields, ensure_ascii=False),
        }


def read_png_info(call: Call) -> Iterator[Event]:
    """Yield what a picture holds, by the server's eyes or, where it has none, by our own.

    Our own read PNG only: InvalidParameterError for another type then. Other failures of the
    server raise only when the file itself does not tell.
    """
    with WebUIClient(call.settings) as client:
        text, items = _inside(call.asked["image"].picture, client)
        found = parse_infotext(text)
        fields = fields_of(found)
        _complete_file_names(fields, client)
    named = {"Prompt": found.prompt, "Negative prompt": found.negative_prompt}
    parameters = {name: prompt for name, prompt in named.items() if prompt} | found.parameters
    yield Reading(text, parameters, fields, items)


def _inside(picture: Picture, client: WebUIClient) -> tuple[str, dict[str, str]]:
    try:
        answer = client.png_info(picture)
    except WebUINotFoundError:
        if picture.infotext is None and picture.extension != "png":
            raise InvalidParameterError(
                f"image: this server has no {Endpoint.PNG_INFO.path}, and without it only PNG "
                f"files can be read, not {picture.mime_type}. Give a PNG."
            ) from None
    except WebUIError:
        if picture.infotext is None:
            raise
    else:
        return _checked(answer["info"] or picture.infotext), _items(answer.get("items"))
    return _checked(picture.infotext), {}


def _checked(text: str | None) -> str:
    text = printable(text or "")
    if len(text) > _LONGEST_INFOTEXT:
        raise InvalidParameterError(
            f"image: the text inside has {len(text)} characters. No WebUI writes that many."
        )
    return text


def _items(found: Json) -> dict[str, str]:
    if not isinstance(found, dict):
        return {}
    told = [(printable(str(name)), printable(str(value))) for name, value in found.items()]
    return {name[:100]: shortened(value, _LONGEST_ITEM) for name, value in told[:_MOST_ITEMS]}


def _complete_file_names(fields: Fields, client: WebUIClient) -> None:
    """Add the endings that some servers leave out of the names of VAEs and modules, and want.

    A server that cannot be asked leaves them as they are; txt2img names what it does not find.
    """
    options = fields.get("override_settings", {})
    modules = [
        (place, name)
        for place, name in (
            (options, "forge_additional_modules"),
            (fields, "hr_additional_modules"),
        )
        if name in place
    ]
    if not modules and "sd_vae" not in options:
        return
    with contextlib.suppress(WebUIError):
        server = Server.ask(client, Endpoint.TXT2IMG)
        if "sd_vae" in options:
            options["sd_vae"] = _whole_name(options["sd_vae"], server.entries(Endpoint.SD_VAE))
        for place, name in modules:
            entries = server.entries(Endpoint.SD_MODULES)
            place[name] = [_whole_name(module, entries) for module in place[name]]


def _whole_name(written: str, entries: Entries | None) -> str:
    known = [entry.get("model_name", "") for entry in entries or []]
    same_stem = [name for name in known if PurePosixPath(name).stem == written]
    return same_stem[0] if len(same_stem) == 1 and written not in known else written

"""From a picture to the generation parameters inside it."""

import base64
import contextlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from webui import diagnosis, files, infotext, infotext_fields, words
from webui.client import LOOKUP_TIMEOUT, WebUIClient
from webui.credentials import Credentials
from webui.errors import InvalidParameterError, WebUIError, WebUINotFoundError
from webui.images import Picture
from webui.server import Server

_PATH = "sdapi/v1/png-info"
# Other programs keep whole workflows in a picture, and Dify takes no message of over 5 MiB.
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
    fields: dict[str, Any]
    items: dict[str, str]


def read(value: object, settings: Credentials) -> Reading:
    """What a Dify file holds, by the server's eyes or, where it has none, by our own.

    Our own read PNG only: InvalidParameterError for another type then. Other failures of the
    server raise only when the file itself does not tell.
    """
    picture = files.read(value, "image")
    with WebUIClient(settings) as client:
        text, items = _inside(picture, client)
        found = infotext.parse(text)
        fields = infotext_fields.of(found)
        _complete_file_names(fields, client)
    named = {"Prompt": found.prompt, "Negative prompt": found.negative_prompt}
    parameters = {name: prompt for name, prompt in named.items() if prompt} | found.parameters
    return Reading(text, parameters, fields, items)


def _inside(picture: Picture, client: WebUIClient) -> tuple[str, dict[str, str]]:
    try:
        answer = _ask(picture, client)
    except WebUINotFoundError:
        if picture.infotext is None and picture.extension != "png":
            raise InvalidParameterError(
                "image: this server has no /sdapi/v1/png-info, and without it only PNG files can "
                f"be read, not {picture.mime_type}. Give a PNG."
            ) from None
    except WebUIError:
        if picture.infotext is None:
            raise
    else:
        return _checked(answer["info"] or picture.infotext), _items(answer.get("items"))
    return _checked(picture.infotext), {}


def _checked(text: str | None) -> str:
    text = _printable(text or "")
    if len(text) > _LONGEST_INFOTEXT:
        raise InvalidParameterError(
            f"image: the text inside has {len(text)} characters. No WebUI writes that many."
        )
    return text


def _ask(picture: Picture, client: WebUIClient) -> dict[str, Any]:
    """`POST /png-info`: {info, items, …}."""
    request = {"image": base64.b64encode(picture.data).decode()}
    with client.generate(_PATH, request, timeout=LOOKUP_TIMEOUT) as response:
        try:
            answer = words.parsed(response)
        except ValueError:
            answer = None
        except diagnosis.Broken as error:
            raise diagnosis.of_exception(error, client.address) from error
        if not isinstance(answer, dict) or not isinstance(answer.get("info"), str):
            raise diagnosis.not_a_webui(response, client.address)
        return answer


def _items(found: object) -> dict[str, str]:
    if not isinstance(found, dict):
        return {}
    told = [(_printable(str(name)), _printable(str(value))) for name, value in found.items()]
    return {
        name[:100]: value if len(value) <= _LONGEST_ITEM else value[:_LONGEST_ITEM] + "…"
        for name, value in told[:_MOST_ITEMS]
    }


def _printable(text: str) -> str:
    """The same without half characters, which cannot be sent."""
    return text.encode(errors="replace").decode()


def _complete_file_names(fields: dict[str, Any], client: WebUIClient) -> None:
    """Some servers write the names of VAEs and modules without their endings, but take them with.

    A server that cannot be asked leaves them as they are; txt2img names what it does not find.
    """
    server = Server(client)
    options = fields.get("override_settings", {})
    with contextlib.suppress(WebUIError):
        if "sd_vae" in options:
            options["sd_vae"] = _whole_name(options["sd_vae"], server.entries("sd-vae"))
        for place, name in (
            (options, "forge_additional_modules"),
            (fields, "hr_additional_modules"),
        ):
            if name in place:
                entries = server.entries("sd-modules")
                place[name] = [_whole_name(module, entries) for module in place[name]]


def _whole_name(written: str, entries: list[dict[str, Any]] | None) -> str:
    known = [str(entry.get("model_name")) for entry in entries or []]
    same_stem = [name for name in known if PurePosixPath(name).stem == written]
    return same_stem[0] if len(same_stem) == 1 and written not in known else written

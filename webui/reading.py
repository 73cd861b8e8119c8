"""From a picture to the generation parameters inside it."""

import base64
from dataclasses import dataclass
from typing import Any

from webui import diagnosis, files, infotext, infotext_fields, words
from webui.client import LOOKUP_TIMEOUT, WebUIClient
from webui.credentials import Credentials
from webui.errors import InvalidParameterError, WebUIError, WebUINotFoundError
from webui.images import Picture

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
    text, items = _inside(picture, settings)
    text = _printable(text)
    if len(text) > _LONGEST_INFOTEXT:
        raise InvalidParameterError(
            f"image: the text inside has {len(text)} characters. No WebUI writes that many."
        )
    found = infotext.parse(text)
    named = {"Prompt": found.prompt, "Negative prompt": found.negative_prompt}
    parameters = {name: prompt for name, prompt in named.items() if prompt} | found.parameters
    return Reading(text, parameters, infotext_fields.of(found), items)


def _inside(picture: Picture, settings: Credentials) -> tuple[str, dict[str, str]]:
    try:
        with WebUIClient(settings) as client:
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
        return answer["info"] or picture.infotext or "", _items(answer.get("items"))
    return picture.infotext or "", {}


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

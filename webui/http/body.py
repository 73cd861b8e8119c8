"""What a server says in a body, whatever its shape."""

from dataclasses import dataclass

import requests

from webui import said
from webui.http.address import Address
from webui.http.remedies import Form
from webui.text import as_sentence


@dataclass(frozen=True)
class Said:
    """A server's own words, whole and as they came: only for looking into. A web page has none."""

    words: str
    form: Form


def parsed(response: requests.Response) -> object:
    """Parse the JSON of a loaded body. ValueError for anything that is none, however hostile."""
    return said.parse(response.content)


def read_words(response: requests.Response) -> Said:
    """Read what a loaded body says."""
    try:
        return Said(words_of(parsed(response)), Form.JSON)
    except ValueError:
        pass
    if is_web_page(response):
        return Said("", Form.PAGE)
    return Said(response.content.decode(errors="replace"), Form.TEXT)


def quoted(words: str, address: Address) -> str:
    """Return a server's words as ": words.", fit to be shown, or "." if there are none."""
    shown = address.secrets.quoted(words)
    return f": {as_sentence(shown)}" if shown.strip(" .,:;") else "."


def words_of(body: object) -> str:
    """Return what a parsed body says in `error`, `detail`, `errors` or `message`, or as bare text.

    Whole and as it came: `quoted` makes it fit to be shown.
    """
    if not isinstance(body, dict):
        return body if isinstance(body, str) else ""
    parts = [body.get("error"), body.get("detail"), body.get("errors"), body.get("message")]
    words = ": ".join(dict.fromkeys(text for part in parts if (text := _flat(part))))
    return words.removeprefix("HTTPException: ")


def is_web_page(response: requests.Response) -> bool:
    """Tell whether the body is HTML, by what it says it is or by how it begins."""
    kind = response.headers.get("Content-Type", "")
    return "html" in kind or response.content[:100].lstrip().lower().startswith(
        (b"<html", b"<!doctype")
    )


def _flat(part: object) -> str:
    """Return a `detail` is text, or pydantic's list of {loc, msg}, told as "field: reason"."""
    if isinstance(part, str):
        return part.strip()
    if isinstance(part, list):
        return "; ".join(text for item in part if (text := _flat(item)))
    if not isinstance(part, dict):
        return ""
    if "msg" not in part:
        return words_of(part)
    steps = part.get("loc")
    steps = steps if isinstance(steps, list) else []
    field = ".".join(str(step) for step in steps if step != "body")
    return f"{field}: {part['msg']}" if field else str(part["msg"])

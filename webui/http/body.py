"""What a server says in a body, whatever its shape."""

import base64

import requests

from webui import said
from webui.http.address import Address
from webui.text import shortened

_LONGEST = 300


def parsed(response: requests.Response) -> object:
    """Parse the JSON of a loaded body. ValueError for anything that is none, however hostile."""
    return said.parse(response.content)


def quoted_words(response: requests.Response, address: Address) -> str:
    """Return the server's own words as ": words." or "."; a login that it echoes is blanked."""
    try:
        body = parsed(response)
    except ValueError:
        body = "" if is_web_page(response) else response.text
    words = words_of(body)
    pair = f"{address.username}:{address.password}".encode()
    for secret in (address.password, base64.b64encode(pair).decode() if address.password else ""):
        words = words.replace(secret, "***") if secret else words
    return f": {words.rstrip('.')}." if words else "."


def words_of(body: object) -> str:
    """Return what a parsed body says in `error`, `detail`, `errors` or `message`, or as bare text.

    At most 300 characters, line breaks folded.
    """
    words = body if isinstance(body, str) else ""
    if isinstance(body, dict):
        parts = [body.get("error"), body.get("detail"), body.get("errors"), body.get("message")]
        words = ": ".join(dict.fromkeys(text for part in parts if (text := _flat(part))))
        words = words.removeprefix("HTTPException: ")
    words = " ".join(words.split())
    return shortened(words, _LONGEST)


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

"""A server's lists in one form: items that are the same on every family, each with a name.

Only what a person chooses by is kept of an entry. A LoRA's metadata, for one, may have megabytes.
"""

import json
import re
from collections.abc import Callable

from webui import said
from webui.http.client import WebUIClient
from webui.http.endpoints import Endpoint
from webui.server.control import is_none, read_types
from webui.server.names import titles_of
from webui.server.server import Server
from webui.text import shortened
from webui.values import Fields

type Items = list[Fields]
type Reader = Callable[[Server, WebUIClient], Items | None]

_LONGEST_VALUE = 500
_SECRET = re.compile(r"passw|token|secret|api.?key", re.IGNORECASE)


def read_listing(name: str, server: Server, client: WebUIClient) -> Items | None:
    """Return the items of a list, in the server's order; None if it does not offer it.

    name: a key of READERS. The server is asked to look at its folders again.
    """
    found = READERS[name](server, client)
    return None if found is None else [item for item in found if item["name"]]


def _models(server: Server, _client: WebUIClient) -> Items | None:
    entries = server.entries(Endpoint.SD_MODELS, afresh=True)
    if entries is None:
        return None
    return [
        {
            "name": next(iter(titles_of([entry])), ""),
            "hash": entry.get("hash") if server.family.hashes_models else None,
        }
        for entry in entries
    ]


def _vaes(server: Server, _client: WebUIClient) -> Items | None:
    """Return where VAEs are loaded as modules, text encoders are listed among them."""
    entries = server.entries(Endpoint.SD_MODULES, afresh=True)
    if entries is None:
        entries = server.entries(Endpoint.SD_VAE, afresh=True)
    return None if entries is None else [{"name": e.get("model_name", "")} for e in entries]


def _schedulers(server: Server, _client: WebUIClient) -> Items | None:
    """Named by the label, which is what people see; the servers' own name counts as well."""
    entries = server.entries(Endpoint.SCHEDULERS, afresh=True)
    if entries is None:
        return None
    return [
        {"name": e.get("label") or e.get("name", ""), "also": e.get("name", "")} for e in entries
    ]


def _embeddings(_server: Server, client: WebUIClient) -> Items | None:
    """Return those that fit the loaded model: others cannot be used until it changes."""
    loaded = said.an_object(client.embeddings()).get("loaded")
    if not isinstance(loaded, dict | list):
        return None
    return [{"name": name} for name in said.texts(list(loaded))]


def _scripts(server: Server, _client: WebUIClient) -> Items | None:
    """Return each script once for every set of arguments it has."""
    entries = server.entries(Endpoint.SCRIPT_INFO, afresh=True)
    if entries is None:
        return None
    found: dict[str, Fields] = {}
    for entry in entries:
        script = {
            "name": entry.get("name", ""),
            "always_on": entry.get("is_alwayson", False),
            "for": [],
            "arguments": [_argument(one) for one in said.objects(entry.get("args"))],
        }
        endpoint = "img2img" if entry.get("is_img2img") else "txt2img"
        uses = found.setdefault(json.dumps(script, sort_keys=True), script)["for"]
        if endpoint not in uses:
            uses.append(endpoint)
    return list(found.values())


def _argument(one: Fields) -> Fields:
    """{label, value and, where they are set, minimum, maximum, step, choices}."""
    label, value = said.text(one.get("label")), one.get("value")
    if isinstance(value, str) and _SECRET.search(label):
        # Extensions keep keys in text boxes, whose content is the value.
        value = ""
    limits = ("minimum", "maximum", "step", "choices")
    rest = {name: one[name] for name in limits if one.get(name) is not None}
    return {"label": label, "value": _short(value), **rest}


def _short(value: object) -> object:
    """Return the value, or only the beginning of a long one, such as a picture in base64."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return value if len(text) <= _LONGEST_VALUE else shortened(text, _LONGEST_VALUE)


def _fields(server: Server, _client: WebUIClient) -> Items | None:
    fields = server.profile.fields
    return None if fields is None else [{"name": field} for field in sorted(fields)]


def _plain(listing: Endpoint, *columns: str) -> Reader:
    """Return a list whose entries already look as they should, but for what is left out."""

    def reader(server: Server, _client: WebUIClient) -> Items | None:
        entries = server.entries(listing, afresh=True)
        if entries is None:
            return None
        return [
            {"name": entry.get("name", ""), **{key: entry.get(key) for key in columns}}
            for entry in entries
        ]

    return reader


def _control_types(server: Server, _client: WebUIClient) -> Items | None:
    """Return what each takes unless it is told otherwise."""
    types = read_types(server, afresh=True)
    if types is None:
        return None
    return [
        {"name": one.name, "preprocessor": one.preprocessor, "model": one.model} for one in types
    ]


def _control_names(server: Server, listing: Endpoint) -> Items | None:
    names = server.controlnet(listing)(True)
    return None if names is None else [{"name": name} for name in names if not is_none(name)]


def _control_models(server: Server, _client: WebUIClient) -> Items | None:
    control = server.family.control
    return _control_names(server, control.models) if control else None


def _control_preprocessors(server: Server, _client: WebUIClient) -> Items | None:
    control = server.family.control
    return _control_names(server, control.preprocessors) if control else None


READERS: dict[str, Reader] = {
    "models": _models,
    "samplers": _plain(Endpoint.SAMPLERS, "aliases"),
    "schedulers": _schedulers,
    "upscalers": _plain(Endpoint.UPSCALERS, "scale"),
    "vaes": _vaes,
    "loras": _plain(Endpoint.LORAS, "alias"),
    "embeddings": _embeddings,
    "styles": _plain(Endpoint.PROMPT_STYLES, "prompt", "negative_prompt"),
    "scripts": _scripts,
    "fields": _fields,
    "control_types": _control_types,
    "control_models": _control_models,
    "control_preprocessors": _control_preprocessors,
}

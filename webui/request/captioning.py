"""Requests to put pictures into words, each a job of its own, from one tool's values."""

import re
from dataclasses import dataclass

from webui import said
from webui.errors import InvalidParameterError
from webui.http.endpoints import Endpoint
from webui.pictures.picture import Picture
from webui.request.request import Request
from webui.server.families import Captioner
from webui.server.server import Server
from webui.values import Fields

DEFAULT = "default"
_DEFAULT_TYPE = "caption_default_type"
# What servers answer as if it were a caption: see `families`.
_FAILURE = re.compile(r"<error>\Z|\ACLIP error: .*|\A(?:error|unknown model)\Z", re.DOTALL)


@dataclass(frozen=True)
class Captioning:
    """What is the same for every picture. method: the form's choice, or what the server's is."""

    method: str
    endpoint: Endpoint
    fields: Fields
    warnings: list[str]

    def request_for(self, picture: Picture) -> Request:
        return Request(self.endpoint, {**self.fields, "image": picture.base64()})


def build_captioning(asked: Fields, server: Server) -> Captioning:
    """From the tool's values; what is not chosen is as in the server's own settings.

    InvalidParameterError for a method or a model that the server lacks, WebUINotFoundError for a
    server that has no words for pictures at all.
    """
    ways, method = server.family.captioners, _method(asked, server)
    captioner = ways.get(method) or next(iter(ways.values()))
    server.require(
        captioner.endpoint,
        "describe pictures",
        "Use AUTOMATIC1111, Forge, reForge or SD.Next, or a language model that sees.",
    )
    if method not in ways:
        raise InvalidParameterError(
            f"caption_method: {server.family.label} has no {method}, but {', '.join(ways)}."
        )
    fields: Fields = dict(captioner.fields)
    if captioner.options:
        options = server.options() or {}
        set_there = {name: options.get(option) for name, option in captioner.options.items()}
        known = said.typed(set_there, dict.fromkeys(set_there, str | int | float))
        fields |= {name: value for name, value in known.items() if value != ""}
    if model := asked.get("caption_model"):
        fields |= dict.fromkeys(captioner.named, _named(model, captioner, server))
    if question := asked.get("caption_question"):
        fields |= {captioner.question: question} if captioner.question else {}
    idle = {
        "caption_model": bool(model) and not captioner.named,
        "caption_question": bool(question) and not captioner.question,
    }
    warnings = [
        f"{name} has no effect: {server.family.label} has none with {method}."
        for name, is_idle in idle.items()
        if is_idle
    ]
    return Captioning(method, captioner.endpoint, fields, warnings + server.unchecked())


def split_failure(text: str) -> tuple[str, str]:
    """Return a caption without what the server put there of a failure, and that."""
    text = text.strip()
    found = _FAILURE.search(text)
    return (text[: found.start()], found[0].strip("<>")) if found else (text, "")


def _method(asked: Fields, server: Server) -> str:
    """Return the choice; without one what takes a question, if there is one, or the server's."""
    ways, kinds = server.family.captioners, server.family.default_captioner
    if asked["caption_method"] != DEFAULT:
        return str(asked["caption_method"])
    if asked.get("caption_question"):
        return next((name for name, one in ways.items() if one.question), next(iter(ways)))
    kind = (server.options() or {}).get(_DEFAULT_TYPE) if kinds else None
    return kinds.get(str(kind), next(iter(ways)))


def _named(model: str, captioner: Captioner, server: Server) -> str:
    if captioner.models is None:
        return model
    offered = server.named(captioner.models, "name")
    return server.find(model, "caption_model", "caption model", offered)

"""LoRAs as people list them, as the tags a prompt carries, and where the server looks for them."""

import re
from dataclasses import dataclass

from webui import values
from webui.errors import InvalidParameterError
from webui.http.endpoints import Endpoint
from webui.request.request import Request
from webui.server.names import suggest_names
from webui.server.server import Server
from webui.text import shortened

_PROMPTS = ("prompt", "hr_prompt")
_TAG = re.compile(r"<lora:([^<>:]+)((?::[^<>:]*)*)>")
_WEIGHT = re.compile(r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)", re.ASCII)
# More than anybody applies, and few enough to look each up.
_MOST = 200
_MOST_WARNINGS = 10
_LONGEST_QUOTE = 60


@dataclass(frozen=True)
class Lora:
    """A LoRA to apply. weights: as written after the name, ":0.7" or ":0.7:0.5"."""

    name: str
    weights: str

    @property
    def tag(self) -> str:
        """What applies it from inside a prompt."""
        return f"<lora:{self.name}{self.weights}>"

    @property
    def multiplier(self) -> float:
        """The first weight as a number; ready tags may hold words there, which count as 1."""
        try:
            return float(self.weights.split(":")[1])
        except (ValueError, IndexError):
            return 1.0


def listed_loras(text: str) -> list[Lora]:
    """Return the LoRAs of "name:weight, name" or of ready tags; a weight left out is 1.

    InvalidParameterError for what is neither.
    """
    found = tagged_loras(text)
    entries = re.split(r"[,，\n]", _TAG.sub(",", text))
    found += [_listed(entry.strip()) for entry in entries if entry.strip()]
    if len(found) > _MOST:
        raise InvalidParameterError(f"lora: {len(found)} are named, and {_MOST} at the most apply.")
    return found


def _listed(entry: str) -> Lora:
    """Return the LoRA of "name:weight"; by parts, as one pattern would take quadratic time."""
    name, *weights = (part.strip() for part in values.folded(entry).split(":"))
    if not name or {"<", ">"} & set(name) or not all(map(_WEIGHT.fullmatch, weights)):
        raise InvalidParameterError(
            f"lora: {shortened(entry, _LONGEST_QUOTE)!r} is neither name:weight nor "
            "<lora:name:weight>. Write for example: detail_tweaker:0.7, film_grain."
        )
    return Lora(name, "".join(f":{weight}" for weight in weights) or ":1")


def tagged_loras(prompt: str) -> list[Lora]:
    """Return the LoRAs that a prompt's own tags name."""
    return [Lora(match[1].strip(), match[2]) for match in _TAG.finditer(prompt)]


def apply_loras(loras: list[Lora], request: Request, server: Server) -> None:
    """Add LoRAs to the request, under the server's own names.

    They become tags in the prompt, and in the second pass's prompt where it has its own, or stand
    beside it, by path. InvalidParameterError for one that the server does not have.
    """
    found = [
        Lora(server.lora_as_sent(server.find(one.name, "lora", "LoRA", server.loras)), one.weights)
        for one in loras
    ]
    if not found:
        return
    if server.family.lora_by_path:
        entries = server.entries(Endpoint.LORAS) or []
        paths = {entry.get("name"): entry.get("path") for entry in entries}
        request.fields["lora"] = [
            {"path": paths.get(one.name) or one.name, "multiplier": one.multiplier} for one in found
        ]
        return
    for field in _PROMPTS:
        if request.fields.get(field):
            request.fields[field] = " ".join([request.fields[field], *(one.tag for one in found)])


def warn_of_tags(request: Request, server: Server) -> list[str]:
    """Return what tags that stand in the prompts themselves will not do.

    Only a warning, not a refusal: wildcards and templates inside a tag are the server's to resolve.
    """
    prompts = [str(request.fields.get(field, "")) for field in _PROMPTS]
    tagged = [one for prompt in prompts for one in tagged_loras(prompt)]
    if not tagged:
        return []
    if server.family.lora_by_path:
        return [
            f"{server.family.label} does not read the <lora:…> tags of the prompt. "
            "Use lora instead."
        ]
    if request.fields.get("disable_extra_networks"):
        return ["No LoRA is applied, as disable_extra_networks is on."]
    listed = server.loras(afresh=False)
    if listed is None:
        return []
    names = [name for name in listed if server.lora_as_sent(name) == name]
    known = set(names)
    idle = [one for one in dict.fromkeys(tagged) if one.name not in known]
    told = [
        f"The prompt's {one.tag} does nothing: the server has no LoRA of that name. "
        + suggest_names(one.name, names)
        for one in idle[:_MOST_WARNINGS]
    ]
    if len(idle) > _MOST_WARNINGS:
        told.append(f"Nor do {len(idle) - _MOST_WARNINGS} more of the prompt's <lora:…> tags.")
    return told

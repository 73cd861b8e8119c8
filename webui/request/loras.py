"""LoRAs as people list them, as the tags a prompt carries, and where the server looks for them."""

import re
from dataclasses import dataclass

from webui import values
from webui.errors import InvalidParameterError
from webui.http.endpoints import Endpoint
from webui.request.request import Request
from webui.server.names import suggest_names
from webui.server.server import Server

_PROMPTS = ("prompt", "hr_prompt")
_TAG = re.compile(r"<lora:([^<>:]+)((?::[^<>:]*)*)>")
_ENTRY = re.compile(r"(?P<name>[^<>:]+?)\s*(?P<weights>(:\s*[+-]?(\d+\.?\d*|\.\d+)\s*)*)", re.ASCII)


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
    for entry in re.split(r"[,，\n]", _TAG.sub(",", text)):
        if not entry.strip():
            continue
        parts = _ENTRY.fullmatch(values.folded(entry))
        if parts is None:
            raise InvalidParameterError(
                f"lora: {entry.strip()!r} is neither name:weight nor <lora:name:weight>. "
                "Write for example: detail_tweaker:0.7, film_grain."
            )
        found.append(Lora(parts["name"], re.sub(r"\s", "", parts["weights"]) or ":1"))
    return found


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
    listed = [name for name in listed if server.lora_as_sent(name) == name]
    return [
        f"The prompt's {one.tag} does nothing: the server has no LoRA of that name. "
        + suggest_names(one.name, listed)
        for one in dict.fromkeys(tagged)
        if one.name not in listed
    ]

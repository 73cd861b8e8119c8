"""LoRAs, put where the server looks for them."""

from typing import Any

from webui import lora, names
from webui.families import SDCPP
from webui.lora import Lora
from webui.server import Server

_PROMPTS = ("prompt", "hr_prompt")


def apply(loras: list[Lora], body: dict[str, Any], server: Server) -> None:
    """Add LoRAs to the request, under the server's own names.

    They become tags in the prompt, and in the second pass's prompt where it has its own;
    stable-diffusion.cpp reads no tags and takes paths beside it. InvalidParameterError for one that
    the server does not have.
    """
    found = [_known(one, server) for one in loras]
    if server.profile.family is SDCPP:
        paths = {str(e.get("name")): e.get("path") for e in server.entries("loras") or []}
        body["lora"] = [
            {"path": paths.get(one.name, one.name), "multiplier": one.multiplier} for one in found
        ]
        return
    for field in _PROMPTS:
        if body.get(field):
            body[field] = " ".join([body[field], *(one.tag for one in found)])


def warnings(body: dict[str, Any], server: Server) -> list[str]:
    """What tags that stand in the prompts themselves will not do.

    Only a warning, not a refusal: wildcards and templates inside a tag are the server's to resolve.
    """
    tagged = [one for field in _PROMPTS for one in lora.inside(str(body.get(field, "")))]
    if not tagged:
        return []
    if server.profile.family is SDCPP:
        return [
            "stable-diffusion.cpp does not read the <lora:…> tags of the prompt. Use lora instead."
        ]
    if body.get("disable_extra_networks"):
        return ["No LoRA is applied, as disable_extra_networks is on."]
    listed = _names(server, afresh=False)
    if listed is None:
        return []
    return [
        f"The prompt's {one.tag} does nothing: the server has no LoRA of that name. "
        + names.suggestion(one.name, listed)
        for one in dict.fromkeys(tagged)
        if one.name not in listed
    ]


def _known(one: Lora, server: Server) -> Lora:
    name = server.find(one.name, "lora", "LoRA", lambda afresh: _names(server, afresh=afresh))
    return Lora(name, one.weights)


def _names(server: Server, *, afresh: bool) -> list[str] | None:
    """File names and, after them, the aliases inside the files, which count as well."""
    entries = server.entries("loras", afresh=afresh)
    if entries is None:
        return None
    return [str(entry[key]) for key in ("name", "alias") for entry in entries if entry.get(key)]

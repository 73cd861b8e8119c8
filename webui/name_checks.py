"""The names in a request, checked against the server's lists and put in its own spelling.

Servers draw with something else when they do not know a name. Only names that are set cost a look
at a list; a list that the server does not offer means no check.
"""

from collections.abc import Callable
from typing import Any

from webui import models, samplers
from webui.families import SDCPP, SDNEXT
from webui.server import Server

Body = dict[str, Any]

_NO_CHECKPOINT = {"none", "use same checkpoint"}
_VAE_WORDS = ["Automatic", "None"]


def check(body: Body, server: Server) -> None:
    """Check and respell in place. InvalidParameterError names what the server does not have."""
    samplers.check(body, server)
    _upscaler(body, server)
    _checkpoints(body, server)
    _vae(body, server)
    _styles(body, server)
    _scripts(body, server)


def _named(server: Server, listing: str, *keys: str) -> Callable[[bool], list[str] | None]:
    """What `Server.find` asks for: the values of some keys of a list's entries."""

    def offered(afresh: bool) -> list[str] | None:
        entries = server.entries(listing, afresh=afresh)
        if entries is None:
            return None
        return [str(entry[key]) for entry in entries for key in keys if entry.get(key)]

    return offered


def _upscaler(body: Body, server: Server) -> None:
    if "hr_upscaler" not in body:
        return
    upscalers = _named(server, "upscalers", "name")
    latent = _named(server, "latent-upscale-modes", "name")

    def offered(afresh: bool) -> list[str] | None:
        listed = upscalers(afresh)
        return None if listed is None else [*(latent(afresh) or []), *listed]

    body["hr_upscaler"] = server.find(body["hr_upscaler"], "hr_upscaler", "upscaler", offered)


def _checkpoints(body: Body, server: Server) -> None:
    for field in ("refiner_checkpoint", "hr_checkpoint_name"):
        wanted = str(body.get(field, "")).strip()
        if wanted and wanted.lower() not in _NO_CHECKPOINT:
            body[field] = server.checkpoint(wanted, field)
    overrides = body.get("override_settings", {})
    wanted = overrides.get("sd_model_checkpoint")
    if not wanted:
        return
    found = server.checkpoint(wanted, "model")
    if server.profile.family is SDCPP or _costs_a_reload(found, server):
        del overrides["sd_model_checkpoint"]
    else:
        overrides["sd_model_checkpoint"] = found
    if not overrides:
        del body["override_settings"]


def _costs_a_reload(model: str, server: Server) -> bool:
    """Whether naming this model, though it is loaded, makes the server load it again."""
    if server.profile.family is not SDNEXT:
        return False
    loaded = server.loaded_model()
    entries = server.entries("sd-models") or []
    same = [entry for entry in entries if model in models.spellings(entry)]
    return loaded is not None and any(loaded in models.spellings(entry) for entry in same)


def _vae(body: Body, server: Server) -> None:
    overrides = body.get("override_settings", {})
    vae = overrides.get("sd_vae")
    if isinstance(vae, str):
        listed = _named(server, "sd-vae", "model_name")

        def offered(afresh: bool) -> list[str] | None:
            found = listed(afresh)
            return None if found is None else [*_VAE_WORDS, *found]

        overrides["sd_vae"] = server.find(vae, "vae", "VAE", offered)
    modules = overrides.get("forge_additional_modules")
    if isinstance(modules, list):
        known = _named(server, "sd-modules", "model_name")
        overrides["forge_additional_modules"] = [
            server.find(str(module), "vae", "module", known) for module in modules
        ]


def _styles(body: Body, server: Server) -> None:
    if body.get("styles"):
        offered = _named(server, "prompt-styles", "name")
        body["styles"] = [
            server.find(str(style), "styles", "style", offered) for style in body["styles"]
        ]


def _scripts(body: Body, server: Server) -> None:
    def offered(afresh: bool) -> list[str] | None:
        return server.scripts(afresh=afresh)

    if body.get("script_name") and str(body["script_name"]).lower() != "none":
        server.find(str(body["script_name"]), "script_name", "script", offered)
    for script in body.get("alwayson_scripts", {}):
        server.find(str(script), "alwayson_scripts", "script", offered)

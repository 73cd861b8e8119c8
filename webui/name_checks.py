"""The names in a request, checked against the server's lists and put in its own spelling.

Servers draw with something else when they do not know a name. Only names that are set cost a look
at a list; a list that the server does not offer means no check.
"""

from collections.abc import Callable
from typing import Any

from webui import names, samplers
from webui.errors import InvalidParameterError
from webui.families import SDCPP
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
    _options(body, server)
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
    if "hr_upscaler" not in body or not server.profile.reads("hr_upscaler"):
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
        if wanted and server.profile.reads(field) and wanted.lower() not in _NO_CHECKPOINT:
            body[field] = server.checkpoint(wanted, field)
    overrides = body.get("override_settings", {})
    wanted = overrides.get("sd_model_checkpoint")
    if not wanted:
        return
    found = server.checkpoint(wanted, "model")
    if server.profile.family is SDCPP:
        # It draws with the one it was started with, which is this.
        del overrides["sd_model_checkpoint"]
    else:
        overrides["sd_model_checkpoint"] = found
    if not overrides:
        del body["override_settings"]


def _options(body: Body, server: Server) -> None:
    """Option names: one that does not exist is an error 500 or, on SD.Next, not heeded."""
    if not body.get("override_settings") or not server.profile.reads("override_settings"):
        return
    known = server.option_names() or []
    for option in body["override_settings"]:
        if known and option not in known:
            raise server.missing(option, "override_settings", "option", known)


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
    if body.get("styles") and server.profile.reads("styles"):
        offered = _named(server, "prompt-styles", "name")
        body["styles"] = [
            server.find(str(style), "styles", "style", offered) for style in body["styles"]
        ]


def _scripts(body: Body, server: Server) -> None:
    """Selectable scripts go in script_name, always-on ones in alwayson_scripts."""
    name = str(body.get("script_name") or "None")
    if name.lower() != "none" and server.profile.reads("script_name"):
        always_on = _named_scripts(server, always_on=True)(False)
        if server.entries("script-info") is not None and names.match(name, always_on or []):
            raise InvalidParameterError(
                f"script_name: {name!r} is an always-on script. Give it in alwayson_scripts."
            )
        selectable = _named_scripts(server, always_on=False)
        server.find(name, "script_name", "selectable script", selectable)
    if server.profile.reads("alwayson_scripts"):
        offered = _named_scripts(server, always_on=True)
        for script in body.get("alwayson_scripts", {}):
            server.find(str(script), "alwayson_scripts", "always-on script", offered)


def _named_scripts(server: Server, *, always_on: bool) -> Callable[[bool], list[str] | None]:
    def offered(afresh: bool) -> list[str] | None:
        entries = server.entries("script-info", afresh=afresh)
        if entries is None:
            return server.scripts(afresh=afresh)
        return [str(e.get("name")) for e in entries if bool(e.get("is_alwayson")) is always_on]

    return offered

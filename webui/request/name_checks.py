"""The names in a request, checked against the server's lists and put in its own spelling.

Servers draw with something else when they do not know a name. Only names that are set cost a look
at a list; a list that the server does not offer means no check.
"""

from webui.errors import InvalidParameterError
from webui.http.endpoints import Endpoint
from webui.request.detailer import check_detailer
from webui.request.request import Request
from webui.request.samplers import check_samplers
from webui.server.names import match_hashed, match_name
from webui.server.server import Server
from webui.values import Json

_NO_CHECKPOINT = {"none", "use same checkpoint"}
_VAE_WORDS = ["Automatic", "None"]
# What a ControlNet unit names, where it is listed, and how it is compared.
_OF_A_UNIT = (
    ("model", Endpoint.CONTROLNET_MODELS, match_hashed),
    ("module", Endpoint.CONTROLNET_MODULES, match_name),
)


def check_names(request: Request, server: Server) -> None:
    """Check and respell in place. InvalidParameterError names what the server does not have."""
    check_samplers(request, server)
    _check_upscaler(request, server)
    _check_checkpoints(request, server)
    _check_vae(request, server)
    _check_options(request, server)
    _check_styles(request, server)
    _check_scripts(request, server)
    _check_controlnet(request, server)
    check_detailer(request, server)


def _check_upscaler(request: Request, server: Server) -> None:
    if "hr_upscaler" not in request.fields or not server.reads("hr_upscaler"):
        return
    upscalers = server.named(Endpoint.UPSCALERS, "name")
    latent = server.named(Endpoint.LATENT_UPSCALE_MODES, "name")

    def offered(afresh: bool) -> list[str] | None:
        listed = upscalers(afresh)
        return None if listed is None else [*(latent(afresh) or []), *listed]

    wanted = request.fields["hr_upscaler"]
    request.fields["hr_upscaler"] = server.find(wanted, "hr_upscaler", "upscaler", offered)


def _check_checkpoints(request: Request, server: Server) -> None:
    fields = request.fields
    for name in ("refiner_checkpoint", "hr_checkpoint_name"):
        wanted = str(fields.get(name, "")).strip()
        if wanted and server.reads(name) and wanted.lower() not in _NO_CHECKPOINT:
            fields[name] = server.checkpoint(wanted, name)
    overrides = fields.get("override_settings", {})
    wanted = overrides.get("sd_model_checkpoint")
    if not wanted:
        return
    found = server.checkpoint(wanted, "model")
    if server.family.model_is_fixed:
        del overrides["sd_model_checkpoint"]  # It is this one.
    else:
        overrides["sd_model_checkpoint"] = found
    if not overrides:
        del fields["override_settings"]


def _check_options(request: Request, server: Server) -> None:
    """Options by name and type.

    One that does not exist is an error 500 or, on SD.Next, not heeded. A value of another type can
    break every later job of everybody, until somebody sets the option right.
    """
    if not request.overrides or not server.reads("override_settings"):
        return
    known = server.options() or {}
    for option, value in request.overrides.items():
        if not known:
            return
        if option not in known:
            raise server.missing(option, "override_settings", "option", list(known))
        wanted = _kind(known[option])
        if wanted and _kind(value) not in {wanted, ""}:
            raise InvalidParameterError(
                f"override_settings: {option} is {wanted} on this server, not {value!r}."
            )


def _kind(value: Json) -> str:
    """Return the type of an option's value in words, "" where it tells none."""
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return ""


def _check_vae(request: Request, server: Server) -> None:
    overrides = request.fields.get("override_settings", {})
    vae = overrides.get("sd_vae")
    if isinstance(vae, str):
        listed = server.named(Endpoint.SD_VAE, "model_name")

        def offered(afresh: bool) -> list[str] | None:
            found = listed(afresh)
            return None if found is None else [*_VAE_WORDS, *found]

        overrides["sd_vae"] = server.find(vae, "vae", "VAE", offered)
    modules = overrides.get("forge_additional_modules")
    if isinstance(modules, list):
        known = server.named(Endpoint.SD_MODULES, "model_name")
        overrides["forge_additional_modules"] = [
            server.find(str(module), "vae", "module", known) for module in modules
        ]


def _check_styles(request: Request, server: Server) -> None:
    styles = request.fields.get("styles")
    if styles and server.reads("styles"):
        offered = server.named(Endpoint.PROMPT_STYLES, "name")
        request.fields["styles"] = [
            server.find(str(style), "styles", "style", offered) for style in styles
        ]


def _check_scripts(request: Request, server: Server) -> None:
    """Find selectable scripts in script_name, always-on ones in alwayson_scripts."""
    name = str(request.fields.get("script_name") or "None")
    always_on = server.scripts(always_on=True)
    if name.lower() != "none" and server.reads("script_name"):
        tells_apart = server.entries(Endpoint.SCRIPT_INFO) is not None
        if tells_apart and match_name(name, always_on(False) or []):
            raise InvalidParameterError(
                f"script_name: {name!r} is an always-on script. Give it in alwayson_scripts."
            )
        offered = server.scripts(always_on=False)
        request.fields["script_name"] = server.find(
            name, "script_name", "selectable script", offered
        )
    if server.reads("alwayson_scripts"):
        for script, given in request.fields.get("alwayson_scripts", {}).items():
            if script.strip().lower() == "refiner":
                raise InvalidParameterError(
                    "alwayson_scripts: servers ignore 'refiner' there. Use refiner_checkpoint and "
                    "refiner_switch_at."
                )
            server.find(str(script), "alwayson_scripts", "always-on script", always_on)
            if not isinstance(given, dict):
                raise InvalidParameterError(
                    f"alwayson_scripts: servers ignore {script!r} unless its value is an object "
                    'such as {"args": […]}.'
                )


def _check_controlnet(request: Request, server: Server) -> None:
    """Find the models and modules of units: an unknown one leaves its unit out, in silence."""
    if not server.reads("alwayson_scripts"):
        return
    _refuse_surplus_units(request, server)
    for unit in request.controlnet_units:
        for key, listing, match in _OF_A_UNIT:
            wanted = unit.get(key)
            if not isinstance(wanted, str) or not wanted.strip():
                continue
            noun, offered = f"ControlNet {key}", server.controlnet(listing)
            if wanted.strip().lower() == "none":
                # The extension lists "none", Forge "None", and each knows its own alone.
                unit[key] = match(wanted, offered(False) or []) or wanted
            else:
                unit[key] = server.find(wanted, "alwayson_scripts", noun, offered, match)


def _refuse_surplus_units(request: Request, server: Server) -> None:
    """Refuse more units than the extension has places for: servers leave the rest out, too."""
    slots = request.controlnet_slots
    if slots < 2:
        return
    for entry in server.entries(Endpoint.SCRIPT_INFO) or []:
        is_it = str(entry.get("name")).casefold() == "controlnet"
        places = len(entry.get("args") or [])
        if is_it and entry.get("is_img2img") is request.redraws and slots > places:
            raise InvalidParameterError(
                f"alwayson_scripts: ControlNet has {places} units on this server, not {slots}. "
                "Raise their number in the WebUI's settings, under ControlNet."
            )

"""ADetailer: faces, hands and whatever else is found in a finished picture and drawn again.

On AUTOMATIC1111's line it is the extension Bing-su/adetailer, an always-on script. Its arguments
are two booleans, whether it is on and whether img2img itself is skipped, and an object for each
model. An object with a wrong key or value is left out, one with an unknown model comes to nothing
behind the picture, and what is beyond the script's tabs is cut off by the server: without a word.
SD.Next has fields of its own, where one prompt serves all models, its lines one after the other
whatever is found; if its option `detailer_args` names models, the request's do not count.

Source: `scripts/!adetailer.py` and `adetailer/args.py` of Bing-su/adetailer at 36189cbe (25.3.0),
`init_script_args` of the WebUIs' `modules/api/api.py`, `modules/detailer` of SD.Next at 058a7f0c.
"""

from webui.errors import InvalidParameterError
from webui.http.endpoints import Endpoint
from webui.request.request import ADETAILER, Request
from webui.server.names import match_file, match_name
from webui.server.server import Server
from webui.values import Fields, Json

# Of numbers, what SD.Next calls them.
_NUMBERS = {"ad_confidence": "detailer_conf", "ad_denoising_strength": "detailer_strength"}
DETAILER_FIELDS = ("ad_model", "ad_prompt", *_NUMBERS)
# The tabs of the script begin behind two switches.
_SWITCHES = [True, False]


def apply_detailer(asked: Fields, request: Request, server: Server) -> list[str]:
    """Put what is to be found and drawn again where the server reads it; sentences on what is idle.

    InvalidParameterError where the extension is missing, or contradicted by what stands there.
    """
    given = [name for name in DETAILER_FIELDS if asked.get(name) not in (None, "", [])]
    if server.family.ignores("ad_model"):
        return [f"{one} has no effect: {server.family.label} does not know it." for one in given]
    if "ad_model" not in given:
        return [f"{name} has no effect without ad_model." for name in given]
    if server.family.detailer_is_field:
        _fill_fields(asked, request, server)
    else:
        _fill_script(asked, request, server)
    return []


def check_detailer(request: Request, server: Server) -> None:
    """Find the models that stand in alwayson_scripts."""
    for unit in request.adetailer_units:
        if server.reads("alwayson_scripts") and isinstance(wanted := unit.get("ad_model"), str):
            unit["ad_model"] = _found(wanted, "alwayson_scripts", server)


def _found(wanted: str, parameter: str, server: Server) -> str:
    own = server.named(Endpoint.DETAILERS, "name")
    offered = own if server.family.detailer_is_field else server.adetailer_models
    return server.find(wanted, parameter, "detection model", offered, match_file)


def _prompts(asked: Fields, count: int) -> list[str]:
    """Return a prompt for each model; "" is the picture's own."""
    lines = [line.strip() for line in str(asked.get("ad_prompt", "")).split("\n")]
    while len(lines) > count and not lines[-1]:
        lines.pop()
    if len(lines) == 1:
        lines *= count
    if len(lines) != count:
        raise InvalidParameterError(
            f"ad_prompt: it has {len(lines)} lines, and ad_model names {count}. Give one line for "
            "all models, or a line for each; an empty one stands for the picture's own prompt."
        )
    return lines


def _fill_fields(asked: Fields, request: Request, server: Server) -> None:
    if not server.reads("detailer_models"):
        raise InvalidParameterError(
            f"ad_model: this {server.family.label} takes no detection models. Update it."
        )
    models = [_found(name, "ad_model", server) for name in asked["ad_model"]]
    prompts = set(_prompts(asked, len(models)))
    prompt = prompts.pop()
    if prompts or "[SEP]" in prompt:
        raise InvalidParameterError(
            f"ad_prompt: {server.family.label} takes one prompt for all that is found. "
            "Give one line, without [SEP]."
        )
    wanted = {"detailer_enabled": True, "detailer_models": models}
    wanted |= {"detailer_prompt": prompt} if prompt else {}
    wanted |= {own: asked[name] for name, own in _NUMBERS.items() if name in asked}
    for name, value in wanted.items():
        if request.fields.get(name, value) != value:
            raise InvalidParameterError(
                f"ad_model: extra_parameters contradict it, where {name} is "
                f"{request.fields[name]!r}. Give it in one place."
            )
    request.fields |= wanted
    if (server.options() or {}).get("detailer_args"):
        request.fields["override_settings"] = {**request.overrides, "detailer_args": ""}


def _fill_script(asked: Fields, request: Request, server: Server) -> None:
    _refuse_missing(server)
    models = [_found(name, "ad_model", server) for name in asked["ad_model"]]
    numbers = {name: asked[name] for name in _NUMBERS if name in asked}
    units = [
        {"ad_model": model, **({"ad_prompt": prompt} if prompt else {}), **numbers}
        for model, prompt in zip(models, _prompts(asked, len(models)), strict=True)
    ]
    scripts = dict(request.fields.get("alwayson_scripts") or {})
    title = next((one for one in scripts if one.strip().lower() == ADETAILER.lower()), ADETAILER)
    given = scripts.get(title, {})
    # What is no object is refused with the other scripts.
    if isinstance(given, dict):
        arguments = _joined(given.get("args") or [], units, request, server)
        request.fields["alwayson_scripts"] = scripts | {title: {**given, "args": arguments}}


def _joined(given: Json, units: list[Fields], request: Request, server: Server) -> list[Json]:
    """Return the script's arguments: what stands there, and our units behind it."""
    if not isinstance(given, list):
        raise InvalidParameterError(f"alwayson_scripts: the args of {ADETAILER} are no array.")
    switches = [one for one in given if isinstance(one, bool)]
    if switches[:1] == [False]:
        raise InvalidParameterError(
            f"ad_model: alwayson_scripts turn {ADETAILER} off. Make its first argument true."
        )
    there = [one for one in given if isinstance(one, dict)]
    ours = [unit["ad_model"] for unit in units]
    twice = [one for unit in there if (one := match_file(str(unit.get("ad_model")), ours))]
    if twice:
        raise InvalidParameterError(
            f"ad_model: {twice[0]} stands in alwayson_scripts, too. Give it in one place."
        )
    found = [*switches, *_SWITCHES[len(switches) :], *there, *units]
    tabs = _most(request, server)
    if tabs and len(found) - len(_SWITCHES) > tabs:
        raise InvalidParameterError(
            f"ad_model: {ADETAILER} has {tabs} tabs on this server, and {len(there) + len(units)} "
            f"models are named. Name fewer, or raise Max tabs in the settings of {ADETAILER}."
        )
    return found


def _most(request: Request, server: Server) -> int:
    """Return how many models the script takes, 0 where the server does not tell."""
    for entry in server.entries(Endpoint.SCRIPT_INFO) or []:
        is_it = match_name(ADETAILER, [str(entry.get("name"))])
        if is_it and entry.get("is_img2img") == request.redraws:
            return max(0, len(entry.get("args") or []) - len(_SWITCHES))
    return 0


def _refuse_missing(server: Server) -> None:
    try:
        server.find(ADETAILER, "ad_model", "script", server.scripts(always_on=True))
    except InvalidParameterError:
        raise InvalidParameterError(
            f"ad_model: {server.family.label} lacks the extension {ADETAILER}. Install "
            "Bing-su/adetailer from GitHub in the WebUI (Extensions, Install from URL), and "
            "restart it."
        ) from None

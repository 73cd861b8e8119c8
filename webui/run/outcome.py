"""What came back, against what was asked for."""

import re
from collections.abc import Iterator, Sequence

from webui.errors import WebUIResponseError, WebUIServerError, WrongModelError
from webui.http.endpoints import Endpoint
from webui.pictures.infotext import parse_infotext
from webui.request.request import Request
from webui.request.scripts import is_plot
from webui.run.summary import Summary
from webui.server.names import Model, find_model, spellings_of
from webui.server.server import Server


def compare_outcome(
    summary: Summary, request: Request, server: Server, *, interrupted: bool = False
) -> list[str]:
    """Sentences on each difference, the most telling first.

    interrupted: we broke it off ourselves. WrongModelError if another checkpoint drew;
    WebUIServerError if it gave a leftover preview for a generation that failed, WebUIResponseError
    if nothing.
    """
    if not summary.images and request.sends_images:
        raise WebUIResponseError(
            "The server says the generation is done, but sent no images. " + _why_empty(server)
        )
    if server.family.leaves_previews and not interrupted:
        _refuse_leftovers(summary, request, server)
    if is_plot(request) and server.reads("script_name"):
        # It draws with what its axes say, and as many as that makes.
        return [*_controlled(summary, request)]
    return [
        *_modelled(summary, request, server),
        *_seeded(summary, request),
        *_counted(summary, request),
        *_sized(summary, request, server),
        *_sampled(summary, request),
        *_controlled(summary, request),
    ]


def warn_of_interruption(server: Server, tasks: Sequence[str]) -> list[str]:
    """Return a sentence if somebody broke one of our jobs off, which looks finished all the same.

    The server still answers 200, and writes all steps into the infotext. It costs a look, so only a
    job that took a while is worth it.
    """
    if not any(server.turned_to(task_id).broke_off() for task_id in tasks):
        return []
    return ["Somebody interrupted the server while it drew: the last picture may be unfinished."]


def _why_empty(server: Server) -> str:
    """Return what the server lets on; SD.Next answers 200 whatever went wrong."""
    if server.has_no_model():
        saved, models = server.saved_model(), server.entries(Endpoint.SD_MODELS)
        if models == []:
            return "It has no models: install one first."
        if saved and models is not None and find_model(saved, models) is None:
            return f"Its settings name the model {saved}, which it lacks. Choose another there."
        return "No model is loaded. Choose one in the WebUI; its own log says why it was not."
    state = server.last_state()
    if state.get("skipped"):
        return "Somebody pressed Skip."
    memory = "memory ran out, and a smaller width, height or batch_size helps"
    if state.get("interrupted"):
        return f"It broke off: most often {memory}, or somebody pressed Interrupt. Its log says so."
    return f"Its own log says why: often {memory}, or somebody pressed Interrupt or Skip."


def _refuse_leftovers(summary: Summary, request: Request, server: Server) -> None:
    """SD.Next answers 200 when memory ends, with nothing or with a preview it had made so far.

    The preview may look complete. What gives it away: no account at all, an account of more
    pictures than came, or the server's own note that the job was broken off.
    """
    images = summary.images
    bare = not summary.account and not any(image.infotext for image in images)
    # A script's grid is one picture, of which each part has its infotext.
    is_grid = request.fields.get("script_name")
    short = len(summary.account.infotexts) > len(images) and not is_grid
    if images and (bare or short or server.broke_off()):
        raise WebUIServerError(
            f"{server.family.label} broke off and sent a preview instead of the picture. Its log "
            "says why; most often memory ran out: ask for a smaller width, height, batch_size or "
            "hr_scale."
        )


def _modelled(summary: Summary, request: Request, server: Server) -> Iterator[str]:
    """Refuse a finished picture only when another model of the list certainly drew it."""
    wanted, drew, drew_hash = request.model, summary.model, summary.account.model_hash
    if not wanted or not drew:
        return
    models = server.entries(Endpoint.SD_MODELS) or []
    asked = [model for model in models if wanted in spellings_of(model)]
    if not asked or any(_is_it(model, drew, drew_hash) for model in asked):
        return
    if any(_is_it(model, drew, drew_hash) for model in models if model not in asked):
        raise WrongModelError(
            f"The server drew with the model {drew}, not with {wanted}. Its log says why it did "
            "not load the one you named."
        )
    yield (f"The server calls the model that drew {drew}. Whether that is {wanted} cannot be told.")


def _is_it(model: Model, name: str, short_hash: str) -> bool:
    """Tell whether a server that says this name and hash, "" for none, means this model."""
    if short_hash and model.get("hash"):
        return bool(short_hash == model["hash"])
    return name.casefold() in {spelling.casefold() for spelling in spellings_of(model)}


def _counted(summary: Summary, request: Request) -> Iterator[str]:
    """Count them, unless a script makes its own number."""
    if request.fields.get("script_name") or not request.sends_images:
        return
    came = len(summary.drawn)
    if came < request.image_count:
        yield f"{came} of {request.image_count} images came back."


def _sized(summary: Summary, request: Request, server: Server) -> Iterator[str]:
    if request.fields.get("script_name") or request.fields.get("firstphase_width"):
        return
    pasted = request.fields.get("inpaint_full_res", server.family.pastes_masked_part)
    if request.fields.get("mask") and pasted and server.reads("inpaint_full_res"):
        return  # The repainted part is pasted back into a picture of the input's size.
    asked = request.size
    # The second pass works in eighths of pixels and floors.
    slack = 8 if request.has_second_pass else 1
    for image in summary.drawn:
        if image.width is None or image.height is None or asked is None:
            continue
        if abs(image.width - asked[0]) >= slack or abs(image.height - asked[1]) >= slack:
            yield f"The server drew {image.width}x{image.height} instead of {asked[0]}x{asked[1]}."
            return


def _seeded(summary: Summary, request: Request) -> Iterator[str]:
    """Compare the first seed: some servers replace one that is too large for them."""
    asked, seeds = request.fields.get("seed", -1), summary.seeds
    if isinstance(asked, int) and asked >= 0 and seeds and seeds[0] != asked:
        yield f"The server drew with the seed {seeds[0]} instead of {asked}."


def _sampled(summary: Summary, request: Request) -> Iterator[str]:
    asked, used = str(request.fields.get("sampler_name") or ""), summary.sampler.casefold()
    # stable-diffusion.cpp names the scheduler with it.
    both = f"{asked} {request.fields.get('scheduler', '')}".casefold()
    if asked and used and used not in {asked.casefold(), both} and asked.casefold() != "default":
        yield f"The server used the sampler {summary.sampler} instead of {asked}."


def _controlled(summary: Summary, request: Request) -> Iterator[str]:
    """Servers write each enabled unit into the infotext; one that then fails stands there too."""
    written = next((str(image.infotext) for image in summary.drawn if image.infotext), "")
    labels = parse_infotext(written).parameters
    enabled = ' Each needs "enabled": true.'
    for units, noun, label, needs in (
        (request.controlnet_units, "ControlNet units", "ControlNet.*", enabled),
        (request.adetailer_units, "ADetailer models", r"ADetailer model(?: \d+\w\w)?", ""),
    ):
        named = [key for key in labels if re.fullmatch(label, key)]
        if written and len(named) < len(units):
            yield (
                f"The infotext tells of {len(named)} of {len(units)} {noun}: the others had no "
                f"effect.{needs}"
            )

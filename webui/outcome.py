"""What came back, against what was asked for."""

from collections.abc import Iterator, Mapping
from typing import Any

from webui import models
from webui.errors import WebUIServerError, WrongModelError
from webui.families import SDNEXT
from webui.server import Server

Body = Mapping[str, Any]
Summary = Mapping[str, Any]


def check(summary: Summary, body: Body, server: Server, *, interrupted: bool = False) -> list[str]:
    """Sentences on each difference, the most telling first.

    summary: what `Result.summary` gave. interrupted: we broke it off ourselves. WrongModelError if
    another checkpoint drew; WebUIServerError if SD.Next gave a leftover preview for a generation
    that failed.
    """
    if server.profile.family is SDNEXT and not interrupted:
        _refuse_leftovers(summary, server)
    _refuse_other_model(summary, body, server)
    return [*_counted(summary, body), *_sized(summary, body, server), *_sampled(summary, body)]


def _drawn(summary: Summary) -> list[dict[str, Any]]:
    return [image for image in summary["images"] if not image["grid"] and not image["extra"]]


def _refuse_leftovers(summary: Summary, server: Server) -> None:
    """SD.Next answers 200 when memory ends, with nothing or with a preview it had made so far.

    The preview may look complete. What gives it away: no account at all, an account of more
    pictures than came, or the server's own note that the job was broken off.
    """
    images, infotexts = summary["images"], summary["info"].get("infotexts")
    bare = not summary["info"] and not any(image["infotext"] for image in images)
    short = isinstance(infotexts, list) and len(infotexts) > len(images)
    if images and (bare or short or server.broke_off()):
        raise WebUIServerError(
            "SD.Next broke off and sent a preview instead of the picture. Its log says why; "
            "most often memory ran out: ask for a smaller width, height, batch_size or hr_scale."
        )


def _refuse_other_model(summary: Summary, body: Body, server: Server) -> None:
    wanted = body.get("override_settings", {}).get("sd_model_checkpoint")
    drew, drew_hash = summary["model"], summary["info"].get("sd_model_hash")
    if not wanted or not drew:
        return
    asked = [
        model for model in server.entries("sd-models") or [] if wanted in models.spellings(model)
    ]
    for model in asked:
        known = {spelling.casefold() for spelling in models.spellings(model)}
        if drew_hash and model.get("hash"):
            if drew_hash == model["hash"]:
                return
        elif drew.casefold() in known:
            return
    if asked:
        raise WrongModelError(
            f"The server drew with the model {drew}, not with {wanted}. Its log says why it did "
            "not load the one you named."
        )


def _counted(summary: Summary, body: Body) -> Iterator[str]:
    """A script such as X/Y/Z plot makes its own number of images."""
    if body.get("script_name") or body.get("send_images") is False:
        return
    asked = int(body.get("batch_size", 1)) * int(body.get("n_iter", 1))
    came = len(_drawn(summary))
    if came < asked:
        yield f"{came} of {asked} images came back."


def _sized(summary: Summary, body: Body, server: Server) -> Iterator[str]:
    if body.get("script_name") or body.get("firstphase_width"):
        return
    profile = server.profile
    pasted = body.get("inpaint_full_res", profile.family is not SDNEXT)
    if body.get("mask") and pasted and profile.reads("inpaint_full_res"):
        return  # The repainted part is pasted back into a picture of the input's size.
    asked = _expected_size(body)
    for image in _drawn(summary):
        size = (image["width"], image["height"])
        if None in size or asked is None:
            continue
        # The second pass works in eighths of pixels and floors.
        slack = 8 if body.get("enable_hr") else 1
        if any(abs(came - wanted) >= slack for came, wanted in zip(size, asked, strict=True)):
            yield f"The server drew {size[0]}x{size[1]} instead of {asked[0]}x{asked[1]}."
            return


def _expected_size(body: Body) -> tuple[int, int] | None:
    width, height = body.get("width"), body.get("height")
    if not isinstance(width, int) or not isinstance(height, int):
        return None
    if not body.get("enable_hr"):
        return width, height
    x, y = int(body.get("hr_resize_x") or 0), int(body.get("hr_resize_y") or 0)
    if x and y:
        return x, y
    if x:
        return x, x * height // width
    if y:
        return y * width // height, y
    scale = float(body.get("hr_scale") or 2)
    return int(width * scale), int(height * scale)


def _sampled(summary: Summary, body: Body) -> Iterator[str]:
    asked, used = body.get("sampler_name"), summary["sampler"]
    if asked and used and str(asked).casefold() not in {used.casefold(), "default"}:
        yield f"The server used the sampler {used} instead of {asked}."

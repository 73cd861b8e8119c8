"""The requests of the smaller endpoints."""

from collections.abc import Mapping
from typing import Any, Literal

from devtools.standin_family import Family
from devtools.standin_schema import Model

_SHARE = {"ge": 0.0, "le": 1.0}
# name: (type, default, limits)
_EXTRAS: Mapping[str, tuple[Any, Any, Mapping[str, float]]] = {
    "resize_mode": (Literal[0, 1], 0, {}),
    "show_extras_results": (bool, True, {}),
    "gfpgan_visibility": (float, 0, _SHARE),
    "codeformer_visibility": (float, 0, _SHARE),
    "codeformer_weight": (float, 0, _SHARE),
    "upscaling_resize": (float, 2, {"gt": 0.0}),
    "upscaling_resize_w": (int, 512, {"ge": 1.0}),
    "upscaling_resize_h": (int, 512, {"ge": 1.0}),
    "upscaling_crop": (bool, True, {}),
    "upscaler_1": (str, "None", {}),
    "upscaler_2": (str, "None", {}),
    "extras_upscaler_2_visibility": (float, 0, _SHARE),
    "upscale_first": (bool, False, {}),
}


_SDNEXT_HAS_NOT = (
    "gfpgan_visibility",
    "codeformer_visibility",
    "codeformer_weight",
    "upscale_first",
)


def models_of(family: Family) -> dict[str, Model]:
    """The bodies that this family's framework checks, by path; none where there is none."""
    framework = family.framework
    if framework is None:
        return {}
    extras = {
        name: (kind, framework.field(default, **limits))
        for name, (kind, default, limits) in _EXTRAS.items()
    }
    if family.name in ("classic", "sdnext"):
        extras["upscaling_resize"] = (float, framework.field(2, ge=1.0, le=8.0))
    if family.name == "sdnext":
        extras = {name: one for name, one in extras.items() if name not in _SDNEXT_HAS_NOT}
        extras["resize_mode"] = (float, 0)
    build = framework.model
    return {
        "/sdapi/v1/txt2img": family.model("txt2img"),
        "/sdapi/v1/img2img": family.model("img2img"),
        "/sdapi/v1/extra-single-image": build(
            "ExtrasSingleImageRequest", {**extras, "image": (str, "")}
        ),
        "/sdapi/v1/extra-batch-images": build(
            "ExtrasBatchImagesRequest", {**extras, "imageList": (list[dict[str, Any]], ...)}
        ),
        "/sdapi/v1/png-info": build("PNGInfoRequest", {"image": (str, ...)}),
        "/sdapi/v1/interrogate": build(
            "InterrogateRequest", {"image": (str, ""), "model": (str, "clip")}
        ),
        "/internal/progress": build(
            "ProgressRequest",
            {
                "id_task": (str | None, None),
                "id_live_preview": (int, -1),
                "live_preview": (bool, True),
            },
        ),
    }

"""The request fields of a WebUI, checked as its own framework checks them.

AUTOMATIC1111 runs on pydantic 1, whose conversions and error texts differ from pydantic 2's;
`pydantic.v1` is that same code.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic.v1 import BaseModel, Field, ValidationError, create_model

# name: (type, default). An inherited field accepts null, whatever its type.
INHERITED: Mapping[str, tuple[str, Any]] = {
    "prompt": ("str", ""),
    "styles": ("list[str]", None),
    "seed": ("int", -1),
    "subseed": ("int", -1),
    "subseed_strength": ("float", 0),
    "seed_resize_from_h": ("int", -1),
    "seed_resize_from_w": ("int", -1),
    "sampler_name": ("str", None),
    "scheduler": ("str", None),
    "batch_size": ("int", 1),
    "n_iter": ("int", 1),
    "steps": ("int", 50),
    "cfg_scale": ("float", 7.0),
    "width": ("int", 512),
    "height": ("int", 512),
    "restore_faces": ("bool", None),
    "tiling": ("bool", None),
    "do_not_save_samples": ("bool", False),
    "do_not_save_grid": ("bool", False),
    "negative_prompt": ("str", ""),
    "eta": ("float", None),
    "denoising_strength": ("float", None),
    "s_min_uncond": ("float", None),
    "s_churn": ("float", None),
    "s_tmax": ("float", None),
    "s_tmin": ("float", None),
    "s_noise": ("float", None),
    "override_settings": ("dict[str, Any]", None),
    "override_settings_restore_afterwards": ("bool", True),
    "refiner_checkpoint": ("str", None),
    "refiner_switch_at": ("float", None),
    "disable_extra_networks": ("bool", False),
    "firstpass_image": ("str", None),
    "comments": ("dict", None),
}
TXT2IMG: Mapping[str, tuple[str, Any]] = {
    "enable_hr": ("bool", False),
    "firstphase_width": ("int", 0),
    "firstphase_height": ("int", 0),
    "hr_scale": ("float", 2.0),
    "hr_upscaler": ("str", None),
    "hr_second_pass_steps": ("int", 0),
    "hr_resize_x": ("int", 0),
    "hr_resize_y": ("int", 0),
    "hr_checkpoint_name": ("str", None),
    "hr_sampler_name": ("str", None),
    "hr_scheduler": ("str", None),
    "hr_prompt": ("str", ""),
    "hr_negative_prompt": ("str", ""),
}
IMG2IMG: Mapping[str, tuple[str, Any]] = {
    "denoising_strength": ("float", 0.75),
    "init_images": ("list", None),
    "resize_mode": ("int", 0),
    "image_cfg_scale": ("float", None),
    "mask": ("str", None),
    "mask_blur": ("int", None),
    "mask_blur_x": ("int", 4),
    "mask_blur_y": ("int", 4),
    "mask_round": ("bool", True),
    "inpainting_fill": ("int", 0),
    "inpaint_full_res": ("bool", True),
    "inpaint_full_res_padding": ("int", 0),
    "inpainting_mask_invert": ("int", 0),
    "initial_noise_multiplier": ("float", None),
    "latent_mask": ("str", None),
}
# Fields that the API adds accept null only where null is their default.
ADDED: Mapping[str, tuple[str, Any]] = {
    "sampler_index": ("str", "Euler"),
    "script_name": ("str", None),
    "script_args": ("list", []),
    "send_images": ("bool", True),
    "save_images": ("bool", False),
    "alwayson_scripts": ("dict", {}),
    "force_task_id": ("str", None),
    "infotext": ("str", None),
}
ADDED_IMG2IMG: Mapping[str, tuple[str, Any]] = {"include_init_images": ("bool", False)}

_TYPES: Mapping[str, Any] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "list": list,
    "dict": dict,
    "list[str]": list[str],
    "dict[str, Any]": dict[str, Any],
}


class InvalidRequestError(Exception):
    """What the framework answers with status 422; `detail` is its list of complaints."""

    def __init__(self, detail: list[dict[str, Any]]) -> None:
        super().__init__(detail)
        self.detail = detail


def generation_model(
    name: str,
    inherited: Mapping[str, tuple[str, Any]],
    added: Mapping[str, tuple[str, Any]],
) -> type[BaseModel]:
    fields: dict[str, Any] = {
        field: (_TYPES[kind] | None, default) for field, (kind, default) in inherited.items()
    }
    fields |= {field: (_TYPES[kind], default) for field, (kind, default) in added.items()}
    return create_model(name, **fields)


Txt2Img = generation_model("StableDiffusionProcessingTxt2Img", {**INHERITED, **TXT2IMG}, ADDED)
Img2Img = generation_model(
    "StableDiffusionProcessingImg2Img", {**INHERITED, **IMG2IMG}, {**ADDED, **ADDED_IMG2IMG}
)


class ExtrasSingleImageRequest(BaseModel):
    resize_mode: Literal[0, 1] = 0
    show_extras_results: bool = True
    gfpgan_visibility: float = Field(default=0, ge=0, le=1)
    codeformer_visibility: float = Field(default=0, ge=0, le=1)
    codeformer_weight: float = Field(default=0, ge=0, le=1)
    upscaling_resize: float = Field(default=2, gt=0)
    upscaling_resize_w: int = Field(default=512, ge=1)
    upscaling_resize_h: int = Field(default=512, ge=1)
    upscaling_crop: bool = True
    upscaler_1: str = "None"
    upscaler_2: str = "None"
    extras_upscaler_2_visibility: float = Field(default=0, ge=0, le=1)
    upscale_first: bool = False
    image: str = ""


class PNGInfoRequest(BaseModel):
    image: str


class ProgressRequest(BaseModel):
    id_task: str | None = None
    id_live_preview: int = -1
    live_preview: bool = True


def read_json(body: bytes, content_type: str) -> Any:  # noqa: ANN401 - any JSON value
    """The body as FastAPI reads it: None when empty, bytes when the type is not JSON's."""
    if not body:
        return None
    kind = content_type.partition(";")[0].strip().lower()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        return body
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        complaint = {
            "loc": ["body", error.pos],
            "msg": str(error),
            "type": "value_error.jsondecode",
            "ctx": {
                "msg": error.msg,
                "doc": error.doc,
                "pos": error.pos,
                "lineno": error.lineno,
                "colno": error.colno,
            },
        }
        raise InvalidRequestError([complaint]) from error


def check_object(value: object) -> dict[str, Any]:
    """The body as a JSON object, or InvalidRequestError."""
    if value is None:
        complaint = {"loc": ["body"], "msg": "field required", "type": "value_error.missing"}
        raise InvalidRequestError([complaint])
    if not isinstance(value, dict):
        complaint = {
            "loc": ["body"],
            "msg": "value is not a valid dict",
            "type": "type_error.dict",
        }
        raise InvalidRequestError([complaint])
    return value


def check_fields(model: type[BaseModel], value: object) -> BaseModel:
    """The request with converted values and defaults, or InvalidRequestError."""
    try:
        return model.parse_obj(check_object(value))
    except ValidationError as error:
        complaints = [{**one, "loc": ["body", *one["loc"]]} for one in error.errors()]
        raise InvalidRequestError([dict(one) for one in complaints]) from error

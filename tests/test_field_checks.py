import pytest

from webui import families, field_checks
from webui.errors import InvalidParameterError
from webui.families import Family
from webui.server import Profile

# What these tests need of its fields.
A1111_READS = frozenset(
    {
        "prompt", "n_iter", "subseed", "subseed_strength", "seed_resize_from_w",
        "seed_resize_from_h", "sampler_name", "sampler_index", "firstphase_width",
        "firstphase_height", "firstpass_image", "enable_hr", "hr_scale", "hr_resize_x",
        "hr_resize_y", "hr_upscaler", "denoising_strength", "refiner_checkpoint",
        "refiner_switch_at", "do_not_save_samples", "do_not_save_grid", "save_images",
        "send_images", "comments", "script_name", "script_args", "s_min_uncond", "init_images",
        "mask", "mask_blur", "inpainting_fill", "latent_mask", "hr_second_pass_steps", "steps",
        "batch_size", "cfg_scale",
    }
)  # fmt: skip


def profile(family: Family = families.A1111) -> Profile:
    return Profile(family, family.reads.get("txt2img", A1111_READS))


def warned(body: dict[str, object], family: Family = families.A1111) -> list[str]:
    return field_checks.warnings(list(body), {"prompt": "a cat"} | body, profile(family))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"do_not_save_samples": True}, "do_not_save_samples has no effect: save_images alone"),
        ({"do_not_save_grid": True}, "do_not_save_grid has no effect: save_images alone"),
        ({"comments": {"a": 1}}, "comments has no effect"),
        ({"firstpass_image": "x"}, "firstpass_image has no effect over the API"),
        ({"sampler_index": "LMS", "sampler_name": "Euler"}, "sampler_index has no effect beside"),
        ({"subseed": 5}, "subseed has no effect without subseed_strength"),
        ({"refiner_switch_at": 0.8}, "refiner_switch_at has no effect without refiner_checkpoint"),
        ({"refiner_switch_at": 0.8, "refiner_checkpoint": "None"}, "without refiner_checkpoint"),
        ({"refiner_checkpoint": "x"}, "the refiner draws from the first step on"),
        ({"refiner_checkpoint": "x", "refiner_switch_at": 0}, "draws from the first step on"),
        ({"script_args": [1]}, "script_args has no effect without script_name"),
        ({"seed_resize_from_w": 512}, "have an effect only together"),
        ({"hr_scale": 2.0}, "hr_scale has no effect without enable_hr"),
        ({"hr_scale": 2.0, "denoising_strength": 0.5}, "hr_scale, denoising_strength have no"),
        ({"firstphase_width": 512, "firstphase_height": 512}, "replace width and height"),
        ({"send_images": False}, "every image is lost"),
        ({"enable_hr": True, "hr_scale": 2.0, "hr_resize_x": 512}, "hr_scale has no effect: hr_re"),
        ({"distilled_cfg_scale": 3.5}, "distilled_cfg_scale has no effect: AUTOMATIC1111 does not"),
    ],
)  # fmt: skip
def test_what_does_nothing_or_something_else_is_said(body: dict[str, object], words: str) -> None:
    (warning,) = warned(body)
    assert words in warning


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"n_iter": 1, "subseed": -1, "seed_resize_from_w": -1, "send_images": True},
        {"do_not_save_grid": False, "comments": {}, "firstphase_width": 0, "hr_resize_x": 0},
        {"subseed": 5, "subseed_strength": 0.1},
        {"refiner_checkpoint": "x", "refiner_switch_at": 0.8},
        {"send_images": False, "save_images": True},
        {"enable_hr": True, "hr_scale": 2.0, "denoising_strength": 0.5},
        {"script_name": "x", "script_args": [1]},
        {"seed_resize_from_w": 512, "seed_resize_from_h": 512},
        {"sampler_index": "LMS"},
        {"restore_faces": False},
    ],
    ids=str,
)
def test_what_works_is_not_spoken_of(body: dict[str, object]) -> None:
    assert warned(body) == []


@pytest.mark.parametrize(
    ("family", "body", "words"),
    [
        (families.SDCPP, {"n_iter": 2}, "n_iter has no effect: stable-diffusion.cpp does not know "
         "it. It uses batch_size, up to 8 instead."),
        (families.SDCPP, {"override_settings": {"sd_vae": "x"}}, "override_settings (vae) has no"),
        (families.SDCPP, {"steps": 150}, "steps is cut to 100"),
        (families.SDCPP, {"batch_size": 9}, "batch_size is cut to 8"),
        (families.SDCPP, {"tiling": True}, "circular"),
        (families.CLASSIC, {"scheduler": "Karras"}, "It uses sampler_name, which names both"),
        (families.REFORGE, {"s_min_uncond": 1.0}, "s_min_uncond has no effect: reForge reads its"),
        (families.NEO, {"refiner_checkpoint": "x"}, "the refiner is never used"),
    ],
)  # fmt: skip
def test_each_family_has_its_own(family: Family, body: dict[str, object], words: str) -> None:
    (warning,) = warned(body, family)
    assert words in warning


@pytest.mark.parametrize(
    ("field", "instead"),
    [
        ("scheduler", "schedulers_sigma"),
        ("restore_faces", "detailer_enabled"),
        ("refiner_checkpoint", "sd_model_refiner"),
    ],
)
def test_sdnext_without_its_schema_is_known_by_its_table(field: str, instead: str) -> None:
    unseen = Profile(families.SDNEXT)
    (warning, *_) = field_checks.warnings([field], {field: "x"}, unseen)
    assert f"{field} has no effect: SD.Next does not know it." in warning
    assert instead in warning
    assert field_checks.warnings(["prompt"], {"prompt": "x"}, unseen) == []


def test_second_pass_steps_reach_the_server_that_calls_them_otherwise() -> None:
    body = {"enable_hr": True, "hr_second_pass_steps": 9, "hr_steps": 9}
    fields = ["enable_hr", "hr_second_pass_steps"]
    assert field_checks.warnings(fields, body, profile(families.SDCPP)) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"latent_mask": "x"}, "latent_mask has no effect over the API"),
        ({"mask_blur": 8}, "mask_blur has no effect without mask"),
    ],
)
def test_img2img_has_its_own(body: dict[str, object], words: str) -> None:
    (warning,) = warned({"init_images": ["x"]} | body)
    assert words in warning


def test_img2img_uses_what_txt2img_would_not() -> None:
    assert warned({"init_images": ["x"], "denoising_strength": 0.5}) == []
    masked: dict[str, object] = {"mask": "x", "mask_blur": 8, "inpainting_fill": 2}
    assert warned({"init_images": ["x"]} | masked) == []


@pytest.mark.parametrize(
    ("family", "body", "words"),
    [
        (families.A1111, {"firstphase_width": 512}, "firstphase_width: alone"),
        (families.A1111, {"firstphase_height": 512}, "firstphase_height: alone"),
        (families.FORGE, {"firstpass_image": "x", "enable_hr": True}, "firstpass_image: with"),
        (families.SDCPP, {"enable_hr": True, "denoising_strength": 0.0}, "more than 0"),
        (families.SDCPP, {"cfg_scale": -1.0}, "cfg_scale: stable-diffusion.cpp wants 0 or more"),
    ],
)
def test_what_would_crash_the_server_is_refused(
    family: Family, body: dict[str, object], words: str
) -> None:
    with pytest.raises(InvalidParameterError, match=words):
        field_checks.refuse(body, profile(family))


@pytest.mark.parametrize(
    "body",
    [{}, {"firstphase_width": 512, "firstphase_height": 512}, {"cfg_scale": -1.0},
     {"enable_hr": True, "denoising_strength": 0.0}],
    ids=str,
)  # fmt: skip
def test_what_the_server_survives_is_not_refused(body: dict[str, object]) -> None:
    field_checks.refuse(body, profile())

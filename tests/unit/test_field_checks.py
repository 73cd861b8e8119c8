"""The table of rules, each once: by what a server reads and does, not by who it is."""

from typing import Any

import pytest

from support.dify_files import picture
from support.exchange import connect
from webui.errors import InvalidParameterError
from webui.http.endpoints import Endpoint
from webui.pictures.picture import identify_picture
from webui.request.field_checks import refuse_crashes, warn_of_fields
from webui.request.request import Request
from webui.server.families import FAMILIES, Family
from webui.server.profile import Profile
from webui.server.server import Server

# It reads whatever it is given.
PLAIN = Family("plain", "Plain")
REAL = {one.key: one for one in FAMILIES}

type Fields = dict[str, object]


def server(family: Family, fields: frozenset[str] | None = None) -> Server:
    return Server(connect("http://gpu:7860"), Profile("txt2img", family, fields))


def warned(
    given: Fields, family: Family = PLAIN, *, read: frozenset[str] | None = None
) -> list[str]:
    """What is said of these fields, beside two that nobody gave."""
    fields = {"prompt": "a cat", "hr_force": True, **given}
    request = Request(Endpoint.TXT2IMG, fields, given=tuple(given))
    return warn_of_fields(request, server(family, read))


def as_text(kind: str, mode: str) -> str:
    return identify_picture(picture(kind=kind, mode=mode)).base64()


def refuse(given: Fields, family: Family = PLAIN, read: frozenset[str] | None = None) -> None:
    refuse_crashes(Request(Endpoint.TXT2IMG, given, tuple(given)), server(family, read))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"do_not_save_samples": True}, "do_not_save_samples has no effect: save_images alone"),
        ({"do_not_save_grid": True}, "do_not_save_grid has no effect: save_images alone"),
        ({"comments": {"a": 1}}, "comments has no effect"),
        ({"firstpass_image": "x"}, "firstpass_image has no effect over the API"),
        ({"sampler_index": "LMS", "sampler_name": "Euler"}, "sampler_index has no effect beside"),
        ({"subseed": 5}, "subseed has no effect without subseed_strength"),
        ({"refiner_switch_at": 0.8}, "refiner_switch_at has no effect without refiner_checkpoint"),
        ({"refiner_checkpoint": "x"}, "the refiner draws from the first step on"),
        ({"script_args": [1]}, "script_args has no effect without script_name"),
        ({"seed_resize_from_w": 512}, "have an effect only together"),
        ({"hr_scale": 2.0}, "hr_scale has no effect without enable_hr"),
        ({"hr_scale": 2.0, "denoising_strength": 0.5}, "hr_scale, denoising_strength have no"),
        ({"firstphase_width": 512, "firstphase_height": 512}, "replace width and height"),
        ({"send_images": False}, "every image is lost"),
        ({"enable_hr": True, "hr_scale": 2.0, "hr_resize_x": 512}, "hr_scale has no effect: hr_re"),
        ({"init_images": ["x"], "latent_mask": "x"}, "latent_mask has no effect over the API"),
        ({"init_images": ["x"], "mask_blur": 8}, "mask_blur has no effect without mask"),
    ],
    ids=str,
)
def test_what_does_nothing_or_something_else_is_said(given: Fields, words: str) -> None:
    (warning,) = warned(given)
    assert words in warning


@pytest.mark.parametrize(
    "given",
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
        {"init_images": ["x"], "denoising_strength": 0.5},
        {"init_images": ["x"], "mask": "x", "mask_blur": 8, "inpainting_fill": 2},
    ],
    ids=str,
)
def test_what_works_is_not_spoken_of(given: Fields) -> None:
    assert warned(given) == []


def test_a_field_that_is_not_read_is_said_with_what_does_its_work_there() -> None:
    given: Fields = {"tiling": True, "eta": 0.5, "n_iter": 1, "restore_faces": False}
    assert warned(given, read=frozenset({"prompt", "eta"})) == [
        "tiling has no effect: Plain does not know it."
    ]
    assert warned({"scheduler": "Karras"}, REAL["classic"], read=frozenset({"prompt"})) == [
        "scheduler has no effect: Forge Classic does not know it. It uses sampler_name, which "
        "names both there: DPM++ 2M Karras instead."
    ]


def test_options_that_are_not_read_go_by_the_parameters_that_carry_them() -> None:
    options: Fields = {"override_settings": {"sd_vae": "x", "eta_noise_seed_delta": 1}}
    (warning,) = warned(options, read=frozenset({"prompt"}))
    assert warning.startswith("override_settings (vae, eta_noise_seed_delta) has no effect")


def test_what_a_server_does_without_knowing_the_field_is_not_spoken_of() -> None:
    renamed = frozenset({"prompt", "enable_hr", "hr_steps"})
    assert warned({"enable_hr": True, "hr_second_pass_steps": 9}, read=renamed) == []
    unblurred: Fields = {"init_images": ["x"], "mask": "x", "mask_blur_x": 0, "mask_blur_y": 0}
    read = frozenset({"prompt", "init_images", "mask"})
    assert warned(unblurred, read=read) == []
    assert len(warned(unblurred, read=read | {"mask_blur"})) == 2


@pytest.mark.parametrize(
    ("trait", "given", "warning"),
    [
        ({"unused": {"eta": "it reads an option"}}, {"eta": 0.5},
         "eta has no effect: it reads an option."),
        ({"unused_options": {"sd_vae": "use vae"}}, {"override_settings": {"sd_vae": "y"}},
         "sd_vae in override_settings has no effect: use vae."),
        ({"most": {"steps": 100}}, {"steps": 101}, "steps is cut to 100: X takes no more."),
        ({"refiner_waits": True}, {"refiner_checkpoint": "y"},
         "Without refiner_switch_at the refiner is never used."),
    ],
    ids=str,
)  # fmt: skip
def test_each_trait_has_its_rule(trait: dict[str, Any], given: Fields, warning: str) -> None:
    assert warned(given, Family("x", "X", **trait)) == [warning]
    assert warning not in warned(given)


@pytest.mark.parametrize(
    ("key", "given", "words"),
    [
        ("sdcpp", {"tiling": True}, "circular"),
        ("reforge", {"s_min_uncond": 1.0}, "s_min_uncond has no effect: reForge reads its"),
        ("neo", {"refiner_checkpoint": "x"}, "the refiner is never used"),
    ],
)
def test_the_real_ones_have_their_own(key: str, given: Fields, words: str) -> None:
    family = REAL[key]
    (warning,) = warned(given, family, read=family.fields_read("txt2img"))
    assert words in warning


STRICT = Family(
    "x", "X", lowest={"cfg_scale": 0}, highest={"seed": 2**31 - 1}, hires_wants_strength=True
)


@pytest.mark.parametrize(
    ("family", "given", "words"),
    [
        (PLAIN, {"firstphase_width": 512}, "firstphase_width: alone it makes the other side 0"),
        (PLAIN, {"firstphase_height": 512}, "firstphase_height: alone"),
        (PLAIN, {"firstpass_image": "x", "enable_hr": True}, "firstpass_image: with enable_hr"),
        (STRICT, {"enable_hr": True, "denoising_strength": 0.0}, "denoising_strength: X wants mor"),
        (STRICT, {"cfg_scale": -1.0}, "cfg_scale: X wants 0 or more."),
        (STRICT, {"seed": 2**31}, "seed: X takes 2147483647 at the most."),
        (REAL["sdcpp"], {"seed": 2**31}, "seed: stable-diffusion.cpp takes 2147483647"),
        (STRICT, {"seed": 2**31 - 2, "n_iter": 3}, "seed: X takes 2147483645 at the most for 3"),
        (REAL["sdcpp"], {"steps": 0}, "steps: stable-diffusion.cpp wants 1 or more."),
    ],
)
def test_what_would_crash_the_server_is_refused(family: Family, given: Fields, words: str) -> None:
    with pytest.raises(InvalidParameterError, match=words):
        refuse(given, family)


def test_what_the_server_survives_or_does_not_read_is_not_refused() -> None:
    refuse({"seed": 2**31 - 1}, STRICT)
    refuse({"firstphase_width": 512, "firstphase_height": 512})
    refuse({"firstpass_image": "x"})
    refuse({"enable_hr": True, "denoising_strength": 0.0, "cfg_scale": -1.0})
    refuse({"firstphase_width": 512}, read=frozenset({"prompt"}))
    refuse({"firstpass_image": "x", "enable_hr": True}, read=frozenset({"enable_hr"}))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"init_images": ["iVBOR*"]}, "init_images: a picture is not valid base64. Stable"),
        ({"mask": "aGVsbG8="}, "mask: a picture is not an image of a known type. "),
        ({"init_images": [as_text("PNG", "L")]}, "init_images: a picture has shades of grey"),
        ({"extra_images": [as_text("PNG", "LA")]}, "extra_images: a picture has shades of grey"),
        ({"init_images": [as_text("JPEG", "L")]}, "init_images: a picture has shades of grey"),
        ({"mask": as_text("PNG", "L")[:-16]}, "mask: a picture is cut off"),
        ({"init_images": [as_text("TIFF", "RGB")]}, "init_images: a picture is of the type ima"),
        ({"init_images": [None]}, "init_images: a picture is not"),
    ],
)
def test_a_broken_picture_is_refused_where_the_server_would_draw_without_it(
    given: Fields, words: str
) -> None:
    refuse(given)
    with pytest.raises(InvalidParameterError, match=f"(?i)^{words}"):
        refuse(given, REAL["sdcpp"])
    whole = identify_picture(picture()).base64()
    refuse({"init_images": [whole, f"data:image/png;base64,{whole}"]}, REAL["sdcpp"])
    refuse({"mask": as_text("PNG", "L"), "init_images": [as_text("JPEG", "RGB")]}, REAL["sdcpp"])


def test_what_makes_sdnext_send_nothing_is_refused() -> None:
    refuse({"denoising_strength": 1, "width": 0}, REAL["sdnext"])
    with pytest.raises(InvalidParameterError, match=r"^denoising_strength: SD\.Next takes 1 at"):
        refuse({"denoising_strength": 2}, REAL["sdnext"])

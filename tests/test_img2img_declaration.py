"""img2img's parameters, against what the servers declare and against txt2img's."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from server_fields import FORM_TYPES, SAMPLES, of_all, recorded

from webui.parameters import Parameters

TOOLS = Path(__file__).parent.parent / "tools"
TOOL: dict[str, Any] = yaml.safe_load((TOOLS / "img2img.yaml").read_bytes())
TXT2IMG: dict[str, Any] = yaml.safe_load((TOOLS / "txt2img.yaml").read_bytes())
DECLARED: dict[str, dict[str, Any]] = {p["name"]: p for p in TOOL["parameters"]}
ELSEWHERE: dict[str, dict[str, Any]] = {p["name"]: p for p in TXT2IMG["parameters"]}
RECORDED = recorded("img2img")
FIELDS = of_all(RECORDED)

BY_FILE = {"init_images": "image", "mask": "mask"}
"""Fields that hold pictures as base64, and the file parameter that each is made from."""

LEFT_OUT = {
    "init_latent": "a tensor of Forge Neo's own, which JSON cannot carry",
    "hr_distilled_cfg": "of a second pass, which img2img does not have",
}
"""Fields of one server or another that are not offered, and why."""

OURS = {
    "image", "model", "vae", "clip_skip", "lora", "timeout", "resume", "extra_parameters",
    "reference_images",
}  # fmt: skip
"""Parameters that are no fields of the API."""

TEXT_FIELDS = {name: kind for name, kind in FIELDS.items() if name not in {*BY_FILE, *LEFT_OUT}}

DIFFERENT = {
    "width": "it is the image's unless set",
    "height": "it is the image's unless set",
    "denoising_strength": "it decides here how much stays, and has a default",
}
"""What has the same name as in txt2img but another declaration, and why."""

WEB_INTERFACE = {
    "resize_mode": (0, 3), "denoising_strength": (0, 1), "mask_blur": (0, 64),
    "mask_blur_x": (0, 64), "mask_blur_y": (0, 64), "inpainting_fill": (0, 3),
    "inpaint_full_res_padding": (0, 256), "inpainting_mask_invert": (0, 1),
    "image_cfg_scale": (0, 3), "initial_noise_multiplier": (0, 1.5),
}  # fmt: skip
"""From where to where the servers' own sliders and choices go, beyond txt2img's."""


def test_the_recorded_servers_agree_on_every_type() -> None:
    for name, fields in RECORDED.items():
        assert fields.items() <= FIELDS.items(), name


def test_every_field_is_offered_but_for_the_named_ones() -> None:
    assert len(FIELDS) == 60
    assert set(DECLARED) == set(TEXT_FIELDS) | set(BY_FILE.values()) | OURS


def test_every_field_of_automatic1111_is_offered() -> None:
    missing = set(RECORDED["automatic1111-1.10.1"]) - set(DECLARED)
    assert missing == {"init_images"}


def test_pictures_come_as_files() -> None:
    kinds = {n: d["type"] for n, d in DECLARED.items() if d["type"].startswith("file")}
    assert kinds == {"image": "file", "mask": "file", "reference_images": "files"}


@pytest.mark.parametrize("name", TEXT_FIELDS)
def test_a_field_has_the_forms_type_for_the_servers(name: str) -> None:
    declared = DECLARED[name]
    assert (declared["type"], declared.get("precision")) == FORM_TYPES[FIELDS[name]]


@pytest.mark.parametrize("name", TEXT_FIELDS)
def test_a_field_filled_in_as_text_becomes_the_servers_type(name: str) -> None:
    text, value = SAMPLES[FIELDS[name]]
    # Sizes begin at 8.
    text, value = ("8", 8) if name in {"width", "height"} else (text, value)
    texts = [p for p in TOOL["parameters"] if not p["type"].startswith("file")]
    found = Parameters(texts).read({"prompt": "a cat", name: text})[name]
    assert (found, type(found)) == (value, type(value))


def test_what_txt2img_has_too_is_declared_word_for_word_the_same() -> None:
    shared = DECLARED.keys() & ELSEWHERE.keys()
    assert len(shared) == 51
    assert {name for name in shared if DECLARED[name] != ELSEWHERE[name]} == set(DIFFERENT)


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_is_declared_otherwise_has_the_same_label_and_limits(name: str) -> None:
    for key in ("label", "type", "form", "min", "max", "precision"):
        assert DECLARED[name].get(key) == ELSEWHERE[name].get(key), key


def test_what_both_have_stands_in_the_same_order() -> None:
    shared = [name for name in DECLARED if name in ELSEWHERE and name not in DIFFERENT]
    assert shared == [n for n in ELSEWHERE if n in DECLARED and n not in DIFFERENT]


def test_the_size_is_left_to_the_image_unless_set() -> None:
    for name in ("width", "height"):
        assert "default" not in DECLARED[name]
        told = DECLARED[name]["human_description"]["en_US"]
        assert "the image's" in told
        assert "ultiple of 8" in told


def test_defaults_of_its_own_are_the_strength_and_the_forms_for_a_mask() -> None:
    # The API's own, 0 and 0, are not what people know from the WebUI's form.
    own = {n: d["default"] for n, d in DECLARED.items() if "default" in d and n not in ELSEWHERE}
    assert own == {"inpainting_fill": 1, "inpaint_full_res_padding": 32}
    assert DECLARED["denoising_strength"]["default"] == 0.75


def test_prompt_and_image_are_required() -> None:
    assert [name for name, d in DECLARED.items() if d.get("required")] == ["prompt", "image"]


def test_every_parameter_takes_a_variable() -> None:
    assert {d["form"] for d in DECLARED.values()} == {"llm"}


def test_what_the_web_interface_offers_is_within_the_limits() -> None:
    own = {n for n, d in DECLARED.items() if d["type"] == "number" and n not in ELSEWHERE}
    assert set(WEB_INTERFACE) == own | {"denoising_strength"}
    for name, (low, high) in WEB_INTERFACE.items():
        assert DECLARED[name]["min"] <= low, name
        assert high <= DECLARED[name]["max"], name


def test_a_choice_by_number_names_each_number() -> None:
    for name in ("resize_mode", "inpainting_fill"):
        told = DECLARED[name]["human_description"]["en_US"]
        for number in range(DECLARED[name]["min"], DECLARED[name]["max"] + 1):
            assert f"{number} " in told, name


def test_the_mask_says_which_part_is_repainted() -> None:
    assert "White" in DECLARED["mask"]["human_description"]["en_US"]


def test_the_inert_and_the_dangerous_say_so() -> None:
    told = {name: d["human_description"]["en_US"] for name, d in DECLARED.items()}
    assert told["include_init_images"].startswith("No effect")
    assert told["latent_mask"].startswith("Dangerous")
    assert list(DECLARED)[-3:] == ["include_init_images", "latent_mask", "firstpass_image"]


def test_the_outputs_are_txt2imgs() -> None:
    assert TOOL["output_schema"] == TXT2IMG["output_schema"]

"""What is read from an infotext, and which fields of txt2img it becomes."""

import json
from typing import Any

import pytest

from webui.pictures.infotext import Infotext, parse_infotext
from webui.pictures.infotext_fields import fields_of

LAST = "Steps: 20, Sampler: Euler a, Schedule type: Karras, CFG scale: 7, Seed: 5, Size: 512x768"


def fields(text: str) -> dict[str, Any]:
    return fields_of(parse_infotext(text))


def with_pairs(pairs: str) -> dict[str, Any]:
    """The fields beyond those of LAST."""
    plain = fields(LAST)
    return {name: value for name, value in fields(f"{LAST}, {pairs}").items() if name not in plain}


@pytest.mark.parametrize(
    ("text", "prompt", "negative_prompt"),
    [
        (f"a cat,\nasleep\nNegative prompt: dog,\nbird\n{LAST}", "a cat,\nasleep", "dog,\nbird"),
        (f"\nNegative prompt: dog\n{LAST}", "", "dog"),
        (f"Steps: many, Seed: 9, Size: large\n{LAST}", "Steps: many, Seed: 9, Size: large", ""),
        (LAST, "", ""),
    ],
    ids=["of several lines", "negative alone", "one that looks like pairs", "none"],
)
def test_prompts_are_what_stands_before_the_pairs(
    text: str, prompt: str, negative_prompt: str
) -> None:
    found = parse_infotext(text)
    assert (found.prompt, found.negative_prompt) == (prompt, negative_prompt)
    assert found.parameters["Seed"] == "5"


def test_the_usual_pairs_become_fields() -> None:
    prompts = {"prompt": "a cat", "negative_prompt": "dog"}
    sampling = {"steps": 20, "sampler_name": "Euler a", "scheduler": "Karras", "cfg_scale": 7.0}
    drawn = {"seed": 5, "width": 512, "height": 768}
    assert fields(f"a cat\nNegative prompt: dog\n{LAST}") == prompts | sampling | drawn


@pytest.mark.parametrize(
    "text", ["a cat: asleep, b: 2", "a cat", "two\nlines", "a blank at the end\n\n", "", " \n "]
)
def test_text_without_pairs_is_all_prompt(text: str) -> None:
    assert parse_infotext(text) == Infotext(text.strip())
    assert fields(text) == ({"prompt": text.strip()} if text.strip() else {})


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"a: 1, b: 2"', "a: 1, b: 2"),
        (r'"say \"hi\", twice\nthen: go"', 'say "hi", twice\nthen: go'),
        ('"never closed', '"never closed'),
        ('"closed" too early', '"closed" too early'),
        *((text, text) for text in (
            '{"model": "ab", "vae": {"x": [1, 2]}}', "{not JSON", "[" * 100_000, "", "12:30")),
    ],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_a_value_is_read_whole(written: str, value: str) -> None:
    found = parse_infotext(f"{LAST}, Odd one: {written}, Version: 1").parameters
    assert found["Odd one"] == value
    assert (found["Size"], found["Version"]) == ("512x768", "1")


def test_pairs_may_be_few_and_what_has_no_name_is_left_out() -> None:
    assert parse_infotext("Steps: 20") == Infotext(parameters={"Steps": "20"})
    found = parse_infotext("Steps: 20, , stray, : x, Sampler: Euler, Seed: 1,").parameters
    assert found == {"Steps": "20", "Sampler": "Euler", "Seed": "1"}


@pytest.mark.parametrize(
    ("pairs", "given"),
    [
        ("Denoising strength: 0.4", {"denoising_strength": 0.4}),
        ("Variation seed: 3, Variation seed strength: 0.2",
         {"subseed": 3, "subseed_strength": 0.2}),
        ("Seed resize from: 64x32", {"seed_resize_from_w": 64, "seed_resize_from_h": 32}),
        ("Tiling: True", {"tiling": True}),
        ("Distilled CFG Scale: 3.5", {"distilled_cfg_scale": 3.5}),
        ("Refiner: xl [0123456789], Refiner switch at: 0.8",
         {"refiner_checkpoint": "xl [0123456789]", "refiner_switch_at": 0.8}),
        ("CLiP-skip: 2", {"clip_skip": 2}),
        ('Clip skip: 2, SDCPP: "{}"', {"clip_skip": 2}),
        ("Hires upscale: 1.5, Hires upscaler: Latent, Hires steps: 4, Hires sampler: DDIM, "
         'Hires prompt: "a, b", Hires CFG Scale: 3',
         {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Latent", "hr_second_pass_steps": 4,
          "hr_sampler_name": "DDIM", "hr_prompt": "a, b", "hr_cfg": 3.0}),
        ("Hires resize: 1024x0, Hires upscaler: Latent",
         {"enable_hr": True, "hr_resize_x": 1024, "hr_resize_y": 0, "hr_upscaler": "Latent"}),
        ("Hires upscale: Lanczos, Hires scale: 2.0, Hires resize: 0x0",
         {"enable_hr": True, "hr_upscaler": "Lanczos", "hr_scale": 2.0}),
        ("HiRes mode: 1, Hires upscaler: Lanczos, Hires scale: 2",
         {"enable_hr": True, "hr_resize_mode": 1, "hr_upscaler": "Lanczos", "hr_scale": 2.0,
          "hr_force": False}),
        ("Hires force: True, Hires strength: 0.5",
         {"enable_hr": True, "hr_force": True, "hr_resize_mode": 0, "denoising_strength": 0.5}),
        ("Hires upscale: 2, Hires Module 1: a, Hires Module 2: b",
         {"enable_hr": True, "hr_scale": 2.0, "hr_additional_modules": ["a", "b"]}),
        ('ADetailer model: face.pt, ADetailer prompt: "a, b", ADetailer confidence: 0.3, '
         "ADetailer denoising strength: 0.4, ADetailer model 2nd: hand.pt, "
         "ADetailer model classes 2nd: x, ADetailer confidence 2nd: 0.3, "
         "ADetailer denoising strength 2nd: 0.5",
         {"ad_model": ["face.pt", "hand.pt"], "ad_prompt": "a, b\n", "ad_confidence": 0.3}),
        ('Detailer: "face, hand", Detailer strength: 0.4, Detailer prompt: a smile',
         {"ad_model": ["face", "hand"], "ad_denoising_strength": 0.4, "ad_prompt": "a smile"}),
        ("Face restoration: CodeFormer",
         {"restore_faces": True, "override_settings": {"face_restoration_model": "CodeFormer"}}),
        *((pairs, {"override_settings": options}) for pairs, options in [
            ("Clip skip: 2", {"CLIP_stop_at_last_layers": 2}),
            ("Model hash: abc, Model: dream", {"sd_model_checkpoint": "dream"}),
            ("Model hash: abc", {"sd_model_checkpoint": "abc"}),
            ("VAE: mse.safetensors", {"sd_vae": "mse.safetensors"}),
            ("Module 1: ae, Module 2: t5", {"forge_additional_modules": ["ae", "t5"]}),
            ("ENSD: 31337", {"eta_noise_seed_delta": 31337}),
            ("RNG: NV", {"randn_source": "NV"}),
            ("Token merging ratio: 0.5", {"token_merging_ratio": 0.5})]),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)  # fmt: skip
def test_further_pairs_become_fields_or_options_to_override(
    pairs: str, given: dict[str, Any]
) -> None:
    assert with_pairs(pairs) == given


def test_what_sdnext_adds_is_neither_a_prompt_nor_a_strength() -> None:
    text = f"a cat\nNegative prompt: dog\nTemplate: a cat\nasleep\n{LAST}, Hires force: True"
    found = fields(f"{text}, Hires strength: 0.0")
    assert (found["prompt"], found["negative_prompt"]) == ("a cat", "dog")
    assert "denoising_strength" not in found
    assert fields(f"{text}, Hires strength: 0.4")["denoising_strength"] == 0.4


@pytest.mark.parametrize(
    ("sampler", "given"),
    [("euler_a karras", {"sampler_name": "euler_a", "scheduler": "karras"}),
     ("euler_a", {"sampler_name": "euler_a"}), ("NONE karras", {"scheduler": "karras"}),
     ("NONE", {})],
)  # fmt: skip
def test_stable_diffusion_cpps_sampler_is_taken_apart(sampler: str, given: dict[str, str]) -> None:
    assert fields(f"Steps: 20, Sampler: {sampler}, SDCPP: {{}}") == {"steps": 20} | given


@pytest.mark.parametrize(
    "pairs",
    ['Lora hashes: "detail: 0f3a, style: 77"', "Eta: inf", "Clip skip: none", "RNG: cuda",
     "Tiling: perhaps", "Seed resize from: ?"],
)  # fmt: skip
def test_what_is_no_field_or_cannot_be_read_is_left_out(pairs: str) -> None:
    assert with_pairs(pairs) == {}


def test_fields_can_be_written_as_json() -> None:
    found = fields(f"a cat\n{LAST}, Seed: 1e999, CFG scale: 1e999")
    json.dumps(found, allow_nan=False)
    assert not {"seed", "cfg_scale"} & found.keys()

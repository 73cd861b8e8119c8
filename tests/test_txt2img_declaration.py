"""txt2img's parameters, against what the servers themselves declare."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from server_fields import FORM_TYPES, SAMPLES, of_all, recorded

from webui.parameters import Parameters

ROOT = Path(__file__).parent.parent
TOOL: dict[str, Any] = yaml.safe_load((ROOT / "tools" / "txt2img.yaml").read_bytes())
DECLARED: dict[str, dict[str, Any]] = {p["name"]: p for p in TOOL["parameters"]}
RECORDED = recorded("txt2img")
FIELDS = of_all(RECORDED)

OURS = {
    "model": "override_settings.sd_model_checkpoint",
    "vae": "override_settings.sd_vae, or forge_additional_modules",
    "clip_skip": "override_settings.CLIP_stop_at_last_layers",
    "lora": "tags in the prompt",
    "timeout": "how long to wait, which the server is not told",
    "resume": "whether a call takes over what an earlier one began",
    "extra_parameters": "fields that only one server knows",
    "reference_images": "the placeholders in alwayson_scripts and extra_parameters",
}
"""Parameters that are no fields of the API, and where their values go."""

WEB_INTERFACE = {
    "steps": (1, 150), "cfg_scale": (1, 30), "width": (64, 2048), "height": (64, 2048),
    "batch_size": (1, 8), "n_iter": (1, 100), "seed": (-1, 2**32), "subseed": (-1, 2**32),
    "subseed_strength": (0, 1), "seed_resize_from_w": (0, 2048), "seed_resize_from_h": (0, 2048),
    "denoising_strength": (0, 1), "hr_scale": (1, 4), "hr_second_pass_steps": (0, 150),
    "hr_resize_x": (0, 2048), "hr_resize_y": (0, 2048), "refiner_switch_at": (0.01, 1),
    "eta": (0, 1), "s_churn": (0, 100), "s_tmin": (0, 10), "s_tmax": (0, 999), "s_noise": (0, 1.1),
    "s_min_uncond": (0, 15), "distilled_cfg_scale": (0, 30), "hr_distilled_cfg": (0, 30),
    "hr_cfg": (1, 30), "clip_skip": (1, 12), "firstphase_width": (0, 2048),
    "firstphase_height": (0, 2048), "timeout": (1, 86400),
}  # fmt: skip
"""From where to where the servers' own sliders go; for timeout, the credential's range."""


def test_the_recorded_servers_agree_on_every_type() -> None:
    for name, fields in RECORDED.items():
        assert fields.items() <= FIELDS.items(), name


def test_every_field_of_every_server_and_eight_of_ours_are_offered() -> None:
    assert len(FIELDS) == 59
    assert len(OURS) == 8
    assert set(DECLARED) == set(FIELDS) | set(OURS)
    assert FIELDS.keys().isdisjoint(OURS)


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_has_the_forms_type_for_the_servers(name: str) -> None:
    declared = DECLARED[name]
    assert (declared["type"], declared.get("precision")) == FORM_TYPES[FIELDS[name]]


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_filled_in_as_text_becomes_the_servers_type(name: str) -> None:
    text, value = SAMPLES[FIELDS[name]]
    # Sizes begin at 8.
    text, value = ("8", 8) if name in {"width", "height"} else (text, value)
    found = Parameters(TOOL["parameters"]).read({"prompt": "a cat", name: text})[name]
    assert (found, type(found)) == (value, type(value))


def test_only_eight_parameters_have_a_default() -> None:
    defaults = {name: d["default"] for name, d in DECLARED.items() if "default" in d}
    assert defaults == {
        "width": 1024,
        "height": 1024,
        "steps": 20,
        "cfg_scale": 7,
        "seed": -1,
        "batch_size": 1,
        "n_iter": 1,
        "resume": True,
    }


def test_only_the_prompt_is_required() -> None:
    assert [name for name, d in DECLARED.items() if d.get("required")] == ["prompt"]


def test_every_parameter_takes_a_variable() -> None:
    assert {d["form"] for d in DECLARED.values()} == {"llm"}
    kinds = {name: d["type"] for name, d in DECLARED.items()}
    assert kinds.pop("reference_images") == "files"
    assert set(kinds.values()) == {"string", "number", "boolean"}


def test_numbers_and_nothing_else_have_limits_that_hold_their_default() -> None:
    for name, declared in DECLARED.items():
        if declared["type"] != "number":
            assert not declared.keys() & {"min", "max", "precision"}, name
            continue
        low, high = declared["min"], declared.get("max", float("inf"))
        assert low <= declared.get("default", low) <= high, name


def test_what_the_web_interface_offers_is_within_the_limits() -> None:
    assert set(WEB_INTERFACE) == {n for n, d in DECLARED.items() if d["type"] == "number"}
    for name, (low, high) in WEB_INTERFACE.items():
        assert DECLARED[name]["min"] <= low, name
        assert high <= DECLARED[name].get("max", high), name


@pytest.mark.parametrize("name", ["width", "height", "hr_resize_x", "hr_resize_y"])
def test_a_size_says_that_it_is_a_multiple_of_8(name: str) -> None:
    assert "multiple of 8" in DECLARED[name]["human_description"]["en_US"]


@pytest.mark.parametrize(
    "name", [n for n, kind in FIELDS.items() if kind.startswith(("list", "dict"))]
)
def test_a_field_that_holds_json_says_so(name: str) -> None:
    kind = "array" if FIELDS[name].startswith("list") else "object"
    assert f"JSON {kind}" in DECLARED[name]["human_description"]["en_US"]


def test_the_reference_images_name_their_placeholder() -> None:
    assert "{{image_1}}" in DECLARED["reference_images"]["human_description"]["en_US"]


@pytest.mark.parametrize("name", ["do_not_save_samples", "do_not_save_grid", "comments"])
def test_an_inert_field_says_so(name: str) -> None:
    assert "No effect" in DECLARED[name]["human_description"]["en_US"]


@pytest.mark.parametrize("name", ["firstphase_width", "firstphase_height", "firstpass_image"])
def test_a_dangerous_field_says_so_and_comes_last(name: str) -> None:
    assert DECLARED[name]["human_description"]["en_US"].startswith("Dangerous")
    assert name in list(DECLARED)[-3:]

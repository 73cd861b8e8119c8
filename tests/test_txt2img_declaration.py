"""txt2img's parameters, against what the servers themselves declare."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from webui.parameters import Parameters

ROOT = Path(__file__).parent.parent
TOOL: dict[str, Any] = yaml.safe_load((ROOT / "tools" / "txt2img.yaml").read_bytes())
DECLARED: dict[str, dict[str, Any]] = {p["name"]: p for p in TOOL["parameters"]}
RECORDED: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parent / "recorded" / "txt2img_fields.json").read_bytes()
)
"""The fields of each server's own txt2img model, by type: AUTOMATIC1111 1.10.1, Forge
f2.0.1v1.10.1, Forge Classic of February 2025, Forge Neo 2.26 and reForge 1.0.0v2."""
FIELDS = {name: kind for fields in RECORDED.values() for name, kind in fields.items()}

OURS = {
    "model": "override_settings.sd_model_checkpoint",
    "vae": "override_settings.sd_vae, or forge_additional_modules",
    "clip_skip": "override_settings.CLIP_stop_at_last_layers",
    "lora": "tags in the prompt",
    "timeout": "how long to wait, which the server is not told",
    "extra_parameters": "fields that only one server knows",
    "resume": "not of the request: whether a call takes over what Dify's limit cut off",
}
"""Parameters that are no fields of the API, and where their values go."""

FORM_TYPES = {
    "int": ("number", 0),
    "float": ("number", None),
    "bool": ("boolean", None),
    "str": ("string", None),
    "list": ("string", None),
    "list[str]": ("string", None),
    "dict": ("string", None),
    "dict[str, Any]": ("string", None),
    # The servers declare a picture object here, which JSON cannot carry: see its description.
    "Image": ("string", None),
}

SAMPLES: dict[str, tuple[str, object]] = {
    "int": ("8", 8),
    "float": ("1", 1.0),
    "bool": ("true", True),
    "str": ("text", "text"),
    "list": ('["a", "b"]', ["a", "b"]),
    "list[str]": ('["a", "b"]', ["a", "b"]),
    "dict": ('{"a": [1]}', {"a": [1]}),
    "dict[str, Any]": ('{"a": [1]}', {"a": [1]}),
    "Image": ("text", "text"),
}

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


def test_every_field_of_every_server_and_those_of_ours_are_offered() -> None:
    assert len(FIELDS) == 59
    assert set(DECLARED) == set(FIELDS) | set(OURS)
    assert FIELDS.keys().isdisjoint(OURS)


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_has_the_forms_type_for_the_servers(name: str) -> None:
    declared = DECLARED[name]
    assert (declared["type"], declared.get("precision")) == FORM_TYPES[FIELDS[name]]


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_filled_in_as_text_becomes_the_servers_type(name: str) -> None:
    text, value = SAMPLES[FIELDS[name]]
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
    assert {d["type"] for d in DECLARED.values()} <= {"string", "number", "boolean", "select"}


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
def test_a_size_says_that_it_is_rounded(name: str) -> None:
    assert "rounded to a multiple of 8" in DECLARED[name]["human_description"]["en_US"]


@pytest.mark.parametrize(
    "name", [n for n, kind in FIELDS.items() if kind.startswith(("list", "dict"))]
)
def test_a_field_that_holds_json_says_so(name: str) -> None:
    kind = "array" if FIELDS[name].startswith("list") else "object"
    assert f"JSON {kind}" in DECLARED[name]["human_description"]["en_US"]


@pytest.mark.parametrize("name", ["do_not_save_samples", "do_not_save_grid"])
def test_an_inert_field_says_so(name: str) -> None:
    assert "No effect" in DECLARED[name]["human_description"]["en_US"]


@pytest.mark.parametrize("name", ["firstphase_width", "firstphase_height", "firstpass_image"])
def test_a_dangerous_field_says_so_and_comes_last(name: str) -> None:
    assert DECLARED[name]["human_description"]["en_US"].startswith("Dangerous")
    assert name in list(DECLARED)[-3:]


def test_the_outputs_are_declared_with_what_they_mean() -> None:
    schema = TOOL["output_schema"]
    assert schema["type"] == "object"
    assert {name: of_type(value) for name, value in schema["properties"].items()} == {
        "seed": "integer",
        "seeds": "array of integer",
        "infotext": "string",
        "model": "string",
        "warnings": "array of string",
        "elapsed_seconds": "number",
        "progress": "string",
    }
    assert all(value["description"] for value in schema["properties"].values())


def of_type(schema: dict[str, Any]) -> str:
    kind = str(schema["type"])
    return f"array of {schema['items']['type']}" if kind == "array" else kind

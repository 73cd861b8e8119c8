"""declarations/fields.yaml, against what each family's own schema says and against itself."""

from collections.abc import Mapping
from typing import Any

import pytest
import requests

from support.declared import CATALOGUE
from support.standins import StandIns
from webui.fields import FIELDS
from webui.server import families

FORMS = CATALOGUE.forms
PATHS = {
    "txt2img": "/sdapi/v1/txt2img",
    "img2img": "/sdapi/v1/img2img",
    "upscale": "/sdapi/v1/extra-single-image",
}
FAMILIES = [one.key for one in families.FAMILIES if one.has_schema]
"""The families that have a schema."""

NOT_OFFERED = {
    ("img2img", "init_images"): "made from the field image",
    ("img2img", "init_latent"): "a tensor of Forge Neo's own, which JSON cannot carry",
    ("img2img", "hr_distilled_cfg"): "of a second pass, which img2img does not have",
    ("upscale", "image"): "made from the files",
    ("upscale", "resize_mode"): "follows from whether a target size is given",
    ("upscale", "show_extras_results"): "concerns the WebUI's own page",
}
OF_ANOTHER_TYPE = {
    ("sdnext", "sampler_index"): "an index that SD.Next lists and does not read",
}
TYPES = {"file": "string", "select": "string"}
JSON_TYPES = {"object": "object", "arguments": "array", "names": "array"}

KEYS = {
    "type", "json", "own", "extra", "required", "default", "range", "options", "api", "neutral",
    "elsewhere", "verbatim", "longest", "label", "help", "llm", "guide", "tools",
}  # fmt: skip
DIFFERENT_BY_TOOL = {"required", "default", "range", "label", "help", "llm", "guide", "after"}

SLIDERS = {
    "steps": (1, 150), "cfg_scale": (1, 30), "width": (64, 2048), "height": (64, 2048),
    "batch_size": (1, 8), "n_iter": (1, 100), "seed": (-1, 2**32), "subseed": (-1, 2**32),
    "subseed_strength": (0, 1), "seed_resize_from_w": (0, 2048), "seed_resize_from_h": (0, 2048),
    "denoising_strength": (0, 1), "hr_scale": (1, 4), "hr_second_pass_steps": (0, 150),
    "hr_resize_x": (0, 2048), "hr_resize_y": (0, 2048), "refiner_switch_at": (0.01, 1),
    "eta": (0, 1), "s_churn": (0, 100), "s_tmin": (0, 10), "s_tmax": (0, 999), "s_noise": (0, 1.1),
    "s_min_uncond": (0, 15), "distilled_cfg_scale": (0, 30), "hr_distilled_cfg": (0, 30),
    "hr_cfg": (1, 30), "clip_skip": (1, 12), "timeout": (1, 86400),
    "mask_blur": (0, 64), "mask_blur_x": (0, 64), "mask_blur_y": (0, 64),
    "inpaint_full_res_padding": (0, 256),
    "image_cfg_scale": (0, 3), "initial_noise_multiplier": (0, 1.5), "upscaling_resize": (1, 8),
    "gfpgan_visibility": (0, 1), "codeformer_visibility": (0, 1), "codeformer_weight": (0, 1),
    "extras_upscaler_2_visibility": (0, 1), "ad_confidence": (0, 1),
    "ad_denoising_strength": (0, 1),
}  # fmt: skip
"""From where to where the sliders of the WebUIs' own pages go."""


CASES = [(tool, family) for tool in PATHS for family in FAMILIES]


def properties(standins: StandIns, tool: str, family: str) -> dict[str, Any]:
    """Return what the family's endpoint takes, by its schema."""
    found = requests.get(standins.of(family).base_url + "/openapi.json", timeout=10).json()
    body = found["paths"][PATHS[tool]]["post"]["requestBody"]["content"]["application/json"]
    name = body["schema"]["$ref"].rpartition("/")[2]
    taken: dict[str, Any] = found["components"]["schemas"][name]["properties"]
    return taken


def of_the_api(tool: str) -> dict[str, Mapping[str, Any]]:
    return {name: said for name, said in FORMS[tool].items() if not said.get("own")}


def json_type(said: Mapping[str, Any]) -> str | None:
    """Return the type of a property that may also be null; None where it is left open."""
    kinds = [one.get("type") for one in (said, *said.get("anyOf", ()), *said.get("allOf", ()))]
    return next((kind for kind in kinds if kind not in {None, "null"}), None)


# SD.Next has some 180 fields of its own, which extra parameters are for.
@pytest.mark.parametrize(("tool", "family"), [case for case in CASES if case[1] != "sdnext"])
def test_every_field_of_the_server_is_offered(standins: StandIns, tool: str, family: str) -> None:
    missing = properties(standins, tool, family).keys() - of_the_api(tool).keys()
    assert {name for name in missing if (tool, name) not in NOT_OFFERED} == set()


@pytest.mark.parametrize(("tool", "family"), CASES)
def test_what_the_server_does_not_read_says_so(standins: StandIns, tool: str, family: str) -> None:
    fields = of_the_api(tool)
    ignored = {name for name, said in fields.items() if family in said.get("elsewhere", {})}
    assert ignored == fields.keys() - properties(standins, tool, family).keys()


@pytest.mark.parametrize(("tool", "family"), CASES)
def test_a_field_has_the_server_s_type(standins: StandIns, tool: str, family: str) -> None:
    taken = properties(standins, tool, family)
    for name, said in of_the_api(tool).items():
        if name in taken and (family, name) not in OF_ANOTHER_TYPE:
            wanted = JSON_TYPES.get(said.get("json", ""), TYPES.get(said["type"], said["type"]))
            wanted = "integer" if "api" in said else wanted
            assert json_type(taken[name]) in {wanted, None}, name


def test_a_field_has_no_key_that_nobody_reads() -> None:
    for name, said in CATALOGUE.fields.items():
        assert said.keys() <= KEYS, name
        for tool, different in said["tools"].items() if isinstance(said["tools"], dict) else ():
            assert different.keys() <= DIFFERENT_BY_TOOL, (name, tool)
        assert set(said["tools"]) <= set(CATALOGUE.tools), name
        assert set(said.get("elsewhere", ())) <= set(CATALOGUE.matrix["families"]), name


def test_numbers_and_nothing_else_have_a_range_and_it_holds_the_default() -> None:
    for tool, form in FORMS.items():
        for name, said in form.items():
            assert ("range" in said) is (said["type"] in {"integer", "number"}), (tool, name)
            if "range" in said:
                low, high = said["range"]
                default = said.get("default", low)
                assert low <= default <= (default if high is None else high), (tool, name)


@pytest.mark.parametrize("name", SLIDERS)
def test_what_the_web_page_offers_is_within_the_range(name: str) -> None:
    low, high = CATALOGUE.fields[name]["range"]
    assert low <= SLIDERS[name][0]
    assert high is None or SLIDERS[name][1] <= high


def test_a_form_tells_that_a_text_is_json() -> None:
    for name, said in CATALOGUE.fields.items():
        if "json" in said:
            names = said["json"] == "names"
            form = "separated by commas" if names else f"JSON {JSON_TYPES[said['json']]}"
            assert form in said["help"]["en_US"], name
            assert names or all("JSON" in words for words in said["help"].values()), name


def test_words_that_stand_for_the_apis_numbers_are_in_their_order() -> None:
    for name, said in CATALOGUE.fields.items():
        if "api" in said:
            numbered = dict(zip(said["options"], range(len(said["options"])), strict=True))
            assert said["api"] == numbered, name


def test_a_prompt_is_taken_to_the_letter() -> None:
    verbatim = {name for name, field in FIELDS.items() if field.verbatim}
    assert verbatim >= {name for name in FIELDS if "prompt" in name}


def test_the_caps_of_draw_let_its_defaults_pass() -> None:
    default = {name: said.get("default", 0) for name, said in FORMS["draw"].items()}
    assert max(default["width"], default["height"]) <= default["max_size"]
    assert default["count"] <= default["max_count"]


def test_upscale_has_no_default_that_would_contradict_a_target_size() -> None:
    found = [said["type"] for said in FORMS["upscale"].values() if "default" in said]
    # These do nothing without one.
    assert set(found) == {"boolean"}


@pytest.mark.parametrize(
    ("name", "value", "is_neutral"),
    [
        ("tiling", False, True),
        ("tiling", True, False),
        ("styles", [], True),
        ("n_iter", 1, True),
        ("n_iter", 0, False),
        ("eta", 0, False),
    ],
)
def test_a_neutral_value_is_the_declared_one_or_else_an_empty_one(
    name: str, value: object, is_neutral: bool
) -> None:
    assert FIELDS[name].is_neutral(value) is is_neutral

"""ControlNet's fields, lists and preview through the real SDK classes against the stand-ins."""

import base64
import json
from typing import Any

import pytest
from dify_plugin import Tool

from devtools.standin import StandIn
from support.dify_files import picture, served
from support.drawing import Drawn, all_sent, draw, invoke, lying_picture, refused, sent
from support.standins import StandIns
from tools.control_preview import ControlPreviewTool
from tools.img2img import Img2ImgTool
from tools.server_info import ServerInfoTool
from webui.errors import InvalidParameterError, WebUILateError
from webui.http import client

EXTENDED = {"a1111": ["controlnet"]}
CANNY = "control_v11p_sd15_canny [d14c016b]"
XL_CANNY, XL_DEPTH = "diffusers_xl_canny_full [2b69fca4]", "diffusers_xl_depth_full [2f51180b]"
PHOTO = picture(64, 48, "JPEG")
DETECT = "/controlnet/detect"


def on(standins: StandIns, family: str) -> StandIn:
    return standins.of(family, extensions=EXTENDED.get(family, ()))


def controlled(standin: StandIn, photo: bytes = PHOTO, **given: Any) -> Drawn:  # noqa: ANN401
    with served(photo) as file:
        return draw(standin, control_image=file, **given)


def units(standin: StandIn, job: str = "txt2img") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sent(standin, job)["alwayson_scripts"]["ControlNet"]["args"]
    return found


def call(tool: type[Tool], standin: StandIn, **given: object) -> Drawn:
    with served(PHOTO) as file:
        return Drawn(invoke(tool, standin, {"image": file, **given}))


@pytest.mark.parametrize("family", ["a1111", "forge", "neo", "classic"])
def test_a_photo_and_a_type_make_a_picture_by_a_unit_of_the_server_s_own(
    standins: StandIns, family: str
) -> None:
    standin = on(standins, family)
    drawn = controlled(standin, control_type="canny")
    assert units(standin) == [
        {
            "enabled": True,
            "module": "canny",
            "model": CANNY,
            "pixel_perfect": True,
            "image": base64.b64encode(PHOTO).decode(),
            "resize_mode": "Crop and Resize",
            "control_mode": "Balanced",
        }
    ]
    assert (drawn.warnings, standin.state.drawn[0].controlnet) == ([], CANNY)
    assert "control_type" not in sent(standin)


def test_weights_times_and_modes_have_the_extension_s_names(standins: StandIns) -> None:
    standin = on(standins, "forge")
    given: dict[str, Any] = {"control_weight": 0.5, "control_start": 0.1, "control_end": "0.6"}
    given |= {"control_mode": "prompt", "control_resize_mode": "resize_and_fill"}
    controlled(standin, control_type="Canny", **given)
    (unit,) = units(standin)
    assert (unit["weight"], unit["guidance_start"], unit["guidance_end"]) == (0.5, 0.1, 0.6)
    assert unit["control_mode"] == "My prompt is more important"
    assert unit["resize_mode"] == "Resize and Fill"


def test_further_units_stay_behind_ours(standins: StandIns) -> None:
    standin = on(standins, "forge")
    scripts = {"controlnet": {"args": [{"module": "None", "model": CANNY, "enabled": False}]}}
    controlled(standin, control_type="Canny", alwayson_scripts=json.dumps(scripts))
    sent_units = sent(standin)["alwayson_scripts"]["controlnet"]["args"]
    assert [unit["enabled"] for unit in sent_units] == [True, False]
    scripts["controlnet"]["args"] *= 3
    with refused(InvalidParameterError, match="ControlNet has 3 units on this server, not 4"):
        controlled(standin, control_type="Canny", alwayson_scripts=json.dumps(scripts))
    with refused(InvalidParameterError, match=r"controlnet must be .*args"):
        controlled(standin, control_type="Canny", alwayson_scripts='{"controlnet": {"args": 1}}')


def test_img2img_controls_by_the_image_itself_where_only_a_type_is_given(
    standins: StandIns,
) -> None:
    standin = on(standins, "forge")
    drawn = call(Img2ImgTool, standin, prompt="a cat", control_type="Canny")
    (unit,) = units(standin, "img2img")
    assert (unit["model"], "image" in unit, drawn.warnings) == (CANNY, False, [])


def test_without_a_picture_a_control_has_no_effect_and_its_usual_values_no_word(
    standins: StandIns,
) -> None:
    standin = on(standins, "sdcpp")
    usual: dict[str, Any] = {"control_mode": "balanced", "control_end": 1.0, "control_weight": 1}
    assert draw(standin, **usual).warnings == []
    drawn = draw(standin, control_type="Canny", control_weight=0.5)
    assert drawn.warnings == ["control_type, control_weight have no effect without control_image."]
    assert not any("alwayson_scripts" in one for one in all_sent(standin))


@pytest.mark.parametrize(("family", "none"), [("a1111", "none"), ("forge", "None")])
def test_a_picture_that_is_a_map_already_passes_by_no_preprocessor_in_the_server_s_word(
    standins: StandIns, family: str, none: str
) -> None:
    standin = on(standins, family)
    controlled(standin, control_preprocessor="NONE", control_model="t2i_color")
    (unit,) = units(standin)
    assert (unit["module"], unit["model"]) == (none, "t2i_color")
    scripts = {"ControlNet": {"args": [{"module": "nOne", "model": "none", "enabled": True}]}}
    draw(standin, alwayson_scripts=json.dumps(scripts))
    (unit,) = all_sent(standin)[1]["alwayson_scripts"]["ControlNet"]["args"]
    assert (unit["module"], unit["model"]) == (none, "None")


@pytest.mark.parametrize(
    ("given", "model"),
    [
        ({"control_type": "Canny", "model": "sd_xl_base_1.0"}, XL_CANNY),
        ({"control_type": "Depth", "model": "sd_xl_base_1.0"}, XL_DEPTH),
        # Of what kind it is, its name does not say.
        ({"control_type": "Depth", "model": "dreamshaper_8"}, XL_DEPTH),
        ({"control_type": "Depth", "control_model": "diffusers_xl_depth_full"}, XL_DEPTH),
        ({"control_type": "reference"}, "None"),
    ],
)
def test_a_type_s_model_is_of_the_checkpoint_s_kind(
    standins: StandIns, given: dict[str, Any], model: str
) -> None:
    standin = on(standins, "forge")
    controlled(standin, **given)
    assert units(standin)[0]["model"] == model


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "^control_type is empty.*The server has Canny, Depth"),
        ({"control_model": CANNY}, "^control_type is empty"),
        ({"control_preprocessor": "canny"}, "^control_model is empty"),
        ({"control_type": "Deep"}, "^control_type: .*Closest of 4: Depth"),
        ({"control_type": "Canny", "control_preprocessor": "cany"}, "^control_preproc.*: canny"),
        (
            {"control_type": "Canny", "control_model": "cany"},
            "^control_model: .*no ControlNet model",
        ),
        (
            {"control_type": "OpenPose"},
            "^control_type: the server has no ControlNet model for Open",
        ),
        ({"control_type": "Depth"}, "^control_type: v1-5-.* is for SD 1.x .*diffusers_xl_depth"),
        (
            {"control_type": "Canny", "control_start": 0.6, "control_end": 0.5},
            "^control_start: 0.6",
        ),
    ],
)
def test_what_the_server_would_leave_out_is_refused_before_anything_is_drawn(
    standins: StandIns, given: dict[str, Any], words: str
) -> None:
    standin = on(standins, "forge")
    with refused(InvalidParameterError, match=words):
        controlled(standin, **given)
    assert all_sent(standin) == []


def test_a_missing_extension_is_told_by_name_and_a_built_in_one_where_to_turn_it_on(
    standins: StandIns,
) -> None:
    standin = standins.of("a1111")
    with refused(InvalidParameterError, match="^control_image: .*Install .* sd-webui-controlnet"):
        controlled(standin, control_type="Canny")
    with refused(InvalidParameterError, match="^image: .*sd-webui-controlnet"):
        call(ControlPreviewTool, standin, control_type="Canny")
    with StandIn(family="forge") as forge:
        forge.fail_next("/sdapi/v1/script-info", status=200, body=[])
        forge.fail_next("/sdapi/v1/script-info", status=200, body=[])
        forge.fail_next("/sdapi/v1/scripts", status=200, body={"txt2img": ["seed"]})
        with refused(InvalidParameterError, match="turn sd_forge_controlnet on"):
            controlled(forge, control_type="Canny")
        assert all_sent(standin) == all_sent(forge) == []


def test_a_server_that_tells_no_types_is_drawn_on_by_names_alone() -> None:
    with StandIn(family="forge") as standin:
        for _ in range(4):
            standin.fail_next("/controlnet/control_types", status=404)
            standin.fail_next("/controlnet/module_list", status=404)
        with refused(InvalidParameterError, match="^control_type: Forge does not tell its types"):
            controlled(standin, control_type="Canny")
        controlled(standin, control_preprocessor="canny", control_model=CANNY)
        assert units(standin)[0]["module"] == "canny"


@pytest.mark.parametrize(
    ("silent", "words"), [("module_list", "which types"), ("model_list", "which ControlNet models")]
)
def test_a_busy_server_is_not_said_to_lack_what_it_did_not_tell(
    monkeypatch: pytest.MonkeyPatch, silent: str, words: str
) -> None:
    monkeypatch.setattr(client, "LOOKUP_PATIENCE", 0.3)
    with StandIn(family="forge") as standin:
        for listing in ("control_types", silent):
            standin.hang_next(f"/controlnet/{listing}")
        with refused(WebUILateError, match=f"^control_type: .* in time {words}.*try again"):
            controlled(standin, control_type="Canny")
        assert all_sent(standin) == []


def test_a_model_for_several_types_is_told_which_it_is_to_be() -> None:
    with StandIn(extensions=["controlnet"]) as standin:
        names = {"model_list": ["None", "xinsir_union_xl [0123abcd]"]}
        standin.fail_next("/controlnet/model_list", status=200, body=names)
        controlled(standin, control_type="Depth", control_model="xinsir_union_xl")
        assert units(standin)[0]["union_control_type"] == "Depth"


def test_reforge_is_said_to_balance_whatever_is_asked(standins: StandIns) -> None:
    standin = on(standins, "reforge")
    drawn = controlled(standin, control_type="Canny", control_mode="controlnet")
    assert drawn.warnings == ["control_mode has no effect: reForge always balances."]
    assert "control_mode" not in units(standin)[0]


def test_a_photo_that_lies_on_its_side_is_told_of_where_the_server_leaves_it_so(
    standins: StandIns,
) -> None:
    standin = on(standins, "classic")
    (warning,) = controlled(standin, lying_picture(), control_type="Canny").warnings
    assert "does not turn the image as its EXIF data says" in warning


def test_server_info_tells_what_each_type_takes(standins: StandIns) -> None:
    tool = ServerInfoTool.from_credentials({"base_url": on(standins, "forge").base_url})
    items = Drawn(tool.invoke({"list": "control_types"})).json["items"]
    assert {"name": "Canny", "preprocessor": "canny", "model": CANNY} in items


def test_a_preview_has_the_picture_s_resolution_and_the_sliders_of_a_drawing(
    standins: StandIns,
) -> None:
    standin = on(standins, "forge")
    drawn = call(ControlPreviewTool, standin, control_type="Canny")
    (asked,) = [one.json for one in standin.received if one.path == DETECT]
    assert asked["controlnet_module"] == drawn.variables["preprocessor"] == "canny"
    assert asked["controlnet_processor_res"] == 64  # At least; the picture has 48.
    assert (asked["controlnet_threshold_a"], asked["controlnet_threshold_b"]) == (100, 200)
    assert drawn.text.startswith("Map by canny, ")
    assert drawn.json["images"][0]["filename"].startswith("control_preview-")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"control_preprocessor": "None"}, "^control_preprocessor: none leaves the picture"),
        ({"control_preprocessor": "CLIP-ViT-H (IPAdapter)"}, "CLIP-ViT-H .* makes numbers"),
        ({}, "^control_type is empty"),
    ],
)
def test_a_preview_of_what_makes_no_picture_is_refused(
    standins: StandIns, given: dict[str, str], words: str
) -> None:
    standin = on(standins, "forge")
    with refused(InvalidParameterError, match=words):
        call(ControlPreviewTool, standin, **given)
    assert DETECT not in [one.path for one in standin.received]


def test_a_preview_with_sdnext_goes_by_its_own_endpoint(standins: StandIns) -> None:
    standin = on(standins, "sdnext")
    drawn = call(ControlPreviewTool, standin, control_type="depth")
    assert drawn.variables["preprocessor"] == "Midas Depth Hybrid"
    (asked,) = [one.json for one in standin.received if one.path == "/sdapi/v1/preprocess"]
    assert asked["model"] == "Midas Depth Hybrid"

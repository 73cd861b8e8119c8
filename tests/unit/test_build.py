"""From a form's values to the request, by what a server is known to do."""

from typing import Any

import pytest

from devtools.standin import StandIn
from support.exchange import connect
from support.raw_server import RawServer, reply
from webui.errors import InvalidParameterError
from webui.http.endpoints import Endpoint
from webui.request.build import build_request
from webui.request.request import Request
from webui.server.families import Family
from webui.server.profile import Profile
from webui.server.server import Server

SHARPER = {"enable_hr": True, "cfg_scale": 5.0, "steps": 4}


def built(
    *,
    asked: dict[str, Any],
    fields: frozenset[str] | None = None,
    default_model: str = "",
    **traits: Any,  # noqa: ANN401 - whatever a family has
) -> Request:
    """By a server that knows nothing of any name, so that none is checked."""
    profile = Profile("txt2img", Family("plain", "Plain", **traits), fields, frozenset())
    with RawServer(reply("", status="404 Not Found")) as bare, connect(bare.base_url) as there:
        server = Server(there, profile)
        return build_request(Endpoint.TXT2IMG, asked, server, default_model=default_model)


def asked_of(standin: StandIn, **asked: object) -> Request:
    with connect(standin.base_url) as there:
        return build_request(Endpoint.TXT2IMG, asked, Server.ask(there, Endpoint.TXT2IMG))


def refusal(asked: dict[str, Any], **traits: Any) -> str:  # noqa: ANN401 - as in `built`
    with pytest.raises(InvalidParameterError) as caught:
        built(asked=asked, **traits)
    return str(caught.value)


def test_what_is_set_goes_out_under_its_own_name_and_ours_does_not() -> None:
    asked = {"prompt": "a cat", "eta": 0.5, "timeout": 5, "resume": False}
    found = built(asked=asked)
    assert found.fields == {"prompt": "a cat", "eta": 0.5}
    assert found.given == ("prompt", "eta")


@pytest.mark.parametrize(
    ("given", "used", "said"),
    [(1004, 1008, True), (1003, 1000, True), (8, 8, False), (16384, 16384, False)],
)
def test_sizes_are_rounded_to_the_nearest_multiple_of_8(given: int, used: int, said: bool) -> None:
    found = built(asked={"enable_hr": True, "width": given, "hr_resize_y": given})
    assert (found.fields["width"], found.fields["hr_resize_y"]) == (used, used)
    expected = f"width {given} is no multiple of 8 and was rounded to {used}."
    assert (expected in found.warnings) is said
    assert len(found.warnings) == 2 * said


def test_a_second_pass_is_completed_with_what_some_server_needs() -> None:
    assert built(asked=SHARPER).fields == SHARPER | {
        "denoising_strength": 0.7, "hr_cfg": 5.0, "hr_additional_modules": ["Use same choices"],
        "hr_steps": 4, "hr_resize_mode": 5, "hr_force": True,
    }  # fmt: skip
    assert built(asked={"enable_hr": False}).fields == {"enable_hr": False}
    assert built(asked=SHARPER, hires_wants_upscaler=True).fields["hr_upscaler"].startswith("Late")


def test_a_second_pass_keeps_what_is_given() -> None:
    given = {
        "denoising_strength": 0.3, "hr_cfg": 2.0, "hr_additional_modules": ["a", "b"],
        "hr_second_pass_steps": 9, "hr_upscaler": "Latent",
    }  # fmt: skip
    fields = built(asked=SHARPER | given | {"extra_parameters": {"hr_force": False}}).fields
    completed = {"hr_steps": 9, "hr_resize_mode": 1, "hr_force": False}
    assert fields == SHARPER | given | completed


def test_model_vae_and_clip_skip_become_options_beside_those_given() -> None:
    noise = {"eta_noise_seed_delta": 31337}
    asked = {"model": "dream", "vae": "Automatic", "clip_skip": 2, "override_settings": noise}
    assert built(asked=asked).overrides == noise | {
        "sd_model_checkpoint": "dream", "sd_vae": "Automatic", "CLIP_stop_at_last_layers": 2,
    }  # fmt: skip
    assert built(asked={"clip_skip": 2}, clip_skip_is_field=True).fields == {"clip_skip": 2}


def test_several_vaes_are_modules_or_refused() -> None:
    several = {"vae": "ae.safetensors, clip_l.safetensors"}
    assert "names 2 files, but this server takes one" in refusal(several)
    with StandIn(family="forge") as standin, connect(standin.base_url) as there:
        server = Server.ask(there, Endpoint.TXT2IMG)
        for asked, modules in ((several["vae"], several["vae"].split(", ")), ("Automatic", [])):
            found = build_request(Endpoint.TXT2IMG, {"vae": asked}, server).overrides
            assert found == {"forge_additional_modules": modules}


def test_the_default_model_is_for_calls_that_name_none() -> None:
    assert built(asked={}, default_model="dream").model == "dream"
    assert built(asked={"model": "mine"}, default_model="dream").model == "mine"
    option = {"override_settings": {"sd_model_checkpoint": "mine"}}
    assert built(asked=option, default_model="dream").model == "mine"


@pytest.mark.parametrize(
    ("parameter", "value", "option"),
    [("model", "dream", "sd_model_checkpoint"), ("vae", "ae", "sd_vae"),
     ("clip_skip", 2, "CLIP_stop_at_last_layers")],
)  # fmt: skip
def test_what_is_given_twice_and_differently_is_refused(
    parameter: str, value: object, option: str
) -> None:
    assert built(asked={parameter: value, "override_settings": {option: value}}).overrides
    said = refusal({parameter: value, "override_settings": {option: "other"}})
    assert said.startswith(f"{parameter}: {value!r} contradicts override_settings, where {option}")


def test_a_count_is_drawn_one_by_one() -> None:
    assert built(asked={"count": 3}).fields == {"n_iter": 3}


@pytest.mark.parametrize(("first", "sent"), [(0, {}), (1, {"resize_mode": 1})])
def test_resize_modes_are_counted_as_the_server_does(first: int, sent: dict[str, int]) -> None:
    picture = {"init_images": ["x"]}
    assert built(asked=picture, resize_modes_from=first).fields == picture | sent
    cropped = built(asked=picture | {"resize_mode": 1}, resize_modes_from=first)
    assert cropped.fields["resize_mode"] == 1 + first
    latent = picture | {"resize_mode": 3}
    assert built(asked=latent, resize_modes_from=first).fields["resize_mode"] == 3 + first
    if first:
        assert "Plain has no latent" in refusal(latent, resize_modes_from=1, resizes_latent=False)


def test_extra_parameters_come_last_as_a_merge_patch() -> None:
    patch = {
        "seed": 2, "eta": None, "teacache_enabled": True,
        "override_settings": {"eta_noise_seed_delta": None, "samples_format": "png"},
    }  # fmt: skip
    asked = {"seed": 1, "clip_skip": 2, "eta": 0.5, "extra_parameters": patch}
    assert built(asked=asked | {"override_settings": {"eta_noise_seed_delta": 1}}).fields == {
        "seed": 2,
        "teacache_enabled": True,
        "override_settings": {"CLIP_stop_at_last_layers": 2, "samples_format": "png"},
    }

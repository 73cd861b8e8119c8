"""The examples of workflows, in the engine that Dify runs them with."""

from dataclasses import replace
from pathlib import Path

import pytest

from devtools.host import PluginProcess
from devtools.standin import StandIn
from devtools.workflow import Host, WorkflowError
from support.dify_files import picture
from support.drawing import all_sent, sent
from support.workflows import example, opened, sizes, upload

NO_MODEL = "model: AUTOMATIC1111 has no model named 'nobody'."


def test_what_is_entered_arrives_and_files_of_that_size_come_out(
    dify: Host, standin: StandIn
) -> None:
    entered = {"prompt": "a cat", "width": "72", "height": 48, "count": "2", "seed": 41}
    came = example("text-to-image.yml").run(dify, entered)

    expected = {"prompt": "a cat", "width": 72, "height": 48, "n_iter": 2, "seed": 41}
    assert sent(standin).items() >= expected.items()
    assert sizes(dify.files, came.outputs["images"]) == [(72, 48), (72, 48)]
    assert came.outputs["seed"] == 41
    assert came.outputs["infotext"].startswith("a cat\nSteps: ")


def test_what_is_left_empty_is_what_the_form_says(dify: Host, standin: StandIn) -> None:
    example("text-to-image.yml").run(dify, {"prompt": "a cat", "width": 64, "height": None})
    expected = {"width": 64, "height": 1024, "n_iter": 1, "seed": -1}
    assert sent(standin).items() >= expected.items()


def test_a_required_field_is_asked_for_before_anything_runs(dify: Host) -> None:
    with pytest.raises(WorkflowError, match="prompt is required in input form"):
        example("text-to-image.yml").run(dify, {})


def test_a_failing_node_fails_with_the_plugin_s_sentence_alone(dify: Host) -> None:
    with pytest.raises(WorkflowError) as caught:
        example("text-to-image.yml", model="nobody").run(dify, {"prompt": "a cat"})
    assert str(caught.value).startswith(NO_MODEL)


def test_a_node_is_run_again_after_a_failure_and_the_run_goes_on(
    dify: Host, standin: StandIn
) -> None:
    standin.fail_next("/sdapi/v1/txt2img", status=500, body={"error": "RuntimeError"})
    came = example("text-to-image.yml").run(dify, {"prompt": "a cat", "width": 64, "height": 64})
    assert len(came.retries) == 1
    assert sizes(dify.files, came.outputs["images"]) == [(64, 64)]


@pytest.mark.slow
def test_the_second_try_collects_the_picture_that_dify_s_limit_cut_off(dify: Host) -> None:
    with (
        StandIn(delay=4) as standin,
        PluginProcess(environment={"PLUGIN_MAX_EXECUTION_TIMEOUT": "3"}) as plugin,
    ):
        host = replace(dify, plugin=plugin, credentials={"base_url": standin.base_url}, timeout=3)
        entered = {"prompt": "a cat", "width": 64, "height": 64}
        came = example("text-to-image.yml").run(host, entered)
        assert len(all_sent(standin)) == 1
    (why,) = came.retries
    assert why.startswith("Dify's plugin daemon ends every call after 3 s")
    assert sizes(dify.files, came.outputs["images"]) == [(64, 64)]


def test_each_round_of_an_iteration_has_its_style_and_files_of_its_own(
    dify: Host, standin: StandIn
) -> None:
    came = example("many-styles.yml").run(dify, {"prompt": "a cat", "chosen": 2})

    pictures, enlarged = came.outputs["pictures"], came.outputs["enlarged"]
    styles = [one["styles"] for one in all_sent(standin)]
    assert styles == [["Watercolour"], ["Sharp"]]
    assert len({one.filename for one in [*pictures, *enlarged]}) == len(styles) + 1
    assert sizes(dify.files, pictures) == [(64, 96)] * len(styles)
    assert sizes(dify.files, enlarged) == [(128, 192)]


def test_samplers_and_steps_are_compared_in_one_picture_before_the_single_ones(
    dify: Host, standin: StandIn
) -> None:
    entered = {"prompt": "a cat", "samplers": "euler A, DPM++ 2M", "steps": "1, 2", "seed": 41}
    alone = example("compare-samplers.yml").run(dify, entered).outputs
    [(width, height)] = sizes(dify.files, alone["pictures"])
    assert (width >= 2 * 64, height >= 2 * 96, alone["seed"]) == (True, True, 41)
    samplers = ["Euler a", "DPM++ 2M", "Euler a", "DPM++ 2M"]
    assert [one.sampler for one in standin.state.drawn] == samplers

    came = example("compare-samplers.yml").run(dify, entered | {"singles": "yes"})
    plot, *singles = opened(dify.files, came.outputs["pictures"])
    assert plot.size == (width, height)
    drawn = zip(singles, [1, 1, 2, 2], samplers, strict=True)
    for one, steps, sampler in drawn:
        assert f"\nSteps: {steps}, Sampler: {sampler}," in one.info["parameters"]


def test_each_photo_of_a_list_is_cut_out_in_a_call_of_its_own(dify: Host, tmp_path: Path) -> None:
    shapes = [(64, 96), (48, 32)]
    photos = [
        upload(dify.files, tmp_path / f"{at}.png", picture(*shape))
        for at, shape in enumerate(shapes)
    ]
    with StandIn(extensions=["rembg"]) as standin:
        host = replace(dify, credentials={"base_url": standin.base_url})
        came = example("cut-out-many.yml").run(host, {"photos": photos})

    assert len([one for one in standin.received if one.path == "/rembg"]) == len(shapes)
    cutouts = opened(dify.files, came.outputs["cutouts"])
    assert [(one.mode, one.size) for one in cutouts] == [("RGBA", shape) for shape in shapes]


def test_what_to_install_is_said_instead_of_an_empty_list_of_cut_outs(
    dify: Host, tmp_path: Path
) -> None:
    photo = upload(dify.files, tmp_path / "photo.png", picture(8, 8))
    with pytest.raises(WorkflowError, match="stable-diffusion-webui-rembg"):
        example("cut-out-many.yml").run(dify, {"photos": [photo]})

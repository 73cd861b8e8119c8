"""What a family does, told once per trait or rule, on a family that has it."""

import concurrent.futures
import io
import json
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from devtools.standin import FAMILIES, StandIn, family, infotext, pictures
from devtools.standin.__main__ import main
from support.drawing import until

SMALL = {"prompt": "a cat", "width": 64, "height": 64, "steps": 2}
HIRES = {"enable_hr": True, "denoising_strength": 0.5}
TXT2IMG = "/sdapi/v1/txt2img"


@pytest.fixture(scope="module")
def running() -> Iterator[Callable[[str], StandIn]]:
    """A stand-in of each family, started when first wanted."""
    started: dict[str, StandIn] = {}
    with ExitStack() as stack:

        def of(name: str) -> StandIn:
            if name not in started:
                started[name] = stack.enter_context(StandIn(family=name))
            started[name].state.drawn.clear()
            started[name].state.loads.clear()
            return started[name]

        yield of


def ask(standin: StandIn, name: str, /, **fields: object) -> requests.Response:
    size = SMALL if name.endswith("2img") else {}
    url = f"{standin.base_url}/sdapi/v1/{name}"
    return requests.post(url, json={**size, **fields}, timeout=30)


def get(standin: StandIn, path: str, **options: Any) -> requests.Response:  # noqa: ANN401 - requests' own
    return requests.get(standin.base_url + path, timeout=10, **options)


def draw(standin: StandIn, kind: str = "txt2img", /, **fields: object) -> dict[str, Any]:
    """The reply of a picture that succeeds, with `info` parsed and `images` opened."""
    response = ask(standin, kind, **fields)
    assert response.status_code == 200, response.text
    reply: dict[str, Any] = response.json()
    reply["info"] = json.loads(reply["info"] or "{}")
    reply["images"] = [Image.open(io.BytesIO(b64decode(one))) for one in reply["images"]]
    return reply


def red(width: int, height: int) -> str:
    picture = Image.new("RGB", (width, height), "red")
    return b64encode(pictures.encode(picture, "png")).decode()


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_answers_what_its_file_holds(running: Callable[[str], StandIn], name: str) -> None:
    standin = running(name)
    for path in [path for path in FAMILIES[name].replies if path.startswith("/")]:
        response = get(standin, path)
        assert response.status_code == FAMILIES[name].statuses.get(path, 200), path
        changes = path.endswith(("progress", "checkpoint"))
        assert changes or response.json() == FAMILIES[name].replies[path]


def test_another_family_of_the_line_is_one_more_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = Path(family.__file__).parent / "recorded" / "neo.json"
    found = json.loads(source.read_text(encoding="utf-8")) | {"version": "eighth"}
    (tmp_path / "eighth.json").write_text(json.dumps(found))
    monkeypatch.setitem(FAMILIES, "eighth", family.read_family(tmp_path / "eighth.json"))
    with StandIn(family="eighth") as standin:
        assert draw(standin)["info"]["version"] == "eighth"


@pytest.mark.parametrize(
    ("fields", "place", "text"),
    [
        ({"width": "abc"}, ["body", "width"], "Input should be a valid integer, unable to parse"),
        ({"steps": 2.5}, ["body", "steps"], "Input should be a valid integer, got a number with"),
        ({"styles": "Sharp"}, ["body", "styles"], "Input should be a valid list"),
        ({"send_images": None}, ["body", "send_images"], "Input should be a valid boolean"),
    ],
)
def test_a_value_of_another_type_is_refused_as_fastapi_does(
    running: Callable[[str], StandIn], fields: dict[str, Any], place: list[str], text: str
) -> None:
    response = ask(running("forge"), "txt2img", **fields)
    assert response.status_code == 422
    [complaint] = response.json()["detail"]
    assert complaint["loc"] == place
    assert complaint["msg"].startswith(text)


def test_limits_and_what_is_required_are_refused_too(running: Callable[[str], StandIn]) -> None:
    above = ask(running("classic"), "extra-single-image", image=red(8, 8), upscaling_resize=9)
    assert above.json()["detail"][0]["msg"] == "Input should be less than or equal to 8"
    missing = ask(running("a1111"), "png-info")
    assert missing.json()["detail"][0]["msg"] == "Field required"
    broken = requests.post(running("a1111").base_url + TXT2IMG, data=b"{oops", timeout=10)
    assert (broken.status_code, broken.json()["detail"][0]["loc"]) == (422, ["body"])


def test_text_that_is_a_number_passes_for_one(running: Callable[[str], StandIn]) -> None:
    reply = draw(running("a1111"), width="128", seed="7")
    assert (reply["images"][0].size, reply["info"]["seed"]) == ((128, 64), 7)


@pytest.mark.parametrize(
    ("asked", "drawn"),
    [
        ({"sampler_name": "Nowhere"}, ("DPM++ 2M", "Automatic")),
        ({"sampler_name": "Euler", "scheduler": "Nowhere"}, ("Euler", "Automatic")),
        ({"sampler_name": "DPM++ 2M SDE Karras"}, ("DPM++ 2M SDE", "Karras")),
        ({"sampler_name": "DPM++ 2M Karras"}, ("DPM++ 2M", "Automatic")),
    ],
)
def test_an_unknown_sampler_is_replaced_in_silence(
    running: Callable[[str], StandIn], asked: dict[str, str], drawn: tuple[str, str]
) -> None:
    standin = running("a1111")
    info = draw(standin, **asked)["info"]
    [applied] = standin.state.drawn
    assert (applied.sampler, applied.scheduler) == drawn
    assert f"Schedule type: {drawn[1]}" in info["infotexts"][0]


def test_joined_samplers_are_refused_when_unknown(running: Callable[[str], StandIn]) -> None:
    standin = running("classic")
    assert ask(standin, "txt2img", sampler_name="Nowhere").json()["detail"] == "Sampler not found"
    draw(standin, sampler_name="DPM++ 2M Karras")
    assert standin.state.drawn[0].sampler == "DPM++ 2M Karras"


def test_a_login_is_wanted_in_the_family_s_own_words() -> None:
    for name, body in (
        ("forge", {"detail": "Not authenticated"}),
        (
            "a1111",
            {"error": "HTTPException", "detail": "Not authenticated", "body": "", "errors": ""},
        ),
    ):
        with StandIn(family=name, api_auth="ann:secret") as standin:
            refused = get(standin, "/sdapi/v1/options")
            assert (refused.status_code, refused.json()) == (401, body)
            assert get(standin, "/sdapi/v1/options", auth=("ann", "secret")).status_code == 200
            # The LoRA extension forgets the login.
            assert get(standin, "/sdapi/v1/loras").status_code == 200


@pytest.mark.parametrize(("name", "key"), [("a1111", "errors"), ("neo", "message")])
def test_a_crash_has_its_text_under_the_family_s_key(
    running: Callable[[str], StandIn], name: str, key: str
) -> None:
    response = ask(running(name), "txt2img", override_settings={"foo": 1})
    told = {"error": "KeyError", "detail": "", "body": "", key: "'foo'"}
    assert (response.status_code, response.json()) == (500, told)


def test_a_second_pass_needs_modules_where_there_are_any(
    running: Callable[[str], StandIn],
) -> None:
    standin = running("forge")
    assert ask(standin, "txt2img", **HIRES).json()["error"] == "TypeError"
    reply = draw(standin, **HIRES, hr_additional_modules=["Use same choices"])
    assert reply["images"][0].size == (128, 128)


@pytest.mark.parametrize(("name", "refiner"), [("neo", ""), ("a1111", "sd_xl_refiner_1.0")])
def test_a_refiner_without_a_switch_point_waits_or_starts_at_once(
    running: Callable[[str], StandIn], name: str, refiner: str
) -> None:
    standin = running(name)
    draw(standin, refiner_checkpoint="sd_xl_refiner_1.0")
    assert standin.state.drawn[0].refiner == refiner


def test_options_for_one_picture_are_put_back_unless_they_were_never_saved(
    standin: StandIn,
) -> None:
    before = dict(standin.state.options)
    draw(standin, override_settings={"CLIP_stop_at_last_layers": 2, "token_merging_ratio_hr": 0.5})
    assert standin.state.drawn[0].clip_skip == 2
    assert standin.state.options == before | {"token_merging_ratio_hr": 0.5}
    draw(
        standin,
        override_settings={"sd_vae": "sdxl_vae.safetensors"},
        override_settings_restore_afterwards=False,
    )
    draw(standin)
    assert [one.vae for one in standin.state.drawn[1:]] == ["sdxl_vae.safetensors"] * 2


def test_another_model_stays_in_memory_until_the_next_picture_wants_its_own(
    standin: StandIn,
) -> None:
    draw(standin, override_settings={"sd_model_checkpoint": "meinamix_v12"})
    assert [standin.state.loaded.title] == standin.state.loads
    listed = get(standin, "/sdapi/v1/sd-models").json()[-1]
    assert (
        listed["title"]
        == standin.state.loaded.title
        == f"meinamix_v12.safetensors [{listed['hash']}]"
    )
    draw(standin, override_settings={"sd_model_checkpoint": "nowhere"})
    assert [one.model for one in standin.state.drawn] == ["meinamix_v12", "v1-5-pruned-emaonly"]


def test_sdnext_loads_its_model_back_at_once_and_keeps_a_field_s(
    running: Callable[[str], StandIn],
) -> None:
    standin = running("sdnext")
    draw(standin, override_settings={"sd_model_checkpoint": "DREAMSHAPER_8", "nowhere": 1})
    assert [title.split()[0] for title in standin.state.loads] == [
        "dreamshaper_8",
        "v1-5-pruned-emaonly",
    ]
    assert ask(standin, "txt2img", sd_model_checkpoint="nowhere").json()["images"] == []


@pytest.mark.parametrize(
    ("leftover", "size", "texts"), [("preview", (64, 64), 2), ("bare preview", (8, 8), 0)]
)
def test_sdnext_can_leave_a_preview_in_a_picture_s_place(
    running: Callable[[str], StandIn], leftover: str, size: tuple[int, int], texts: int
) -> None:
    standin = running("sdnext")
    standin.run_out_of_memory(leftover)
    reply = ask(standin, "txt2img").json()
    [picture] = [pictures.decode(one) for one in reply["images"]]
    assert picture is not None
    assert picture.size == size
    assert len(json.loads(reply["info"] or '{"infotexts": []}')["infotexts"]) == texts
    assert standin.state.drawn == []


@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        ({"prompt": ""}, 400, "prompt required"),
        ({"lora": [{"path": "nowhere"}]}, 400, "invalid lora path: nowhere"),
        (
            {"steps": "20"},
            500,
            "[json.exception.type_error.302] type must be number, but is string",
        ),
    ],
)
def test_sdcpp_converts_nothing(
    running: Callable[[str], StandIn], fields: dict[str, Any], status: int, text: str
) -> None:
    response = ask(running("sdcpp"), "txt2img", **fields)
    body = response.json()
    assert (response.status_code, body.get("message", body["error"])) == (status, text)


def test_sdcpp_rounds_sizes_up_and_cuts_steps_and_batches(
    running: Callable[[str], StandIn],
) -> None:
    reply = draw(running("sdcpp"), width=130, height=70, steps=500, batch_size=50, n_iter=3)
    assert (len(reply["images"]), reply["images"][0].size) == (8, (192, 128))
    written = reply["images"][0].info["parameters"]
    assert "Steps: 100, CFG scale: 7.000000," in written
    assert "Size: 130x70," in written
    assert get(running("sdcpp"), "/nowhere").content == b""


def test_several_cards_draw_at_the_same_time() -> None:
    with StandIn(cards=0, delay=600) as standin, concurrent.futures.ThreadPoolExecutor() as pool:
        jobs = [pool.submit(draw, standin, seed=1) for _ in range(3)]
        until(lambda: len(standin.state.queue.drawing) == 3)
        standin.state.queue.interrupt()
        assert [len(job.result()["images"]) for job in jobs] == [1] * 3


def test_one_card_draws_in_turn_and_tells_each_task_where_it_is(standin: StandIn) -> None:
    standin.state.delay = 600
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(draw, standin, force_task_id="first")
        until(lambda: standin.state.queue.running)
        second = pool.submit(draw, standin, force_task_id="second")
        until(lambda: standin.state.queue.waiting)
        url = f"{standin.base_url}/internal/progress"
        active, queued, unknown = (
            requests.post(url, json={"id_task": name}, timeout=10).json()
            for name in ("first", "second", "nobody")
        )
        standin.state.delay = 0
        ask(standin, "interrupt")
        assert len(first.result()["images"]) == 1
        assert len(second.result()["images"]) == 1
    assert (active["active"], queued["textinfo"], unknown["textinfo"]) == (
        True,
        "In queue: 1/1",
        "Waiting...",
    )


def test_the_same_picture_is_encoded_once() -> None:
    one, same, other = (pictures.Sketch(64, 64, "", seed) for seed in (1, 1, 2))
    assert pictures.text_of(one, "png") is pictures.text_of(same, "png")
    assert pictures.text_of(one, "png") != pictures.text_of(other, "png")


@pytest.mark.parametrize("file_format", ["png", "jpg", "webp"])
def test_every_format_carries_the_infotext(file_format: str) -> None:
    text = "灯台, phare à l’aube\nNegative prompt: fog\nSteps: 20, Seed: 7, Size: 64x48"
    file = pictures.encode(pictures.drawn(pictures.Sketch(64, 48, "", 1)), file_format, text)
    inside = pictures.texts_inside(Image.open(io.BytesIO(file)))["parameters"]
    assert inside == text
    # SD.Next takes a UserComment of any other type than "undefined" for a fraction.
    assert file_format == "png" or b"\x92\x86\0\7" in file
    assert infotext.read(inside)["Size-2"] == "48"


def test_a_login_without_a_password_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--api-auth", "ann"])
    assert end.value.code == 2
    assert "USER:PASS" in capsys.readouterr().err


@pytest.mark.parametrize(("brought", "alike"), [(True, False), (False, True)])
def test_chinese_and_japanese_are_letters_where_the_font_is_installed(
    monkeypatch: pytest.MonkeyPatch, brought: bool, alike: bool
) -> None:
    if not brought:
        monkeypatch.setitem(sys.modules, "paperang_p2_fonts_cjk", None)
    # Boxes are all alike. A sketch that was drawn is kept, so each way has its own.
    sketches = [pictures.Sketch(64, 64, text, seed=int(brought)) for text in ("夜明け", "灯台船")]
    one, other = (pictures.drawn(sketch).tobytes() for sketch in sketches)
    assert (one == other) is alike

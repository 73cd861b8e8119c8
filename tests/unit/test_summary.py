"""The account of a drawing: each picture's own, and what a person or the next node reads."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

from webui.http.account import Account
from webui.pictures.picture import Picture
from webui.report import Report
from webui.run.summary import Collector, Summary
from webui.sketch import Sketched
from webui.values import Fields

INFOTEXT = (
    "a cat, Seed: 99, wide\nNegative prompt: dog\n"
    "Steps: 20, Sampler: Euler a, Seed: 7, Size: 512x512, Model: dream, Version: v1.10.1"
)
TOLD: Fields = {
    "all_seeds": [7, 8],
    "all_subseeds": [1, 2],
    "infotexts": ["first", "second"],
    "index_of_first_image": 0,
    "sd_model_name": "dream",
    "sampler_name": "Euler",
}


def picture(extension: str = "png", infotext: str | None = None) -> Picture:
    return Picture(b"", f"image/{extension}", extension, 512, 256, infotext)


def summary(told: Fields, *pictures: Picture, request: Fields | None = None) -> Summary:
    collector = Collector("txt2img")
    for one in pictures:
        collector.add(one)
    return collector.summary(request or {"prompt": "a cat"}, Account(told), 1.26)


def test_each_image_has_its_name_seed_size_and_infotext() -> None:
    first, second = summary(TOLD, picture(), picture("jpg")).images
    stem = first.filename.removesuffix("-1.png")
    assert re.fullmatch(r"txt2img-\d{8}-\d{6}-\d{3}", stem)
    assert second.filename == f"{stem}-2.jpg"
    assert (first.seed, first.subseed, first.infotext) == (7, 1, "first")
    assert (second.seed, second.subseed, second.infotext) == (8, 2, "second")
    assert (first.width, first.height, first.grid, first.extra) == (512, 256, False, False)


def test_no_two_calls_name_their_files_alike() -> None:
    written = picture(infotext=INFOTEXT)
    with ThreadPoolExecutor(8) as callers:
        calls = callers.map(lambda _: Collector("draw").add(written).filename, range(200))
    names = set(calls)
    assert len(names) == 200
    assert all(name.endswith("-seed7-1.png") and name.isascii() for name in names)


def test_a_grid_comes_first_and_extras_last_without_a_seed() -> None:
    told = TOLD | {"index_of_first_image": 1, "infotexts": ["grid", "first", "second"]}
    found = summary(told, *[picture()] * 4)
    assert [image.grid for image in found.images] == [True, False, False, False]
    assert [image.extra for image in found.images] == [False, False, False, True]
    assert [image.seed for image in found.images] == [None, 7, 8, None]
    assert [image.infotext for image in found.images] == ["grid", "first", "second", None]
    assert found.seeds == [7, 8]


def test_of_a_plot_that_comes_alone_the_seed_and_infotext_are_told() -> None:
    told = TOLD | {"infotexts": ["plot", "first", "second"], "index_of_first_image": 1}
    found = summary(told, picture()).variables()
    assert (found["seed"], found["seeds"], found["infotext"]) == (7, [], "plot")


def test_what_pictures_tell_of_themselves_counts_more_than_an_account_that_does_not_fit() -> None:
    # Loopback on AUTOMATIC1111: its grid comes first, the account is of the last round alone.
    told = TOLD | {"all_seeds": [8], "all_subseeds": [2], "infotexts": [INFOTEXT] * 3}
    rounds = [picture(infotext=INFOTEXT.replace("Seed: 7", f"Seed: {seed}")) for seed in (7, 8)]
    found = summary(told, picture(), *rounds)
    assert [(one.grid, one.extra, one.seed) for one in found.images] == [
        (True, False, None),
        (False, False, 7),
        (False, False, 8),
    ]
    assert "Seed: 8," in str(found.images[2].infotext)


def test_without_an_account_seed_model_and_sampler_come_from_the_picture() -> None:
    found = summary({}, picture(infotext=INFOTEXT))
    assert found.seeds == [7]
    assert (found.model, found.sampler) == ("dream", "Euler a")
    assert found.variables()["infotext"] == INFOTEXT


def test_stable_diffusion_cpps_word_for_its_default_sampler_names_none_in_pictures() -> None:
    for written, sampler in (
        ("NONE", ""),
        ("NONE karras", ""),
        ("euler_a karras", "euler_a karras"),
    ):
        text = INFOTEXT.replace("Sampler: Euler a", f"Sampler: {written}")
        assert summary({}, picture(infotext=text)).sampler == sampler


def test_without_either_the_images_still_arrive() -> None:
    found = summary({}, picture())
    assert found.images[0].seed is None
    assert found.variables() == {
        "seed": -1, "seeds": [], "infotext": "", "model": "", "warnings": [],
        "elapsed_seconds": 1.3,
    }  # fmt: skip


def test_images_that_were_not_to_be_sent_are_told_of() -> None:
    found = summary(TOLD, request={"send_images": False, "save_images": True})
    assert found.images == []
    assert "send_images is off" in found.text()


def test_the_text_says_how_many_size_model_time_seeds_and_warnings() -> None:
    found = summary(TOLD, picture(), picture())
    found.warnings = ["width was rounded."]
    assert found.text() == (
        "2 images, 512x256, dream, 1.3 s.\nSeeds: 7, 8.\nWarning: width was rounded."
    )
    assert summary(TOLD, picture()).text() == "1 image, 512x256, dream, 1.3 s.\nSeed: 7."


def test_a_sketch_adds_its_prompt_and_says_nothing_twice() -> None:
    found = summary(TOLD | {"all_seeds": [7]}, picture())
    sketched: Report = Sketched(found, "oil painting, a cat")
    assert sketched.text() == f"{found.text()}\nPrompt: oil painting, a cat"
    assert sketched.json() is None
    assert sketched.variables() == found.variables()


def test_the_account_is_whole_but_never_carries_a_picture() -> None:
    units = {"ControlNet": {"args": [{"image": "A" * 6_000_000}]}}
    told = TOLD | {"extra_generation_params": {"x": "B" * 6_000_000}}
    request = {"prompt": "a cat " * 1000, "alwayson_scripts": units}
    found = summary(told, picture(), request=request).json()
    assert found is not None
    assert found["request"]["prompt"] == request["prompt"]
    assert found["info"]["sd_model_name"] == "dream"
    assert len(json.dumps(found)) < 100_000
    assert "6000000 characters" in json.dumps(found["request"])

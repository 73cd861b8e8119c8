"""Whatever a report holds can be written, kept and shown."""

import json
from dataclasses import dataclass, field

import pytest

from dify import outgoing
from dify.outgoing import LONGEST_WORDS, Door, Outgoing
from webui.values import Fields, Json

DOOR = Door({"base_url": "http://gpu:7860", "username": "ada", "password": "hunter22"})
WAS_CUT = "The report is too large for Dify and was cut: "


@dataclass
class Told:
    """A report."""

    all: Fields | None = None
    words: str = "1 image."
    outputs: Fields = field(default_factory=dict)

    def json(self) -> Fields | None:
        return self.all

    def text(self) -> str:
        return self.words

    def variables(self) -> Fields:
        return self.outputs


def data(value: Json) -> Json:
    """What programs read of it."""
    return DOOR.report(Told(outputs={"found": value})).variables["found"]


def written(value: Json) -> int:
    """Bytes as the SDK writes them, which fails at half a character."""
    return len(json.dumps(value, ensure_ascii=False).encode())


def drawn(count: int, longest: int) -> Outgoing:
    texts = [f"{number}: " + "a cat, " * (longest // 7) for number in range(count)]
    images: list[Json] = [
        {"filename": f"{number}.png", "seed": number, "infotext": text}
        for number, text in enumerate(texts)
    ]
    info = {"infotexts": texts, "all_prompts": texts, "seed": 1}
    told = {"images": images, "info": info, "model": "dream", "warnings": ["Slow."]}
    return DOOR.report(Told(told, outputs={"seeds": list(range(count)), "warnings": ["Slow."]}))


def test_a_thousand_pictures_keep_their_names_and_seeds_and_give_of_their_infotexts() -> None:
    found = drawn(1000, 1500)
    assert found.json is not None
    images = found.json["images"]
    names = [(f"{number}.png", number) for number in range(1000)]
    assert [(image["filename"], image["seed"]) for image in images] == names
    assert images[7]["infotext"].startswith("7: a cat, ")
    assert images[7]["infotext"].endswith("… (1501 characters)")
    assert outgoing.MOST_BYTES * 0.9 < written(found.json) < outgoing.MOST_BYTES * 1.2
    said = f"{WAS_CUT}images[].infotext, info.infotexts"
    assert found.text.startswith(f"Warning: {said}")
    for warnings in (found.json["warnings"], found.variables["warnings"]):
        assert warnings[0] == "Slow."
        assert warnings[1].startswith(said)
    assert found.variables["seeds"] == list(range(1000))


def test_what_is_small_enough_stays_as_it_is() -> None:
    found = drawn(10, 1000)
    assert found.json is not None
    assert found.json["warnings"] == found.variables["warnings"] == ["Slow."]
    assert (len(found.json["images"][9]["infotext"]), found.text) == (997, "1 image.")


@pytest.mark.parametrize(
    "value",
    [
        "\u732b" * 250_000,
        '"\\\n' * 250_000,
        list(range(45_000)),
        {f"key {number}": "x" for number in range(20_000)},
        [{"label": "checkpoint", "choices": ["model"] * 3000} for _ in range(20)],
        [[["deep " * 1000] * 20] * 20],
        {"k" * 750_000: 1},
    ],
    ids=["text", "escapes", "numbers", "keys", "drop-downs", "nested", "one key"],
)
def test_no_message_is_larger_than_dify_bears(monkeypatch: pytest.MonkeyPatch, value: Json) -> None:
    # A quarter, which is sooner filled.
    monkeypatch.setattr(outgoing, "MOST_BYTES", most := 1 << 18)
    assert written(value) > most
    found = DOOR.report(Told({"it": value}, outputs={"found": value}))
    assert written(found.json) < most * 1.2
    assert written(found.variables["found"]) < most * 1.2


def test_programs_read_to_the_letter_but_for_what_cannot_be_sent() -> None:
    kept = {"text": "<b>[a](http://x.example)</b>\n\ttab", "list": [1, 2.5, None, True, ("a",)]}
    assert data(kept) == kept | {"list": [1, 2.5, None, True, ["a"]]}
    hostile = {"a\ud83d": "\x1b[31mred\x00 \udc80", "n": [float("nan"), float("inf"), 10**5000]}
    assert data(hostile) == {"a\ufffd": "red \ufffd", "n": [None, None, "…"]}
    assert data({1: {2}}) == {"1": "{2}"}
    nested: Json = "core"
    for _ in range(5000):
        nested = [nested]
    assert written(data(nested)) < 300


def test_people_read_no_markup_no_links_and_no_more_than_they_would() -> None:
    words = DOOR.words(
        "<img src=x> ![a](http://evil.example) http://api:5001@evil.example \x1b[1mb"
    )
    assert words == "‹img src=x> ![a] (http: //evil.example) http: //api:5001@evil.example b"
    ours = (
        "http://gpu:7860/sdapi: refused. Set http://api:5001. Or http://host.docker.internal:7860, "
    )
    assert DOOR.words(ours) == ours
    tags = DOOR.words("<lora:name:0.7> <lora:x onclick=y>")
    assert tags == "<lora:name:0.7> ‹lora:x onclick=y>"
    cut = DOOR.words("| a |\n" * 10_000)
    assert cut.startswith("| a |\n")
    assert cut.endswith("| a |\n\n… (cut: the first 19997 of 60000 characters)")
    assert len(DOOR.words("x" * 2_000_000)) < LONGEST_WORDS + 100


def test_warnings_are_words_wherever_they_stand() -> None:
    told = ["The server has <b>no</b> [x](http://evil.example)."]
    found = DOOR.report(Told({"warnings": told}, outputs={"warnings": told}))
    said = ["The server has ‹b>no‹/b> [x] (http: //evil.example)."]
    assert found.json == found.variables == {"warnings": said}


def test_a_secret_leaves_by_no_way() -> None:
    given = {"hunter22": ["hunter22", {"a": b"hunter22"}]}
    found = DOOR.report(Told(given, "hunter22", {"a": "Basic YWRhOmh1bnRlcjIy"}))
    assert "hunter22" not in f"{found} {DOOR.file_name('hunter22.png')}"
    assert found.variables == {"a": "Basic ***"}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("draw-1.png", "draw-1.png"),
        ("../etc/a\n\ud83d.png", "a \ufffd.png"),
        (f"draw-seed{'9' * 5000}-1.png", f"draw-seed{'9' * 187}.png"),
    ],
)
def test_a_files_name_is_one_name_with_its_ending(name: str, found: str) -> None:
    assert DOOR.file_name(name) == found

"""Words of the command line, read by the declaration of the tool they are for."""

from pathlib import Path

import pytest

from devtools.command_words import read_words


@pytest.fixture(autouse=True)
def _in_a_directory_with_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png", "c, d.png"):
        (tmp_path / name).write_bytes(b"picture")


@pytest.mark.parametrize(
    ("tool", "words", "found"),
    [
        ("txt2img", ["prompt=x=1"], {"prompt": "x=1"}),
        ("txt2img", ["a = b"], {"prompt": "a = b"}),
        ("draw", ["steps=7", "a cat"], {"prompt": "a cat", "steps": "7"}),
        ("draw", ["a", "negative_prompt=a\nb"], {"prompt": "a", "negative_prompt": "a\nb"}),
        ("server_info", [], {}),
        ("png_info", ["image=c, d.png"], {"image": Path("c, d.png")}),
    ],
)
def test_values_stay_text_as_in_a_form_and_files_are_paths(
    tool: str, words: list[str], found: dict[str, object]
) -> None:
    assert read_words(tool, words) == found


@pytest.mark.parametrize(
    ("written", "word", "value"),
    [
        (b'{"CLIP_stop_at_last_layers": 2}\n', "@v", '{"CLIP_stop_at_last_layers": 2}'),
        ("\ufeff夜明け\r\n灯台\n\n".encode(), "@v", "夜明け\n灯台\n"),
        (b"", "@@v", "@v"),
        (b"", "v@v", "v@v"),
    ],
)
def test_a_value_is_read_from_a_file_after_an_at(written: bytes, word: str, value: str) -> None:
    Path("v").write_bytes(written)
    assert read_words("draw", ["a cat", f"negative_prompt={word}"])["negative_prompt"] == value


def test_a_file_that_windows_wrote_in_another_encoding_is_refused() -> None:
    Path("v").write_text("{}", encoding="utf-16")
    with pytest.raises(ValueError, match=r"^negative_prompt: 'v' is not UTF-8; save it as UTF-8$"):
        read_words("draw", ["a cat", "negative_prompt=@v"])


@pytest.mark.parametrize(
    "words", [["images=a.png,b.png"], ["images=a.png, b.png"], ["images=a.png", "images=b.png"]]
)
def test_several_files_are_separated_by_commas_or_words(words: list[str]) -> None:
    found = read_words("upscale", [*words, "upscaler_1=Lanczos"])
    assert found["images"] == [Path("a.png"), Path("b.png")]


@pytest.mark.parametrize(
    ("tool", "words", "complaint"),
    [
        ("png_info", ["image=no.png"], "image: No such file or directory: 'no.png'"),
        ("png_info", ["image="], "image needs a path"),
        ("draw", ["prompt=@no.txt"], "prompt: No such file or directory: 'no.txt'"),
        ("draw", ["prompt=@"], "prompt needs a path"),
        ("upscale", ["images=a.png,no.png"], "images: No such file or directory: 'no.png'"),
        ("upscale", ["images=a.png,"], "images needs a path"),
        ("upscale", ["a.png"], "'a.png' is no name=value, and upscale takes no prompt"),
        ("img2img", [], "img2img needs prompt and image"),
        ("draw", ["prompt=a cat", "a dog"], "prompt is given twice"),
        ("draw", ["a cat", "steps=1", "steps=2"], "steps is given twice"),
        ("draw", ["a cat", "a dog"], "'a dog' is no name=value; a prompt of several words needs"),
        ("txt2img", ["widht=64", "a cat"], "txt2img has no parameter 'widht'; did you mean width"),
        ("txt2img", ["a cat", "zzzzz=1"], "txt2img has no parameter 'zzzzz'; GUIDE.md lists them"),
    ],
)
def test_what_the_declaration_does_not_allow_is_refused(
    tool: str, words: list[str], complaint: str
) -> None:
    with pytest.raises(ValueError, match="^" + complaint.replace(".", r"\.")):
        read_words(tool, words)

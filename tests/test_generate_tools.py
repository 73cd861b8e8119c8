"""The command line runs every tool, and local files reach the plugin as Dify's do."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dify_files import picture
from PIL import Image

from devtools.generate import Drawing, main
from devtools.host import Message
from devtools.progress_bar import ProgressBar
from devtools.standin import StandIn

TEXT = "a cat\nSteps: 20, Sampler: Euler, Seed: 5, Size: 96x64"


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(picture(96, 64))
    return path


def sizes(out: Path) -> list[tuple[int, int]]:
    return [Image.open(io.BytesIO(path.read_bytes())).size for path in sorted(out.iterdir())]


def sent(standin: StandIn, endpoint: str) -> list[dict[str, Any]]:
    return [one.json for one in standin.received if one.path == f"/sdapi/v1/{endpoint}"]


def run(standin: StandIn, out: Path, *words: str) -> int:
    return main([*words, "--base-url", standin.base_url, "--out", str(out)])


def test_img2img_redraws_a_local_file(
    standin: StandIn, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--tool", "img2img", "as watercolour", f"image={photo}", "denoising_strength=0.6"]
    assert run(standin, tmp_path / "out", *words, "seed=4") == 0

    [request] = sent(standin, "img2img")
    assert request["prompt"] == "as watercolour"
    assert request["init_images"] == [base64.b64encode(photo.read_bytes()).decode()]
    assert request["denoising_strength"] == 0.6
    assert sizes(tmp_path / "out") == [(96, 64)]
    assert "\nseed 4  96x64  v1-5-pruned-emaonly  " in capsys.readouterr().out


def test_upscale_takes_several_files_and_no_prompt(
    standin: StandIn, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other, third = tmp_path / "other.png", tmp_path / "third.png"
    other.write_bytes(picture(64, 64))
    third.write_bytes(picture(32, 64))
    words = [f"images={photo},{other}", f"images={third}", "upscaler_1=Lanczos"]
    assert run(standin, tmp_path / "out", "--tool", "upscale", *words) == 0

    assert sizes(tmp_path / "out") == [(192, 128), (128, 128), (64, 128)]
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("3 images, Lanczos, ")
    assert printed[1:4] == ["photo.png: 192x128.", "other.png: 128x128.", "third.png: 64x128."]
    assert [line.split("  ")[0] for line in printed[4:]] == ["192x128", "128x128", "64x128"]


def test_draw_prints_what_an_agent_reads(
    standin: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--tool", "draw", "a cat", "width=64", "height=64", "count=2"]
    assert run(standin, tmp_path / "out", *words) == 0

    assert sizes(tmp_path / "out") == [(64, 64), (64, 64)]
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("2 images, 64x64, ")
    assert printed[2:] == ["Prompt: a cat", *map(str, sorted((tmp_path / "out").iterdir()))]


def test_png_info_prints_the_text_inside_a_picture(
    standin: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = tmp_path / "drawn.webp"
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + TEXT.encode("utf-16-be")
    drawn.write_bytes(picture(96, 64, "WEBP", exif=exif))
    assert run(standin, tmp_path / "out", "--tool", "png_info", f"image={drawn}") == 0

    assert capsys.readouterr().out == TEXT + "\n"


def test_server_info_prints_its_tables(
    standin: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(standin, tmp_path / "out", "--tool", "server_info", "list=samplers") == 0

    printed = capsys.readouterr().out
    assert "| Family | AUTOMATIC1111 |" in printed
    assert "| Euler a | k_euler_a, k_euler_ancestral |" in printed


def test_a_file_that_is_no_picture_is_refused_by_the_plugin(
    standin: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "photo.png"
    text.write_text("hello")
    words = ["--tool", "img2img", "a cat", f"image={text}"]

    assert run(standin, tmp_path / "out", *words) == 1
    assert "error type: InvalidParameterError, error details: image: " in capsys.readouterr().err
    assert sent(standin, "img2img") == []


def test_the_help_lists_every_tool(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])

    listed = capsys.readouterr().out.partition("\ntools:\n")[2].partition("\n\n")[0]
    assert [line.split()[0] for line in listed.splitlines()] == [
        *["txt2img", "img2img", "upscale", "draw", "server_info", "png_info"]
    ]


def test_texts_are_joined_as_dify_joins_them(tmp_path: Path) -> None:
    drawing = Drawing(tmp_path)
    bar = ProgressBar(io.StringIO())
    for text in ("one", "\ntwo"):
        drawing.take(Message("text", {"text": text}, None, None), bar)

    assert drawing.lines() == ["one\ntwo"]

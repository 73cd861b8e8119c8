"""The command line, end to end: the plugin's process draws with a WebUI."""

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from devtools.generate import main
from devtools.host import ROOT
from devtools.standin import StandIn
from support.dify_files import picture


def sizes(out: Path) -> list[tuple[int, int]]:
    return [Image.open(io.BytesIO(path.read_bytes())).size for path in sorted(out.iterdir())]


@pytest.mark.slow
def test_the_command_draws_and_prints_what_came(tmp_path: Path) -> None:
    words = ["a cat", "width=192", "height=128", "batch_size=2", "seed=41", "--out", str(tmp_path)]
    command = [sys.executable, "-m", "devtools.generate", *words]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603

    assert run.stderr == ""
    assert sizes(tmp_path) == [(192, 128)] * 2
    assert run.stdout.startswith("2 images, 192x128, ")
    for seed, path in zip((41, 42), sorted(tmp_path.iterdir()), strict=True):
        assert re.search(rf"(?m)^seed {seed}  192x128  \S.*  {re.escape(str(path))}$", run.stdout)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["img2img", "as watercolour", "image={0}"], [(96, 64)]),
        (["upscale", "images={0},{1}", "upscaler_1=Lanczos"], [(192, 128), (128, 128)]),
    ],
)
@pytest.mark.slow
def test_local_files_are_sent_as_dify_sends_them(
    tmp_path: Path, words: list[str], expected: list[tuple[int, int]]
) -> None:
    photos = [tmp_path / "photo.png", tmp_path / "other.png"]
    photos[0].write_bytes(picture(96, 64))
    photos[1].write_bytes(picture(64, 64))
    given = [word.format(*photos) for word in words]

    assert main(["--tool", *given, "--out", str(tmp_path / "out")]) == 0
    assert sizes(tmp_path / "out") == expected


@pytest.mark.slow
def test_an_error_is_its_sentence_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SD_PASSWORD", "sesame")
    with StandIn(api_auth="ali:sesame") as standin:
        server = ["--base-url", standin.base_url, "--username", "ali", "--model", "no such model"]
        code = main(["a cat", *server, "--out", str(tmp_path)])

    printed = capsys.readouterr()
    assert (code, printed.out) == (1, "")
    assert printed.err.startswith("model: AUTOMATIC1111 has no model named 'no such model'.")

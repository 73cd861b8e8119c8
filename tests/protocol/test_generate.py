"""The command line, end to end: the plugin's process draws with a WebUI."""

import base64
import io
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dify_files import picture
from PIL import Image

from devtools.generate import main
from devtools.host import ROOT
from devtools.standin import StandIn

COMMAND = [sys.executable, "-m", "devtools.generate"]


def sizes(out: Path) -> list[tuple[int, int]]:
    return [Image.open(io.BytesIO(path.read_bytes())).size for path in sorted(out.iterdir())]


@pytest.mark.slow
def test_the_command_draws_and_shows_a_terminal_a_bar_that_is_gone_at_the_end(
    tmp_path: Path,
) -> None:
    words = ["a cat", "width=192", "height=128", "batch_size=2", "seed=41", "--out", str(tmp_path)]
    controller, terminal = pty.openpty()
    printed = subprocess.check_output([*COMMAND, *words], cwd=ROOT, stderr=terminal, text=True)  # noqa: S603
    # How a terminal's end reads differs between systems: a mark of our own does not.
    os.write(terminal, b"END")
    shown = b""
    while not shown.endswith(b"END"):
        shown += os.read(controller, 4096)
    os.close(terminal)
    os.close(controller)

    assert sizes(tmp_path) == [(192, 128)] * 2
    assert printed.startswith("2 images, 192x128, ")
    for seed, path in zip((41, 42), sorted(tmp_path.iterdir()), strict=True):
        assert re.search(rf"(?m)^seed {seed}  192x128  \S.*  {re.escape(str(path))}$", printed)
    assert re.search(rb"\r\[[-#]{24}\] 0:\d\d starting the plugin", shown)
    assert re.search(rb"\r +\rEND$", shown)
    assert b"\n" not in shown


@pytest.mark.slow
def test_ctrl_c_ends_the_command_without_a_word(tmp_path: Path) -> None:
    with StandIn(delay=3) as standin:
        words = ["a cat", "--out", str(tmp_path), "--base-url", standin.base_url]
        with subprocess.Popen(  # noqa: S603 - runs our own command
            [*COMMAND, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as run:
            deadline = time.monotonic() + 60
            while not any(request.path == "/sdapi/v1/txt2img" for request in standin.received):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            run.send_signal(signal.SIGINT)
            printed, _ = run.communicate()

    assert (run.returncode, printed) == (130, b"")


@pytest.mark.slow
def test_words_and_options_reach_the_server_in_the_types_of_its_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SD_PASSWORD", "sesame")
    with StandIn(api_auth="ali:sesame") as standin:
        model = standin.state.checkpoints[-1].title
        words = ["steps=7", "cfg_scale=4.5", "tiling=true", "negative_prompt=a = b", "width=64"]
        server = ["--base-url", standin.base_url, "--username", "ali", "--model", model]
        code = main(["a cat", *words, "height=64", *server, "--out", str(tmp_path)])

    [request] = [request for request in standin.received if request.path == "/sdapi/v1/txt2img"]
    assert code == 0
    assert request.json["override_settings"]["sd_model_checkpoint"] == model
    expected = {"prompt": "a cat", "steps": 7, "cfg_scale": 4.5, "tiling": True}
    assert request.json.items() >= (expected | {"negative_prompt": "a = b"}).items()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["img2img", "as watercolour", "image={0}"], [(96, 64)]),
        (["upscale", "images={0},{1}", "upscaler_1=Lanczos"], [(192, 128), (128, 128)]),
    ],
)
def test_local_files_are_sent_as_dify_sends_them(
    tmp_path: Path, words: list[str], expected: list[tuple[int, int]]
) -> None:
    photos = [tmp_path / "photo.png", tmp_path / "other.png"]
    photos[0].write_bytes(picture(96, 64))
    photos[1].write_bytes(picture(64, 64))
    given = [word.format(*photos) for word in words]
    with StandIn() as standin:
        out = ["--base-url", standin.base_url, "--out", str(tmp_path / "out")]
        assert main(["--tool", *given, *out]) == 0

    assert sizes(tmp_path / "out") == expected
    sent = base64.b64encode(photos[0].read_bytes()).decode()
    assert any(sent in str(request.json) for request in standin.received if request.json)


def test_an_error_reads_as_in_dify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with StandIn(api_auth="ali:sesame") as standin:
        login = ["--username", "ali", "--password", "barley"]
        code = main(["a cat", "--base-url", standin.base_url, *login, "--out", str(tmp_path)])

    printed = capsys.readouterr()
    assert (code, printed.out) == (1, "")
    assert re.match(
        r"An error occurred in the (\S+/stable-diffusion-webui/stable_diffusion), please contact "
        r"the author of \1 for help, error type: WebUIAuthenticationError, error details: ",
        printed.err,
    )
    assert "barley" not in printed.err

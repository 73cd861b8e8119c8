"""The command line, end to end: the plugin's process draws with a WebUI."""

import io
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from devtools.generate import Drawing, main, save
from devtools.host import ROOT, Message
from devtools.progress_bar import ProgressBar
from devtools.standin import StandIn


def drawn(out: Path, size: tuple[int, int]) -> list[Path]:
    """The files in `out`, each of which has to be a picture of that size."""
    files = sorted(out.iterdir())
    for file in files:
        with Image.open(io.BytesIO(file.read_bytes())) as picture:
            assert picture.size == size
    return files


def generate(*words: str, stderr: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own."""
    return subprocess.run(  # noqa: S603 - runs our own command
        [sys.executable, "-m", "devtools.generate", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        check=False,
    )


def test_the_command_draws_with_nothing_but_a_prompt_and_a_size(tmp_path: Path) -> None:
    out = tmp_path / "out"

    run = generate(
        *["a lighthouse at dawn", "width=192", "height=128", "batch_size=2", "seed=41"],
        *["--out", str(out)],
    )

    assert (run.returncode, run.stderr) == (0, "")
    first, second = drawn(out, (192, 128))
    assert re.search(rf"^seed 41  192x128  \S.*  {re.escape(str(first))}$", run.stdout, re.M)
    assert re.search(rf"^seed 42  192x128  \S.*  {re.escape(str(second))}$", run.stdout, re.M)
    assert run.stdout.startswith("2 images, 192x128, ")


def test_a_terminal_shows_a_bar_that_is_gone_at_the_end(tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    run = generate("a cat", "width=64", "height=64", "--out", str(tmp_path), stderr=terminal)
    # How a terminal's end reads differs between systems: a mark of our own does not.
    os.write(terminal, b"END")
    shown = b""
    while not shown.endswith(b"END"):
        shown += os.read(controller, 4096)
    os.close(terminal)
    os.close(controller)

    assert run.returncode == 0
    assert re.search(rb"\r\[[-#]{24}\] 0:\d\d starting the plugin", shown)
    assert re.search(rb"\r +\rEND$", shown)
    assert b"\n" not in shown


def test_values_reach_the_server_in_the_types_of_its_fields(tmp_path: Path) -> None:
    with StandIn() as standin:
        words = ["steps=7", "cfg_scale=4.5", "tiling=true", "negative_prompt=a = b"]
        code = main(["a cat", *words, "--base-url", standin.base_url, "--out", str(tmp_path)])

    [request] = [request for request in standin.received if request.path == "/sdapi/v1/txt2img"]
    assert code == 0
    assert request.json["prompt"] == "a cat"
    assert request.json["steps"] == 7
    assert request.json["cfg_scale"] == 4.5
    assert request.json["tiling"] is True
    assert request.json["negative_prompt"] == "a = b"


def test_login_and_model_come_from_the_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SD_PASSWORD", "sesame")
    with StandIn(api_auth="ali:sesame") as standin:
        model = standin.state.checkpoints[-1].title
        server = ["--base-url", standin.base_url, "--username", "ali", "--model", model]
        code = main(["a cat", "width=64", "height=64", *server, "--out", str(tmp_path)])

    [request] = [request for request in standin.received if request.path == "/sdapi/v1/txt2img"]
    assert code == 0
    assert request.json["override_settings"]["sd_model_checkpoint"] == model


def test_a_second_run_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"mine")

    assert save(tmp_path, "a.png", b"two") == tmp_path / "a-2.png"
    assert save(tmp_path, "a.png", b"three") == tmp_path / "a-3.png"
    assert [file.read_bytes() for file in sorted(tmp_path.iterdir())] == [b"two", b"three", b"mine"]


def test_a_file_name_cannot_leave_the_directory(tmp_path: Path) -> None:
    assert save(tmp_path, "../../a.png", b"x") == tmp_path / "a.png"


def test_the_progress_of_the_plugin_is_shown_in_the_bar(tmp_path: Path) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    progress = {"variable_name": "progress", "variable_value": "50 %, 3 s left", "stream": True}
    terminal = Terminal()
    with ProgressBar(terminal) as bar:
        Drawing(tmp_path).take(Message("variable", progress, None, None), bar)
        deadline = time.monotonic() + 10
        while "50 %" not in terminal.getvalue():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    assert "[############------------] 0:00 50 %, 3 s left" in terminal.getvalue()


def test_a_grid_and_a_picture_without_seed_are_named_as_such(tmp_path: Path) -> None:
    drawing = Drawing(tmp_path)
    sized = {"width": 64, "height": 64}
    account: dict[str, Any] = {
        "model": "m",
        "images": [
            {"filename": "1.png", "seed": None, "grid": True, **sized},
            {"filename": "2.png", "seed": 7, "grid": False, **sized},
            {"filename": "3.gif", "seed": None, "grid": False, "width": None, "height": None},
        ],
    }
    bar = ProgressBar(io.StringIO())
    for image in account["images"]:
        drawing.take(Message("blob", {}, {"filename": image["filename"]}, b"x"), bar)
    drawing.take(Message("text", {"text": "3 images"}, None, None), bar)
    drawing.take(Message("json", {"json_object": account}, None, None), bar)

    assert drawing.lines() == [
        "3 images",
        f"grid  64x64  m  {tmp_path / '1.png'}",
        f"seed 7  64x64  m  {tmp_path / '2.png'}",
        f"no seed  size unknown  m  {tmp_path / '3.gif'}",
    ]


def test_ctrl_c_ends_the_command_without_a_word(tmp_path: Path) -> None:
    with StandIn(delay=3) as standin:
        command = [sys.executable, "-m", "devtools.generate", "a cat", "--out", str(tmp_path)]
        with subprocess.Popen(  # noqa: S603 - runs our own command
            [*command, "--base-url", standin.base_url],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as run:
            deadline = time.monotonic() + 60
            while not any(request.path == "/sdapi/v1/txt2img" for request in standin.received):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            run.send_signal(signal.SIGINT)
            printed, _ = run.communicate()

    assert (run.returncode, printed) == (130, b"")


def test_an_error_reads_as_in_dify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with StandIn(api_auth="ali:sesame") as standin:
        login = ["--username", "ali", "--password", "barley"]
        code = main(["a cat", "--base-url", standin.base_url, *login, "--out", str(tmp_path)])

    provider = "ai-illustration/stable-diffusion-webui/stable_diffusion"
    printed = capsys.readouterr()
    assert code == 1
    assert printed.out == ""
    assert printed.err.startswith(
        f"An error occurred in the {provider}, please contact the author of {provider} for help, "
        "error type: WebUIAuthenticationError, error details: "
    )
    assert "barley" not in printed.err


def test_a_directory_that_is_a_file_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("a file")

    assert main(["a cat", "--out", str(tmp_path / "out")]) == 1
    assert "File exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "txt2img needs prompt"),
        (["--tool", "upscale"], "upscale needs images and upscaler_1"),
        (["--tool", "upscale", "a cat"], "'a cat' is no name=value, and upscale takes no prompt"),
        (["--tool", "img2img", "a cat", "image=no.png"], "image: No such file or directory"),
        (["--tool", "sketch", "a cat"], "argument --tool: invalid choice: 'sketch'"),
        (["a", "cat"], "'cat' is no name=value; a prompt of several words needs quotes"),
        (["widht=64", "a cat"], "txt2img has no parameter 'widht'; did you mean width"),
        (["a cat", "widht=64"], "txt2img has no parameter 'widht'; did you mean width"),
        (["a cat", "zzzzz=1"], "txt2img has no parameter 'zzzzz'; GUIDE.md lists them"),
        (["a cat", "steps=1", "steps=2"], "steps is given twice"),
        (["a cat", "prompt=a dog"], "prompt is given twice"),
        (["a cat", "--delay", "soon"], "invalid float value: 'soon'"),
    ],
)
def test_wrong_usage_is_explained(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)

    assert complaint in capsys.readouterr().err

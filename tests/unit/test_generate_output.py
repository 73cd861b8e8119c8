"""What the command line shows: a bar while it waits, then what came."""

import io
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from devtools.generate import Drawing, ProgressBar, filled_bar, main, save
from devtools.host import Message


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def message(kind: str, **content: object) -> Message:
    return Message(kind, content, None, None)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("text", "step", "bar"),
    [
        ("drawing, 25 %", 7, "######------------------"),
        ("100%", 0, "#" * 24),
        ("", 0, "#-----------------------"),
        ("waiting", 25, "-#----------------------"),
    ],
)
def test_a_percentage_fills_the_bar_and_else_a_mark_wanders(text: str, step: int, bar: str) -> None:
    assert filled_bar(text, step) == bar


def test_the_plugin_s_progress_is_redrawn_in_place_and_erased_at_the_end(tmp_path: Path) -> None:
    text = f"old\n50 %, 3 s left {'and so on ' * 20}\n"
    progress = message("variable", variable_name="progress", variable_value=text, stream=True)
    terminal = Terminal()
    with ProgressBar(terminal) as bar:
        Drawing(tmp_path).take(progress, bar)
        wait_until(lambda: "50 %" in terminal.getvalue())

    assert "\r[############------------] 0:00 50 %, 3 s left and" in terminal.getvalue()
    assert {len(line) for line in terminal.getvalue().split("\r")} == {0, 79}
    assert terminal.getvalue().endswith("\r" + " " * 79 + "\r")


def test_a_pipe_gets_plain_lines() -> None:
    pipe = io.StringIO()
    with ProgressBar(pipe, interval=0.01) as bar:
        bar.say("drawing, 25 %")
        wait_until(lambda: "0:00 drawing, 25 %\n" in pipe.getvalue())

    assert {"\r", "["}.isdisjoint(pipe.getvalue())


def test_a_short_wait_leaves_a_pipe_empty() -> None:
    pipe = io.StringIO()
    with ProgressBar(pipe, interval=60):
        pass

    assert pipe.getvalue() == ""


def test_a_second_run_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"mine")

    assert save(tmp_path, "a.png", b"two") == tmp_path / "a-2.png"
    assert save(tmp_path, "../../a.png", b"three") == tmp_path / "a-3.png"
    assert [file.read_bytes() for file in sorted(tmp_path.iterdir())] == [b"two", b"three", b"mine"]


def test_texts_are_joined_and_pictures_named_by_what_is_known_of_them(tmp_path: Path) -> None:
    drawing, bar = Drawing(tmp_path), ProgressBar(io.StringIO())
    sized = {"width": 64, "height": 64}
    images = [
        {"filename": "1.png", "seed": None, "grid": True, **sized},
        {"filename": "2.png", "seed": 7, "grid": False, **sized},
        {"filename": "3.gif", "seed": None, "grid": False, "width": None, "height": None},
    ]
    for name in ("1.png", "2.png", "3.gif", "4.png"):
        drawing.take(Message("blob", {}, {"filename": name}, b"x"), bar)
    drawing.take(message("text", text="4 images"), bar)
    drawing.take(message("text", text="\nand more"), bar)
    drawing.take(message("json", json_object={"model": "m", "images": images}), bar)

    assert drawing.lines() == [
        "4 images\nand more",
        f"grid  64x64  m  {tmp_path / '1.png'}",
        f"seed 7  64x64  m  {tmp_path / '2.png'}",
        f"no seed  size unknown  m  {tmp_path / '3.gif'}",
        str(tmp_path / "4.png"),
    ]


def test_the_help_lists_every_tool(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])

    listed = capsys.readouterr().out.partition("\ntools:\n")[2].partition("\n\n")[0]
    assert {"txt2img", "png_info"} <= {line.split()[0] for line in listed.splitlines()}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--tool", "sketch", "a cat"], "argument --tool: invalid choice: 'sketch'"),
        (["a cat", "--delay", "soon"], "invalid float value: 'soon'"),
        (["--tool", "upscale"], "upscale needs images and upscaler_1"),
    ],
)
def test_wrong_usage_is_explained(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)

    assert complaint in capsys.readouterr().err


def test_a_directory_that_is_a_file_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("a file")

    assert main(["a cat", "--out", str(tmp_path / "out")]) == 1
    assert "File exists" in capsys.readouterr().err

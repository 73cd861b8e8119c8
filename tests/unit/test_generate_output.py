"""What the command line shows: a bar while it waits, then what came."""

import io
import time
from pathlib import Path

import pytest

from devtools.generate import Drawing, ProgressBar, filled_bar, main, save
from devtools.host import Message


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def message(kind: str, **content: object) -> Message:
    return Message(kind, content, None, None)


def await_in(stream: io.StringIO, text: str) -> str:
    deadline = time.monotonic() + 10
    while text not in stream.getvalue():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("text", "step", "bar"),
    [
        ("drawing, 25 %", 7, "######------------------"),
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
        shown = await_in(terminal, "\r[############------------] 0:00 50 %, 3 s left and")

    assert "\n" not in shown
    assert terminal.getvalue().endswith("\r" + " " * 79 + "\r")
    assert {len(line) for line in terminal.getvalue().split("\r")} == {0, 79}


def test_a_pipe_gets_plain_lines() -> None:
    pipe = io.StringIO()
    with ProgressBar(pipe, interval=0.01) as bar:
        bar.say("drawing, 25 %")
        await_in(pipe, "0:00 drawing, 25 %\n")

    assert {"\r", "["}.isdisjoint(pipe.getvalue())


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


def test_wrong_usage_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--tool", "upscale"])
    assert "upscale needs images and upscaler_1" in capsys.readouterr().err

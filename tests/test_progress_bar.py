import io
import time
from collections.abc import Callable

from devtools.progress_bar import ProgressBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_percentage_fills_the_bar() -> None:
    terminal = Terminal()
    with ProgressBar(terminal) as bar:
        bar.say("drawing, 25 %")
        wait_until(lambda: "25 %" in terminal.getvalue())

    assert "\r[######------------------] 0:00 drawing, 25 %" in terminal.getvalue()


def test_without_a_percentage_a_mark_wanders() -> None:
    terminal = Terminal()
    with ProgressBar(terminal):
        wait_until(lambda: terminal.getvalue().count("\r") == 2)

    assert "\r[#-----------------------] 0:00" in terminal.getvalue()
    assert "\r[-#----------------------] 0:00" in terminal.getvalue()


def test_the_line_is_redrawn_in_place_and_erased_at_the_end() -> None:
    terminal = Terminal()
    with ProgressBar(terminal) as bar:
        bar.say("drawing")
        wait_until(lambda: "drawing" in terminal.getvalue())

    assert "\n" not in terminal.getvalue()
    assert terminal.getvalue().endswith("\r" + " " * 79 + "\r")


def test_a_long_text_is_cut_to_the_terminal() -> None:
    terminal = Terminal()
    with ProgressBar(terminal) as bar:
        bar.say("very " * 100 + "long")
        wait_until(lambda: "very" in terminal.getvalue())

    assert {len(line) for line in terminal.getvalue().split("\r")} <= {0, 79}


def test_of_several_lines_the_last_is_shown() -> None:
    terminal = Terminal()
    with ProgressBar(terminal) as bar:
        bar.say("first\nsecond\n")
        wait_until(lambda: "second" in terminal.getvalue())

    assert "first" not in terminal.getvalue()


def test_a_pipe_gets_plain_lines() -> None:
    pipe = io.StringIO()
    with ProgressBar(pipe, interval=0.01) as bar:
        bar.say("drawing, 25 %")
        wait_until(lambda: "0:00 drawing, 25 %\n" in pipe.getvalue())

    assert "\r" not in pipe.getvalue()
    assert "[" not in pipe.getvalue()


def test_a_short_wait_leaves_a_pipe_empty() -> None:
    pipe = io.StringIO()
    with ProgressBar(pipe, interval=60):
        pass

    assert pipe.getvalue() == ""

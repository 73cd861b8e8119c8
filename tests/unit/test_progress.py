"""How far a job is: what is said of it, and where it is asked."""

from collections.abc import Iterator

import pytest

from devtools.standin import StandIn
from support.drawing import paths
from support.exchange import connect
from webui.run.progress import Lookout, Progress

TASK, SERVER = "/internal/progress", "/sdapi/v1/progress"


@pytest.fixture
def lookout(standin: StandIn) -> Iterator[Lookout]:
    with connect(standin.base_url) as there:
        yield Lookout(there, "task-1")


def answer(standin: StandIn, path: str, **body: object) -> None:
    standin.fail_next(path, status=200, body=body)


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (Progress("drawing", 0.25, 12.4, 8.0), "drawing 25%, about 12 s left, 8 s\n"),
        (Progress("drawing", 0.0), "drawing 0%\n"),
        (Progress("In queue: 1/2").after(31.7), "In queue: 1/2, 32 s\n"),
        (Progress("drawing", 0.5).within("2/3"), "2/3: drawing 50%\n"),
        (Progress().after(30), "30 s\n"),
        (Progress().after(30).within("2/3"), "2/3: 30 s\n"),
    ],
    ids=str,
)
def test_a_line_says_what_is_known_and_ends(progress: Progress, line: str) -> None:
    assert progress.line() == line


@pytest.mark.parametrize("odd", [None, "soon", {}, 0, -3.0], ids=repr)
def test_what_is_no_time_left_is_not_told(odd: object) -> None:
    assert Progress.of_share("drawing", 0.5, odd) == Progress("drawing", 0.5)
    assert Progress.of_share("drawing", "half", odd) == Progress("drawing")


def test_our_own_task_is_asked_first(standin: StandIn, lookout: Lookout) -> None:
    answer(standin, TASK, active=True, progress=0.25, eta=12.5)
    assert lookout.look() == Progress("drawing", 0.25, 12.5)
    (asked,) = standin.received
    assert asked.json == {"id_task": "task-1", "live_preview": False}


@pytest.mark.parametrize(
    ("words", "said"), [(" In queue: 1/2. ", "In queue: 1/2"), (None, "In the queue")]
)
def test_waiting_is_told_in_the_servers_words(
    standin: StandIn, lookout: Lookout, words: str | None, said: str
) -> None:
    answer(standin, TASK, active=False, queued=True, textinfo=words)
    assert lookout.look() == Progress(said)


def test_a_job_that_the_server_does_not_name_is_marked(standin: StandIn, lookout: Lookout) -> None:
    answer(standin, TASK, active=False, queued=False)
    answer(standin, SERVER, progress=0.5, eta_relative=3.0)
    assert lookout.look() == Progress("the server's running job", 0.5, 3.0)


def test_a_source_that_does_not_answer_is_not_asked_again(
    standin: StandIn, lookout: Lookout
) -> None:
    standin.fail_next(TASK, status=404)
    for _ in range(3):
        assert not lookout.look()
    assert paths(standin) == [TASK, SERVER, SERVER, SERVER]

"""How far a job is, and where it is asked."""

from collections.abc import Iterator

import pytest

from devtools.standin import StandIn
from dify.credentials import read_credentials
from support.drawing import paths
from support.raw_server import free_port
from webui.run.progress import Lookout, Progress

TASK, SERVER = "/internal/progress", "/sdapi/v1/progress"


def look_after_task(standin: StandIn) -> Lookout:
    return Lookout(read_credentials({"base_url": standin.base_url}), "task-1")


@pytest.fixture
def lookout(standin: StandIn) -> Iterator[Lookout]:
    found = look_after_task(standin)
    yield found
    found.end()


def answer(standin: StandIn, path: str, **body: object) -> None:
    standin.fail_next(path, status=200, body=body)


@pytest.mark.parametrize(
    ("said", "share"),
    [
        (0.25, 0.25),
        (1, 1.0),
        (1.5, 1.0),
        (-3, 0.0),
        ("half", 0.0),
        (None, 0.0),
        (float("nan"), 0.0),
        (10**400, 1.0),
    ],
)  # fmt: skip
def test_a_share_is_from_none_to_all_whatever_the_server_says(said: object, share: float) -> None:
    assert Progress.of_share(said, is_ours=True) == Progress(share=share)


def test_what_nobody_can_tell_is_false_and_the_beginning_is_not() -> None:
    assert not Progress(elapsed=30.0, part="2/3")
    assert Progress(share=0.0)
    assert Progress(queue="1/2")


def test_our_own_task_is_asked_first(standin: StandIn, lookout: Lookout) -> None:
    answer(standin, TASK, active=True, progress=0.25, eta=12.5)
    assert lookout.look() == Progress(share=0.25)
    (asked,) = standin.received
    assert asked.json == {"id_task": "task-1", "live_preview": False}


@pytest.mark.parametrize(
    ("words", "queue"),
    [
        (" In queue: 1/2. ", "1/2"),
        ("Waiting", "…"),
        ("１/２", "…"),
        ({}, "…"),
        (None, "…"),
        ("1" * 300_000, "…"),
    ],
)  # fmt: skip
def test_the_place_in_the_queue_is_read_out_of_the_servers_words(
    standin: StandIn, lookout: Lookout, words: object, queue: str
) -> None:
    answer(standin, TASK, active=False, queued=True, textinfo=words)
    assert lookout.look() == Progress(queue)


def test_a_job_that_the_server_does_not_name_is_marked(standin: StandIn, lookout: Lookout) -> None:
    answer(standin, TASK, active=False, queued=False)
    answer(standin, SERVER, progress=0.5, eta_relative=3.0)
    assert lookout.look() == Progress(share=0.5, is_ours=False)


def test_a_source_that_does_not_answer_is_not_asked_again(
    standin: StandIn, lookout: Lookout
) -> None:
    standin.fail_next(TASK, status=404)
    for _ in range(3):
        assert not lookout.look()
    assert paths(standin) == [TASK, SERVER, SERVER, SERVER]


@pytest.mark.parametrize(
    "said", [[], 5, {"active": [], "queued": {}}, {"active": True, "progress": []}, None], ids=repr
)
def test_nonsense_is_silence(standin: StandIn, lookout: Lookout, said: object) -> None:
    standin.fail_next(TASK, status=200, body=said)
    standin.fail_next(SERVER, status=200, body=said)
    assert lookout.look().share in {None, 0.0}


def test_a_source_that_answered_once_is_asked_again_after_a_failure(
    standin: StandIn, lookout: Lookout
) -> None:
    answer(standin, TASK, active=True, progress=0.25)
    lookout.look()
    standin.fail_next(TASK, status=502)
    assert not lookout.look()
    answer(standin, TASK, active=True, progress=0.5)
    assert lookout.look() == Progress(share=0.5)


def test_a_server_that_cannot_be_reached_for_a_while_is_asked_again() -> None:
    with StandIn(port=free_port()) as standin:
        lookout = look_after_task(standin)
        standin.stop()
        assert not lookout.look()
        standin.start()
        answer(standin, TASK, active=True, progress=0.25)
        assert lookout.look() == Progress(share=0.25)

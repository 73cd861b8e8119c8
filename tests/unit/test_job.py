"""Jobs kept for the next call of the same kind: which, how many, how much and how long."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from support.clock import Clock
from support.dify_files import picture
from support.drawing import until
from webui.call import Call
from webui.http.address import Address, parse_address
from webui.http.endpoints import Endpoint
from webui.http.settings import Settings
from webui.pictures.picture import identify_picture
from webui.run import kept as keeping
from webui.run.job import Job
from webui.run.kept import KeptJobs

GPU = Settings(parse_address("http://gpu:7860"))


class Keeping(KeptJobs):
    """KeptJobs with short words for what these tests do."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.clock = clock

    def left(self, *, ended: float | None = None, **fields: object) -> Job:
        """A job as it is after its caller left: never started here, with a picture on disk."""
        one = Job(Call({}, GPU), Endpoint.TXT2IMG, fields)
        one.ended = ended
        self.keep(one)
        one.pictures.put(identify_picture(picture()))
        return one

    def claimed(
        self,
        settings: Settings = GPU,
        endpoint: Endpoint = Endpoint.TXT2IMG,
        caller: str = "",
        **fields: object,
    ) -> Job | None:
        found = self.claim(Job(Call({}, settings, caller=caller), endpoint, fields))
        if found:
            found.pictures.discard()
        return found


@pytest.fixture
def kept() -> Iterator[Keeping]:
    jobs = Keeping(Clock())
    yield jobs
    jobs.clear()


def test_a_job_is_claimed_once_whatever_the_order_of_its_fields(kept: Keeping) -> None:
    one = kept.left(seed=1, steps=2)
    assert kept.claimed(steps=2, seed=1) is one
    assert kept.claimed(steps=2, seed=1) is None


@pytest.mark.parametrize(
    "other",
    [
        Address(parse_address("http://other").url),
        replace(GPU.address, username="me"),
        replace(GPU.address, password="x"),
        replace(GPU.address, headers={"X-Key": "x"}),
    ],
    ids=["server", "name", "password", "header"],
)
def test_another_server_login_or_job_claims_nothing(kept: Keeping, other: Address) -> None:
    kept.left(seed=1)
    elsewhere = Settings(other)
    assert kept.claimed(elsewhere, seed=1) is None
    assert kept.claimed(endpoint=Endpoint.IMG2IMG, seed=1) is None
    assert kept.claimed(seed=2) is None


def test_the_oldest_go_when_there_are_many(kept: Keeping) -> None:
    first, *others = [kept.left(seed=n) for n in range(17)]
    assert first.pictures.stored_bytes == 0
    assert kept.claimed(seed=0) is None
    assert [kept.claimed(seed=n) for n in range(1, 17)] == others


def test_the_disk_they_take_is_bounded_while_they_receive(
    kept: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(picture())
    monkeypatch.setattr(keeping, "MOST_BYTES", 3 * size)
    jobs = [kept.left(seed=n) for n in range(3)]
    newest = jobs[-1].pictures
    for _ in range(3):
        newest.put(identify_picture(picture()))
        assert sum(one.pictures.stored_bytes for one in jobs) <= 3 * size
    assert [one.pictures.stored_bytes // size for one in jobs] == [0, 0, 3]
    assert (newest.lost, newest.lost_by) == (1, "the room for waiting pictures is full")
    assert kept.claimed(seed=0) is None


def test_what_is_being_collected_takes_room_too(
    kept: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_BYTES", 2 * len(picture()))
    one, another = kept.left(seed=1), kept.left(seed=2)
    kept.claim(one)
    another.pictures.put(identify_picture(picture()))
    assert another.pictures.lost == 1
    assert one.pictures.take(0) is not None
    another.pictures.put(identify_picture(picture()))
    assert another.pictures.lost == 1


def test_they_are_dropped_two_hours_after_they_ended(kept: Keeping) -> None:
    done, running = kept.left(ended=kept.clock.now, seed=1), kept.left(seed=2)
    kept.clock.now += 7199
    kept.tidy()
    assert done.pictures.stored_bytes > 0
    kept.clock.now += 2
    kept.tidy()
    assert done.pictures.stored_bytes == 0
    assert kept.claimed(seed=1) is None
    assert kept.claimed(seed=2) is running


def test_they_are_dropped_though_nobody_calls(
    kept: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "TIDY_EVERY", 0.01)
    done = kept.left(ended=kept.clock.now)
    kept.clock.now += 7201
    until(lambda: done.pictures.stored_bytes == 0)


def test_one_that_never_ends_is_dropped_two_hours_after_it_should_have(kept: Keeping) -> None:
    hung = kept.left()
    kept.clock.now = hung.deadline + 7201
    assert kept.claimed() is None


def test_another_caller_claims_nothing(kept: Keeping) -> None:
    kept.left(seed=1)
    assert kept.claimed(caller="Bob", seed=1) is None
    assert kept.claimed(seed=1) is not None


def test_no_login_can_be_read_from_a_jobs_key() -> None:
    login = Settings(Address(GPU.address.url, "me", "hunter2", {"X-Key": "hunter3"}))
    key = Job(Call({}, login), Endpoint.TXT2IMG, {}).key
    assert "hunter" not in key

"""Jobs kept for the next call of the same kind: which, how many, how much and how long."""

from collections.abc import Iterator

import pytest

from support.clock import Clock
from support.dify_files import picture
from webui.call import Call
from webui.http.address import Address, parse_address
from webui.http.endpoints import Endpoint
from webui.http.settings import Settings
from webui.pictures.picture import identify_picture
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
    keeping = Keeping(Clock())
    yield keeping
    keeping.clear()


def test_a_job_is_claimed_once_whatever_the_order_of_its_fields(kept: Keeping) -> None:
    one = kept.left(seed=1, steps=2)
    assert kept.claimed(steps=2, seed=1) is one
    assert kept.claimed(steps=2, seed=1) is None


@pytest.mark.parametrize(
    "other", [("http://other", "", ""), ("http://gpu:7860", "me", ""), ("http://gpu:7860", "", "x")]
)
def test_another_server_login_or_job_claims_nothing(
    kept: Keeping, other: tuple[str, str, str]
) -> None:
    kept.left(seed=1)
    url, username, password = other
    elsewhere = Settings(Address(parse_address(url).url, username, password))
    assert kept.claimed(elsewhere, seed=1) is None
    assert kept.claimed(endpoint=Endpoint.IMG2IMG, seed=1) is None
    assert kept.claimed(seed=2) is None


def test_the_oldest_go_when_there_are_many(kept: Keeping) -> None:
    first, *others = [kept.left(seed=n) for n in range(17)]
    assert first.pictures.stored_bytes == 0
    assert kept.claimed(seed=0) is None
    assert [kept.claimed(seed=n) for n in range(1, 17)] == others


def test_the_disk_they_take_is_bounded(kept: Keeping) -> None:
    jobs = [kept.left(seed=n) for n in range(3)]
    for one in jobs:
        one.pictures.stored_bytes = 2**29
    kept.tidy()
    assert [one.pictures.stored_bytes > 0 for one in jobs] == [False, True, True]


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


def test_no_login_can_be_read_from_a_jobs_key() -> None:
    login = Settings(Address(GPU.address.url, "me", "hunter2"))
    key = Job(Call({}, login), Endpoint.TXT2IMG, {}).key
    assert "hunter2" not in key

"""Jobs kept for the next call of the same kind: which, how many, how much and how long."""

from io import BytesIO

import pytest
from PIL import Image

from webui import credentials, job
from webui.credentials import Credentials
from webui.images import Picture, identify
from webui.job import Job, Kept

PATH = "sdapi/v1/txt2img"
GPU = credentials.read({"base_url": "http://gpu:7860"})


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def picture() -> Picture:
    file = BytesIO()
    Image.effect_noise((64, 64), 90).save(file, "PNG")
    return identify(file.getvalue())


def kept(where: Kept, *, pictures: int = 1, ended: float | None = None, **body: object) -> Job:
    """A job as it is after its caller left: never started here, with its pictures on disk."""
    one = Job(GPU, PATH, body)
    one.ended = ended
    where.keep(one)
    for _ in range(pictures):
        one.pictures.put(picture())
    return one


def claim(where: Kept, settings: Credentials = GPU, path: str = PATH, **body: object) -> Job | None:
    return where.claim(settings, path, body)


def test_a_job_is_claimed_once() -> None:
    where = Kept()
    one = kept(where, seed=1)
    assert claim(where, seed=1) is one
    assert claim(where, seed=1) is None
    one.pictures.discard()


def test_the_order_of_fields_does_not_matter() -> None:
    where = Kept()
    one = kept(where, seed=1, steps=2)
    assert claim(where, steps=2, seed=1) is one
    one.pictures.discard()


@pytest.mark.parametrize(
    "other",
    [
        {"base_url": "http://other:7860"},
        {"base_url": "http://gpu:7860", "username": "me"},
        {"base_url": "http://gpu:7860", "username": "me", "password": "x"},
    ],
)
def test_another_server_or_login_claims_nothing(other: dict[str, str]) -> None:
    where = Kept()
    one = kept(where, seed=1)
    assert claim(where, credentials.read(other), seed=1) is None
    assert claim(where, path="sdapi/v1/img2img", seed=1) is None
    one.pictures.discard()


def test_two_alike_are_claimed_one_after_the_other() -> None:
    where = Kept()
    both = {id(kept(where, seed=1)), id(kept(where, seed=1))}
    found = [claim(where, seed=1), claim(where, seed=1)]
    assert {id(one) for one in found} == both
    for one in found:
        assert one is not None
        one.pictures.discard()


def test_the_oldest_go_when_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_MOST_KEPT", 2)
    where = Kept()
    jobs = [kept(where, seed=n) for n in range(3)]
    assert jobs[0].pictures.stored_bytes == 0
    assert claim(where, seed=0) is None
    assert claim(where, seed=1) is jobs[1]
    assert claim(where, seed=2) is jobs[2]
    for one in jobs:
        one.pictures.discard()


def test_the_disk_they_take_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_MOST_BYTES", 3 * len(picture().data))
    where = Kept()
    jobs = [kept(where, pictures=2, seed=n) for n in range(3)]
    where.tidy()
    assert [one.pictures.stored_bytes > 0 for one in jobs] == [False, False, True]
    for one in jobs:
        one.pictures.discard()


def test_they_are_dropped_two_hours_after_they_ended() -> None:
    clock = Clock()
    where = Kept(clock)
    done = kept(where, ended=clock.now, seed=1)
    running = kept(where, seed=2)
    clock.now += 7199
    where.tidy()
    assert done.pictures.stored_bytes > 0
    clock.now += 2
    where.tidy()
    assert done.pictures.stored_bytes == 0
    assert claim(where, seed=1) is None
    assert claim(where, seed=2) is running
    running.pictures.discard()


def test_no_login_can_be_read_from_a_jobs_key() -> None:
    settings = credentials.read({"base_url": "http://me:hunter2@gpu:7860"})
    assert "hunter2" not in Job(settings, PATH, {}).key

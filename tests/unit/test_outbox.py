"""Pictures handed from the one who receives them to the one who takes them."""

import errno
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from support import dify_files
from webui.pictures.picture import Picture, identify_picture
from webui.run.outbox import Outbox


class Anywhere:
    """Room for all."""

    def make_room(self, outbox: Outbox) -> bool:
        return outbox.stored_bytes > 0


def picture(width: int = 8) -> Picture:
    return identify_picture(dify_files.picture(width, 8))


def test_taking_waits_no_longer_than_it_is_told() -> None:
    began = time.monotonic()
    outbox = Outbox()
    assert outbox.take(0.05) is None
    assert time.monotonic() - began >= 0.05
    assert not outbox.is_empty


def test_the_next_picture_waits_until_the_first_is_taken() -> None:
    outbox = Outbox()
    put: list[int] = []

    def fill() -> None:
        for width in (8, 16, 24):
            outbox.put(picture(width))
            put.append(width)
        outbox.end()

    thread = threading.Thread(target=fill, daemon=True)
    thread.start()
    time.sleep(0.05)
    assert put == [8]
    widths = []
    while not outbox.is_empty:
        taken = outbox.take(1)
        widths += [taken.width] if taken else []
    thread.join()
    assert widths == [8, 16, 24]


def test_without_a_taker_nothing_waits_and_nothing_is_lost() -> None:
    outbox = Outbox()
    outbox.abandon(Anywhere())
    sent = [picture(8 * n) for n in range(1, 6)]
    for one in sent:
        outbox.put(one)
    outbox.end()
    assert outbox.stored_bytes == sum(len(one.data) for one in sent)
    outbox.attend()
    assert [outbox.take(0) for _ in sent] == sent
    assert outbox.is_empty
    assert outbox.stored_bytes == 0


@pytest.mark.parametrize(
    ("how", "kept"), [(lambda outbox: outbox.abandon(Anywhere()), [8, 16]), (Outbox.discard, [])]
)
def test_leaving_frees_the_one_who_waits(how: Callable[[Outbox], None], kept: list[int]) -> None:
    outbox = Outbox()
    outbox.put(picture())
    thread = threading.Thread(target=lambda: outbox.put(picture(16)), daemon=True)
    thread.start()
    how(outbox)
    thread.join(5)
    assert not thread.is_alive()
    outbox.end()
    outbox.attend()
    assert [one.width for one in (outbox.take(0), outbox.take(0)) if one] == kept


def test_what_the_disk_does_not_take_is_counted_and_the_rest_is_delivered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    outbox = Outbox()
    outbox.abandon(Anywhere())
    outbox.put(picture())
    with monkeypatch.context() as patched:
        patched.setattr("tempfile.TemporaryFile", full)
        outbox.put(picture(16))
    outbox.end()
    assert (outbox.lost, outbox.lost_by) == (1, "the disk did not take it: No space left on device")
    assert outbox.take(0) == picture()
    assert outbox.is_empty
    assert outbox.stored_bytes == 0


def test_a_disk_that_is_full_only_when_all_is_written_counts_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outbox = Outbox()
    outbox.abandon(Anywhere())
    with Path("/dev/full").open("wb") as full:
        monkeypatch.setattr("tempfile.TemporaryFile", lambda: full)
        outbox.put(picture())
    assert (outbox.lost, outbox.stored_bytes) == (1, 0)


def test_who_waits_can_be_woken_for_other_news() -> None:
    outbox = Outbox()
    threading.Timer(0.05, outbox.wake).start()
    began = time.monotonic()
    assert outbox.take(5) is None
    assert time.monotonic() - began < 1

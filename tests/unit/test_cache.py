import threading
import time

import pytest

from support.clock import Clock
from webui.errors import WebUILateError
from webui.http.address import Address, parse_address
from webui.server.cache import Shelf, Shelves


class Fetched:
    """Gives how often it was asked, to be kept for a minute."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> tuple[int, float]:
        self.times += 1
        return self.times, 60.0


def address(url: str, username: str = "", password: str = "", **headers: str) -> Address:
    return Address(parse_address(url).url, username, password, headers)


def test_an_answer_is_kept_for_its_lifetime() -> None:
    clock, fetch = Clock(), Fetched()
    shelf = Shelf(clock)
    assert shelf.get("a", fetch) == 1
    clock.now += 59
    assert shelf.get("a", fetch) == 1
    clock.now += 2
    assert shelf.get("a", fetch) == 2


def test_afresh_means_not_older_than_the_call() -> None:
    shelf, fetch = Shelf(Clock()), Fetched()
    assert (shelf.get("a", fetch), shelf.get("b", fetch)) == (1, 2)
    assert shelf.get("a", fetch, afresh=True) == 3
    assert shelf.get("a", fetch) == 3


def test_a_failure_is_raised_and_not_kept() -> None:
    shelf = Shelf()

    def broken() -> tuple[int, float]:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        shelf.get("a", broken)
    assert shelf.get("a", Fetched()) == 1


@pytest.mark.parametrize("afresh", [False, True])
def test_twenty_at_once_cost_one_fetch(afresh: bool) -> None:
    shelf, answers = Shelf(), []
    fetch = Fetched()

    def slow() -> tuple[int, float]:
        time.sleep(0.1)
        return fetch()

    def ask() -> None:
        answers.append(shelf.get("a", slow, afresh=afresh))

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert answers == [1] * 20


def test_those_who_wait_for_an_answer_that_is_late_share_its_lateness() -> None:
    shelf, fetched, told = Shelf(), [], []

    def late() -> tuple[int, float]:
        fetched.append(1)
        time.sleep(0.1)
        raise WebUILateError("late")

    def ask() -> None:
        try:
            shelf.get("a", late)
        except WebUILateError as error:
            told.append(str(error))

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert told == ["late"] * 20
    assert fetched == [1]
    assert shelf.get("a", Fetched()) == 1


def test_servers_and_logins_have_their_own_shelves_which_show_no_login() -> None:
    shelves = Shelves()
    first = shelves.of_server(address("http://gpu", "somebody", "hunter2"))
    assert shelves.of_server(address("http://gpu", "somebody", "hunter2")) is first
    assert shelves.of_server(address("http://gpu", "somebody", "other")) is not first
    assert shelves.of_server(address("http://other", "somebody", "hunter2")) is not first
    with_key = shelves.of_server(address("http://gpu", "somebody", "hunter2", key="hunter3"))
    assert with_key is not first
    assert shelves.of_server(address("http://gpu", "somebody", "hunter2", key="4")) is not with_key
    kept = repr(vars(shelves))
    assert "hunter" not in kept
    assert "somebody" not in kept


def test_the_least_recently_used_server_goes_when_there_are_many() -> None:
    shelves = Shelves()
    first, second = address("http://first"), address("http://second")
    used, unused = shelves.of_server(first), shelves.of_server(second)
    for number in range(62):
        shelves.of_server(address(f"http://gpu-{number}"))
    assert shelves.of_server(first) is used
    shelves.of_server(address("http://one-more"))
    assert shelves.of_server(first) is used
    assert shelves.of_server(second) is not unused
    shelves.clear()
    assert shelves.of_server(first) is not used

"""Replies that break off or never come."""

import concurrent.futures
import http.client
import json
import time
from collections.abc import Iterator

import pytest
import requests
from standin_calls import SMALL, ask, get

from devtools.standin import StandIn

PATH = "/sdapi/v1/txt2img"


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


def arrived(standin: StandIn, **fields: object) -> str:
    """What comes of a reply before the connection breaks."""
    connection = http.client.HTTPConnection(standin.base_url.removeprefix("http://"), timeout=10)
    try:
        connection.request("POST", PATH, json.dumps({**SMALL, **fields}))
        with pytest.raises(http.client.IncompleteRead) as broken:
            connection.getresponse().read()
        return broken.value.partial.decode()
    finally:
        connection.close()


@pytest.mark.parametrize("family", ["a1111", "forge", "sdnext", "sdcpp"])
@pytest.mark.parametrize("images", [0, 1, 2])
def test_a_reply_breaks_off_after_some_whole_images(family: str, images: int) -> None:
    with StandIn(family=family) as standin:
        standin.break_off_next(PATH, after_images=images)
        body = arrived(standin, prompt="a cat", batch_size=3)
        whole = body[: body.rindex('",') + 1] + "]}" if images else '{"images":[]}'
        assert len(json.loads(whole)["images"]) == images
        assert ask(standin, "txt2img", prompt="a cat").status_code == 200


def test_the_work_behind_a_broken_reply_was_done(standin: StandIn) -> None:
    standin.break_off_next(PATH)
    arrived(standin, batch_size=3)
    assert len(standin.state.drawn) == 3


def test_a_request_can_go_unanswered_until_the_server_ends(standin: StandIn) -> None:
    standin.hang_next(PATH)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        lost = pool.submit(ask, standin, "txt2img")
        while not standin.received:
            time.sleep(0.01)
        assert get(standin, "/sdapi/v1/options").status_code == 200
        assert ask(standin, "txt2img").status_code == 200
        assert not lost.done()
        standin.stop()
        with pytest.raises(requests.ConnectionError):
            lost.result(10)
    standin.start()

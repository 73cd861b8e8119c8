"""The benchmark's parts, with pictures so small that nothing takes long."""

import base64
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
import requests

from devtools import benchmark, benchmark_plain, benchmark_plugin, benchmark_table
from devtools.benchmark_memory import Growth, resident
from devtools.benchmark_server import GENERATION, PictureServer
from devtools.benchmark_table import Crowd, Drawing, Pair, Size

SMALL = Size(2, 64, 64)
MB = 1_000_000


@pytest.fixture(scope="module")
def server() -> Iterator[PictureServer]:
    with PictureServer() as server:
        yield server


def generate(server: PictureServer, encoding: str = "identity", **given: int) -> requests.Response:
    body = {"prompt": "a cat", "width": 64, "height": 64, "batch_size": 1} | given
    return requests.post(
        server.base_url + GENERATION, json=body, headers={"Accept-Encoding": encoding}, timeout=30
    )


def test_pictures_of_the_same_size_and_number_are_drawn_once(server: PictureServer) -> None:
    drawn = generate(server, batch_size=3).json()["images"]

    assert len(drawn) == 3
    assert generate(server, batch_size=3).json()["images"] == drawn
    assert len(generate(server, batch_size=2).json()["images"]) == 2


def test_pictures_have_grain_that_does_not_compress_away(server: PictureServer) -> None:
    [drawn] = generate(server, width=256, height=256).json()["images"]

    assert len(base64.b64decode(drawn)) > 256 * 256


def test_replies_are_compressed_for_who_accepts_it(server: PictureServer) -> None:
    plain, packed = generate(server), generate(server, "gzip")

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"])
    assert packed.json() == plain.json()


def test_what_is_no_generation_is_answered_by_the_stand_in(server: PictureServer) -> None:
    options = requests.get(server.base_url + "/sdapi/v1/options", timeout=30).json()
    task = requests.post(
        server.base_url + "/internal/progress", json={"id_task": "mine"}, timeout=30
    ).json()

    assert "sd_model_checkpoint" in options
    assert task["active"] is False


def test_requests_are_counted(server: PictureServer) -> None:
    before = server.received()
    generate(server)
    requests.get(server.base_url + "/sdapi/v1/options", timeout=30)

    assert server.received() == before + 2


def test_generations_are_held_side_by_side() -> None:
    with PictureServer(hold=2) as server:
        held = [threading.Thread(target=generate, args=(server,)) for _ in range(3)]
        for one in held:
            one.start()
        until = time.monotonic() + 30
        while server.waiting() < 3:
            assert time.monotonic() < until
            time.sleep(0.02)
        for one in held:
            one.join()

        assert server.waiting() == 0


def test_the_server_ends_with_its_block() -> None:
    with PictureServer() as server:
        pass

    with pytest.raises(requests.ConnectionError):
        generate(server)


def test_growth_keeps_the_peak_after_the_memory_is_given_back() -> None:
    growth = Growth(os.getpid())
    block = b"x" * (50 * MB)
    with_block = resident(os.getpid())
    del block

    assert growth.so_far() > 45 * MB
    assert resident(os.getpid()) < with_block - 45 * MB


def test_growth_forgets_an_earlier_peak() -> None:
    block = b"x" * (50 * MB)
    del block

    assert Growth(os.getpid()).so_far() < 45 * MB


def test_the_buffered_client_is_measured_in_a_process_of_its_own(server: PictureServer) -> None:
    server.prepare(4, 512, 512)
    drawing = benchmark_plain.draw(server.base_url, Size(4, 512, 512))

    assert 0 < drawing.first_seconds <= drawing.seconds
    # It holds the reply as bytes and as text, and the pictures.
    assert drawing.growth > 4 * 512 * 512
    assert drawing.requests == 1


def test_the_buffered_client_fails_when_the_server_refuses(server: PictureServer) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        benchmark_plain.draw(server.base_url + "/nowhere", SMALL)


def test_the_plugin_is_measured_from_the_second_call_on(server: PictureServer) -> None:
    drawing = benchmark_plugin.draw(server, SMALL)

    assert 0 < drawing.first_seconds <= drawing.seconds
    assert drawing.requests == 1
    assert benchmark_plugin.first_requests(server) > 1


def test_calls_at_once_are_measured_while_they_wait() -> None:
    with PictureServer(hold=1) as server:
        crowd = benchmark_plugin.crowd(server, 2, Size(1, 64, 64))

    assert (crowd.calls, crowd.succeeded, crowd.strays) == (2, 2, 0)
    assert crowd.seconds >= 1
    assert crowd.longest_gap >= 10


def test_calls_that_give_no_picture_do_not_succeed() -> None:
    with PictureServer(hold=1) as server:
        crowd = benchmark_plugin.crowd(server, 2, Size(1, 16376, 16376))

    assert crowd.succeeded == 0


def test_the_report_has_a_row_for_each_size_and_each_crowd(
    capsys: pytest.CaptureFixture[str],
) -> None:
    benchmark.report([], [SMALL], [2], repeat=1, hold=1)

    cells = [
        line.split("|")[1].strip() for line in capsys.readouterr().out.splitlines() if "|" in line
    ]
    assert [cell.strip("-") for cell in cells] == [
        "images",
        "",
        "2 × 64×64",
        "calls at once",
        "",
        "2",
    ]


def drawing(seconds: float = 1.0, growth: int = 10 * MB) -> Drawing:
    return Drawing(seconds, seconds / 2, growth, 1)


def test_a_plugin_that_is_slower_misses_the_target() -> None:
    pairs = {SMALL: Pair(drawing(1.0), drawing(1.1))}

    assert benchmark_table.missed(SMALL, pairs, timed=True) == ["slower"]
    assert benchmark_table.missed(SMALL, pairs, timed=False) == []


@pytest.mark.parametrize(("growth", "missed"), [(20 * MB, 0), (21 * MB, 1)])
def test_many_pictures_may_take_a_fifth_of_the_memory(growth: int, missed: int) -> None:
    size = Size(16, 64, 64)
    pairs = {size: Pair(drawing(growth=100 * MB), drawing(growth=growth))}

    assert len(benchmark_table.missed(size, pairs, timed=True)) == missed


@pytest.mark.parametrize(("growth", "missed"), [(24 * MB, []), (26 * MB, ["more memory than"])])
def test_more_pictures_may_not_take_more_memory(growth: int, missed: list[str]) -> None:
    size = Size(64, 64, 64)
    pairs = {
        Size(16, 64, 64): Pair(drawing(growth=150 * MB), drawing(growth=20 * MB)),
        size: Pair(drawing(growth=600 * MB), drawing(growth=growth)),
    }

    found = benchmark_table.missed(size, pairs, timed=True)

    assert [text[: len("more memory than")] for text in found] == missed


def test_a_crowd_meets_its_targets_or_names_those_it_misses() -> None:
    good = Crowd(200, 200, 4.0, bytes_each=100_000, longest_gap=11.0, strays=0)
    bad = Crowd(200, 199, 4.0, bytes_each=1_000_000, longest_gap=15.1, strays=1)

    assert benchmark_table.missed_by(good) == []
    assert benchmark_table.missed_by(bad) == [
        "a call failed",
        "memory",
        "heartbeats",
        "stray lines",
    ]


def test_rows_show_the_buffered_client_before_the_plugin() -> None:
    row = benchmark_table.row_of(SMALL, Pair(drawing(2.0), drawing(1.0, 5 * MB)), ["slower"])

    assert row == [
        "2 × 64×64", "2.00 / 1.00", "1.00 / 0.50", "10.0 / 5.0", "1 / 1", "missed: slower",
    ]  # fmt: skip


def test_the_table_is_markdown() -> None:
    table = benchmark_table.markdown(["a", "long"], [["1", "2"], ["three", "4"]])

    assert table.splitlines() == [
        "| a     | long |",
        "| ----- | ---- |",
        "| 1     | 2    |",
        "| three | 4    |",
    ]


def test_the_command_explains_itself() -> None:
    shown = subprocess.check_output(
        [sys.executable, "-m", "devtools.benchmark", "--help"], text=True
    )

    assert "Measures the plugin's process" in shown

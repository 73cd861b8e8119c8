"""Calls to several cards behind one address: the real HAProxy, as examples/pool sets it up."""

import io
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from support.drawing import Drawn, all_sent, draw, paths, until
from support.pool import Pool
from support.running import Run
from webui import errors
from webui.http.address import parse_address
from webui.http.client import WebUIClient
from webui.http.settings import Settings
from webui.run import job, watch
from webui.run.progress import Lookout, Progress, TaskState

pytestmark = pytest.mark.slow

INTERRUPT = "/sdapi/v1/interrupt"


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "FIRST_LOOK", 0.1)
    monkeypatch.setattr(watch, "LOOK_EVERY", 0.1)


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    """Four cards, on each of which a picture takes a second."""
    with Pool(tmp_path, delay=1.0) as running:
        yield running


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Pool]:
    """A pool of one card alone, for what is about the queue before it."""
    with Pool(tmp_path, cards=1, delay=1.0) as running:
        yield running


def about(pool: Pool, task_id: str) -> WebUIClient:
    return WebUIClient(Settings(parse_address(pool.base_url)), task_id=task_id)


def look_after(pool: Pool, task_id: str) -> Progress:
    return Lookout(Settings(parse_address(pool.base_url)), task_id).look()


def pixels(found: Drawn) -> list[bytes]:
    return [Image.open(io.BytesIO(data)).tobytes() for data, _ in found.files]


def interrupted(pool: Pool) -> int:
    return sum(paths(one).count(INTERRUPT) for one in pool.cards)


def test_calls_spread_over_all_cards_and_none_stands_idle_while_another_has_a_queue(
    pool: Pool,
) -> None:
    began = time.monotonic()
    for run in [Run(pool.base_url, seed=seed) for seed in range(8)]:
        assert len(run.done()[1]) == 1
    assert pool.jobs == [2, 2, 2, 2]
    # One card alone takes eight.
    assert time.monotonic() - began < 5


def test_a_queue_much_longer_than_the_pool_is_drawn_to_its_end(pool: Pool) -> None:
    for one in pool.cards:
        one.state.delay = 0.1
    runs = [Run(pool.base_url, seed=seed) for seed in range(40)]
    until(lambda: pool.in_line > 15)
    drawn = [run.done()[0].images[0].seed for run in runs]
    assert drawn == list(range(40))
    assert sum(pool.jobs) == 40
    assert min(pool.jobs) >= 6


def test_each_job_is_told_how_far_it_is_itself_and_what_waits_that_it_waits(pool: Pool) -> None:
    names = ["a", "b", "c", "d"]
    for one, delay in zip(pool.cards, (2.0, 5.0, 12.0, 30.0), strict=True):
        one.state.delay = delay
    runs = [Run(pool.base_url, force_task_id=name, steps=60) for name in names]
    until(lambda: all(map(pool.is_drawn, names)))
    waiting = Run(pool.base_url, force_task_id="e", timeout=8)
    until(lambda: pool.in_line == 1)
    time.sleep(1)
    shares = {}
    for name in names:
        told = look_after(pool, name)
        running = pool.card_of(name).state.queue.task
        assert told.is_ours
        assert told.share == pytest.approx(running.share_done, abs=0.1)
        shares[name] = told.share
    assert len(set(shares.values())) == 4
    assert look_after(pool, "e") == Progress("…")
    for one in pool.cards:
        one.state.delay = 0.0
        one.state.queue.interrupt()
    for run in runs:
        told_shares = [one.share or 0.0 for one in run.events(Progress)]
        assert told_shares == sorted(told_shares)
        assert all(one.is_ours for one in run.events(Progress))
    assert "…" in {one.queue for one in waiting.events(Progress)}


def test_an_interrupt_hits_the_job_that_it_is_about_on_whichever_card_it_is(pool: Pool) -> None:
    for one in pool.cards:
        one.state.delay = 3.0
    strangers = [Run(pool.base_url, seed=seed) for seed in range(3)]
    until(lambda: sum(pool.jobs) == 3)
    ours = Run(pool.base_url, n_iter=5, timeout=1.0)
    summary, _ = ours.done()
    assert summary.warnings[0].startswith("Interrupted after 1 s")
    for stranger in strangers:
        assert stranger.done()[0].warnings == []
    assert interrupted(pool) == 1


def test_when_another_job_has_begun_since_the_question_the_interrupt_hits_nothing(
    card: Pool,
) -> None:
    ours = Run(card.base_url, force_task_id="ours")
    until(lambda: card.is_drawn("ours"))
    with about(card, "ours") as client:
        task = TaskState.ask(client, "ours")
        assert task is not None
        assert task.active
        stranger = Run(card.base_url, force_task_id="stranger")
        ours.done()
        until(lambda: card.is_drawn("stranger"))
        client.interrupt()
    assert stranger.done()[0].warnings == []
    assert interrupted(card) == 0


def test_deadlines_that_fall_where_jobs_end_and_begin_harm_no_stranger(pool: Pool) -> None:
    chance = random.Random(5)  # noqa: S311 - a repeatable choice, no secret
    for one in pool.cards:
        one.state.delay = 0.4
    # On a slow machine all may be late at first, so that there is nothing to interrupt.
    for _ in range(5):
        strangers, hurried = [], []
        for seed in range(24):
            strangers.append(Run(pool.base_url, seed=seed))
            timeout = chance.choice([0.4, 0.8, 1.2, 1.6]) + chance.uniform(-0.1, 0.1)
            hurried.append(Run(pool.base_url, seed=100 + seed, timeout=timeout))
        assert [run.done()[0].warnings for run in strangers] == [[]] * 24
        for run in hurried:
            run.events(Progress)
        if interrupted(pool):
            break
    assert interrupted(pool) > 0


@pytest.mark.parametrize("prompt", ["a cat", "a cat " * 300_000], ids=["small", "large"])
def test_what_still_waits_at_its_deadline_is_withdrawn_and_never_reaches_a_card(
    card: Pool, prompt: str
) -> None:
    first = Run(card.base_url, n_iter=3)
    until(lambda: card.jobs == [1])
    late = Run(card.base_url, seed=6, timeout=1.0, prompt=prompt)
    until(lambda: card.in_line == 1)
    late.failure(errors.WebUITimeoutError)
    until(lambda: card.in_line == 0)
    assert len(first.done()[1]) == 3
    Run(card.base_url, seed=7).done()
    assert [request["seed"] for request in all_sent(card.cards[0])] == [5, 7]
    assert interrupted(card) == 0


def test_a_card_that_dies_takes_only_its_own_job_with_it(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "FIRST_PAUSE", 0.1)
    names = ["a", "b", "c", "d"]
    runs = {name: Run(pool.base_url, force_task_id=name) for name in names}
    until(lambda: all(map(pool.is_drawn, names)))
    dead = pool.card_of("b")
    dead.stop()
    assert "WebUI" in runs.pop("b").failure(errors.WebUIError)
    for run in runs.values():
        assert len(run.done()[1]) == 1
    place = pool.cards.index(dead) + 1
    # What is asked before HAProxy has noticed comes to a card all the same, or is asked again.
    after = [Run(pool.base_url, seed=seed) for seed in range(6)]
    until(lambda: not pool.is_up(place))
    for run in after:
        assert len(run.done()[1]) == 1
    assert sum(pool.jobs) == 10


def test_a_card_out_of_service_ends_what_it_draws_and_is_given_no_more(pool: Pool) -> None:
    first = Run(pool.base_url, force_task_id="first", n_iter=2)
    until(lambda: pool.is_drawn("first"))
    resting = pool.card_of("first")
    place = pool.cards.index(resting) + 1
    assert pool.tell(f"set server cards/card{place} state drain").strip() == ""
    others = [Run(pool.base_url, seed=seed) for seed in range(6)]
    assert len(first.done()[1]) == 2
    for run in others:
        run.done()
    assert pool.jobs[place - 1] == 1
    pool.tell(f"set server cards/card{place} state ready")
    again = [Run(pool.base_url, seed=seed) for seed in range(4)]
    until(lambda: pool.jobs[place - 1] == 2)
    for run in again:
        run.done()


def test_questions_do_not_wait_behind_jobs_and_those_of_one_client_go_to_one_card(
    pool: Pool,
) -> None:
    runs = [Run(pool.base_url, n_iter=2, seed=seed) for seed in range(8)]
    until(lambda: pool.in_line == 4)
    before = [len(paths(one)) for one in pool.cards]
    began = time.monotonic()
    with about(pool, "") as client:
        for _ in range(8):
            assert client.options()
    assert time.monotonic() - began < 1
    asked = [paths(one)[seen:] for one, seen in zip(pool.cards, before, strict=True)]
    counts = [one.count("/sdapi/v1/options") for one in asked]
    assert sorted(counts) == [0, 0, 0, 8]
    assert client.answered_by == [f"card{counts.index(8) + 1}"]
    for run in runs:
        run.done()


def test_one_call_draws_on_all_cards_what_one_card_would_have_drawn(pool: Pool) -> None:
    given = {"n_iter": 4, "batch_size": 2, "seed": 7}
    cut = draw(pool.base_url, {"parallel": 4}, **given)
    assert pool.jobs == [1, 1, 1, 1]
    for one in pool.cards:
        one.state.delay = 0.0
    whole = draw(pool.base_url, {"parallel": 1}, **given)
    assert sum(pool.jobs) == 5
    assert pixels(cut) == pixels(whole)
    assert cut.variables["seeds"] == whole.variables["seeds"] == list(range(7, 15))
    assert cut.json["info"]["infotexts"] == whole.json["info"]["infotexts"]
    assert cut.warnings == []
    assert cut.variables["elapsed_seconds"] < 6


def test_a_part_whose_card_dies_is_named_and_the_others_arrive(pool: Pool) -> None:
    with ThreadPoolExecutor() as callers:
        call = callers.submit(draw, pool.base_url, {"parallel": 4}, n_iter=4, seed=20)
        until(lambda: pool.jobs == [1, 1, 1, 1])
        (lost,) = [request["seed"] for request in all_sent(pool.cards[2])]
        pool.cards[2].stop()
        found = call.result()
    assert found.variables["seeds"] == [seed for seed in range(20, 24) if seed != lost]
    missing = next(one for one in found.warnings if one.startswith("Missing"))
    assert missing.startswith(f"Missing: seed {lost}. ")
    assert "WebUI" in missing
    # Nothing is drawn twice.
    assert pool.jobs == [1, 1, 1, 1]


def test_parts_that_wait_for_a_card_are_told_so_and_withdrawn_at_the_deadline(card: Pool) -> None:
    stranger = Run(card.base_url, seed=1)
    until(lambda: card.jobs == [1])
    found = draw(card.base_url, {"parallel": 4}, n_iter=4, seed=30, timeout=2.5)
    stranger.done()
    until(lambda: card.in_line == 0)
    drawn = sorted(request["seed"] for request in all_sent(card.cards[0])[1:])
    assert len(drawn) == 2
    assert found.variables["seeds"] == drawn
    missing = [one for one in found.warnings if one.startswith("Missing")]
    waited = sorted({30, 31, 32, 33} - set(drawn))
    assert [one[:17] for one in missing] == [f"Missing: seed {seed}." for seed in waited]
    assert interrupted(card) == 1
    assert found.progress[0].startswith("⏳ …")

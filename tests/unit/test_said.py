"""Nonsense beside a good picture, or in a list, is as if it had not been said."""

import pytest

from webui import said
from webui.server.names import find_model, match_hashed, suggest_names, titles_of
from webui.server.server import read_entries

ODD: list[object] = [None, 5, -1.5, True, "text", [], ["a", 5, None, {"name": "b"}], {}, {"a": {}}]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_each_reader_gives_its_type_whatever_is_said(odd: object) -> None:
    assert isinstance(said.an_object(odd), dict)
    assert all(isinstance(one, dict) for one in said.objects(odd))
    assert all(isinstance(one, str) for one in said.texts(odd))
    assert isinstance(said.text(odd), str)
    assert said.number(odd) is None or odd in (5, -1.5)
    assert said.whole(odd) is None or odd == 5


def test_numbers_that_nobody_can_count_with_are_not_said() -> None:
    text = f"[NaN, Infinity, 1e999, {'1' * 5000}, 1, 0.5, {10**12}]"
    assert said.parse(text) == [None, None, None, None, 1, 0.5, 10**12]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_no_entry_of_a_list_can_break_what_reads_it(odd: object) -> None:
    keys = ("name", "label", "aliases", "title", "model_name", "filename", "hash", "args", "scale")
    entries = read_entries([odd, dict.fromkeys(keys, odd), {"title": "good.ckpt [0a1b]"}])
    assert find_model("good", entries) == "good.ckpt [0a1b]"
    assert "good.ckpt" in titles_of(entries)


def test_a_long_name_is_compared_in_no_time() -> None:
    blanks = "a" + " " * 100_000
    assert match_hashed(blanks + "[0a1b]", [blanks]) == blanks
    known = ["y" * 100_000, "short"]
    assert suggest_names("x" * 100_000, known) == f"The server has {'y' * 199}…, short."

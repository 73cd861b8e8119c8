"""What a server says of a run, which each family and version says as it likes."""

import json

import pytest

from webui.http.account import Account


@pytest.mark.parametrize(
    "text",
    ["", " ", "no JSON", "{", "{}", "[]", "5", "null", '"text"', "[" * 100_000],
    ids=["empty", "blank", "words", "cut", "nothing in it", "list", "number", "null", "text",
         "nested"],
)  # fmt: skip
def test_a_text_that_holds_no_object_counts_as_no_account(text: str) -> None:
    account = Account.parse(text)
    assert not account
    assert account == Account()


def test_what_is_said_is_kept_as_it_was_sent_and_read() -> None:
    raw = {"all_seeds": [7, 8], "all_subseeds": [1, 2], "infotexts": ["grid", "a", "b"]}
    names = {"sampler_name": "Euler a", "sd_model_name": "dream", "sd_model_hash": "0f3a"}
    account = Account.parse(json.dumps(raw | names | {"index_of_first_image": 1}))
    assert account
    assert account.raw == raw | names | {"index_of_first_image": 1}
    assert (account.seeds, account.subseeds) == ([7, 8], [1, 2])
    assert (account.infotexts, account.first) == (["grid", "a", "b"], 1)
    assert (account.sampler, account.model, account.model_hash) == ("Euler a", "dream", "0f3a")


@pytest.mark.parametrize("odd", [None, "", 0, {}, False], ids=repr)
def test_what_is_not_said_or_makes_no_sense_is_empty(odd: object) -> None:
    names = ["all_seeds", "all_subseeds", "infotexts", "index_of_first_image"]
    names += ["sampler_name", "sd_model_name", "sd_model_hash"]
    for account in (Account(), Account(dict.fromkeys(names, odd))):
        assert (account.seeds, account.subseeds, account.infotexts) == ([], [], [])
        assert account.first == Account({"index_of_first_image": -1}).first == 0
        assert (account.sampler, account.model, account.model_hash) == ("", "", "")


def test_a_piece_of_another_type_is_dropped_and_the_rest_kept() -> None:
    digits = "1" * 5000
    account = Account.parse(
        f'{{"all_seeds": [{digits}, 8, "9", NaN], "all_subseeds": 5, "infotexts": [5, "b"],'
        f' "index_of_first_image": {digits}, "sampler_name": {{}}, "sd_model_name": ["x"]}}'
    )
    assert (account.seeds, account.subseeds) == ([None, 8, None, None], [])
    assert account.infotexts == ["", "b"]
    assert (account.first, account.sampler, account.model) == (0, "", "")


def test_stable_diffusion_cpps_word_for_its_default_sampler_names_none() -> None:
    assert Account({"sampler_name": "NONE"}).sampler == ""

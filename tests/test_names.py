import pytest

from webui import names

SAMPLERS = ["Euler", "Euler a", "DPM++ 2M", "DPM++ 2M SDE", "DDIM", "LCM"]


@pytest.mark.parametrize("wanted", ["Euler a", " Euler a ", "euler A", "EULER  A", "Euler\u3000a"])
def test_a_name_matches_whatever_its_case_and_blanks(wanted: str) -> None:
    assert names.match(wanted, SAMPLERS) == "Euler a"


@pytest.mark.parametrize(
    "wanted", ["", " ", "Eule", "Euler b", "DPM++", "DPM 2M", "\x00", "\ud800"]
)
def test_a_name_the_server_lacks_matches_nothing(wanted: str) -> None:
    assert names.match(wanted, SAMPLERS) is None


def test_the_exact_name_wins_over_one_that_differs_by_case() -> None:
    assert names.match("Dream", ["dream", "Dream", "DREAM"]) == "Dream"


def test_a_name_that_could_be_two_matches_none() -> None:
    assert names.match("DREAM", ["dream", "Dream"]) is None


def test_a_name_listed_twice_is_one_name() -> None:
    assert names.match("ddim", ["DDIM", "DDIM"]) == "DDIM"


def test_names_are_read_from_an_iterator_too() -> None:
    assert names.match("lcm", iter(SAMPLERS)) == "LCM"


def test_nothing_matches_where_the_server_has_none() -> None:
    assert names.match("Euler", []) is None


def test_a_slip_of_the_finger_is_answered_with_the_closest_first() -> None:
    sentence = names.suggestion("Eular a", SAMPLERS)
    assert sentence.startswith("Closest of 6: Euler a, Euler")
    assert sentence.endswith(".")
    assert "DDIM" not in sentence


def test_closeness_does_not_mind_the_case_and_keeps_the_servers_spelling() -> None:
    assert "DPM++ 2M SDE" in names.suggestion("dpm++ 2m sdee", SAMPLERS)


def test_where_nothing_is_close_a_short_list_is_told_whole() -> None:
    assert names.suggestion("zzzz", ["Euler", "DDIM"]) == "The server has Euler, DDIM."


def test_where_nothing_is_close_a_long_list_is_told_in_part_and_counted() -> None:
    assert names.suggestion("zzzz", SAMPLERS) == (
        "Some of 6: Euler, Euler a, DPM++ 2M, DPM++ 2M SDE, DDIM."
    )


def test_an_empty_list_is_said_to_be_empty() -> None:
    assert names.suggestion("Euler", []) == "The server has none."


def test_names_listed_twice_count_once() -> None:
    assert names.suggestion("zzzz", ["Euler", "Euler"]) == "The server has Euler."

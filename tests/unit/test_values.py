import json
import math
from collections.abc import Callable

import pytest

from webui import values

WIDE = 2**53 + 1  # the first whole number a float cannot hold
HUGE = 10**400  # beyond any float
NOT_NUMBERS: list[object] = [
    "nan", "inf", "-Infinity", float("nan"), float("inf"), "1e999", "-1e999", "1e12345",
    "１２", "٣", "²", "1_000", "1,5", "1 2", "0x10", "--5", ".", "e5", "", " ", "\x00", "1\x00",
    "\ud800", True, False, None, [], {}, [5], b"5", 5j,
]  # fmt: skip


@pytest.mark.parametrize("nothing", [None, "", "  ", "\n\t", "\u3000", [], [None], [None, None]])
def test_what_dify_sends_for_an_empty_field_is_unset(nothing: object) -> None:
    assert values.is_unset(nothing)


@pytest.mark.parametrize("something", [0, 0.0, False, "0", "false", {}, [0], [None, 1], "null"])
def test_zero_and_false_are_set(something: object) -> None:
    assert not values.is_unset(something)


@pytest.mark.parametrize(
    ("given", "found"),
    [("12", 12), (" +5\n", 5), ("-3", -3), ("007", 7), ("5.", 5.0), (".5", 0.5), ("0", 0),
     ("-.5e-3", -0.0005), ("1E+3", 1000.0), (7, 7), (7.5, 7.5)],
)  # fmt: skip
def test_a_number_may_come_as_text(given: object, found: float) -> None:
    number = values.number(given)
    assert (number, type(number)) == (found, type(found))


@pytest.mark.parametrize("wide", [WIDE, str(WIDE), str(-WIDE)])
def test_a_whole_number_beyond_a_float_stays_exact(wide: int | str) -> None:
    assert values.number(wide) == int(wide)
    assert values.integer(wide) == int(wide)


@pytest.mark.parametrize("convert", [values.number, values.decimal, values.integer])
@pytest.mark.parametrize(
    "wrong", [*NOT_NUMBERS, pytest.param(HUGE, id="huge"), pytest.param(str(HUGE), id="huge text")]
)
def test_what_is_no_finite_number_is_refused(
    convert: Callable[[object], object], wrong: object
) -> None:
    with pytest.raises(ValueError, match=r"^is not a (whole )?number$"):
        convert(wrong)


@pytest.mark.parametrize(
    ("given", "found"), [(20, 20), (20.0, 20), ("20", 20), ("20.0", 20), ("2e1", 20), (-0.0, 0)]
)
def test_a_whole_number_may_come_as_a_float(given: object, found: int) -> None:
    whole = values.integer(given)
    assert (whole, type(whole)) == (found, int)


@pytest.mark.parametrize("fraction", [20.7, "20.7", "1e-1", 0.5])
def test_a_fraction_is_not_rounded_to_a_whole_number(fraction: object) -> None:
    with pytest.raises(ValueError, match=r"^is not a whole number$"):
        values.integer(fraction)


def test_a_decimal_is_a_float_even_when_whole() -> None:
    assert json.dumps(values.decimal("7")) == "7.0"


@pytest.mark.parametrize("yes", [True, 1, 1.0, "1", "true", "TRUE", " True ", "yes", "on", "y"])
def test_true_has_many_spellings(yes: object) -> None:
    assert values.boolean(yes) is True


@pytest.mark.parametrize("no", [False, 0, 0.0, "0", "false", "False\n", "no", "off", "N"])
def test_false_has_many_spellings(no: object) -> None:
    assert values.boolean(no) is False


@pytest.mark.parametrize(
    "unclear",
    [
        2,
        -1,
        0.5,
        math.nan,
        "maybe",
        "",
        "１",
        "truе",
        None,
        [],
        [True],
        {},
        pytest.param(HUGE, id="huge"),
    ],
)
def test_what_is_neither_true_nor_false_is_refused(unclear: object) -> None:
    with pytest.raises(ValueError, match=r"^is neither true nor false$"):
        values.boolean(unclear)


@pytest.mark.parametrize("exact", [" a  cat\n", "\x00", "１２", "\ud800", "1.50", ""])
def test_text_is_kept_to_the_letter(exact: str) -> None:
    assert values.text(exact) == exact


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (5, "5"),
        (5.0, "5"),
        (0.7, "0.7"),
        (-3, "-3"),
        (WIDE, str(WIDE)),
        pytest.param(HUGE, str(HUGE), id="huge"),
    ],
)
def test_a_number_becomes_text_by_its_digits(given: object, found: str) -> None:
    assert values.text(given) == found


@pytest.mark.parametrize("wrong", [True, None, [], {}, ["a"], b"a"])
def test_other_types_are_not_text(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"^is not text$"):
        values.text(wrong)


@pytest.mark.parametrize("given", ['{"a": [1, "b"]}', ' \n{"a":[1,"b"]} ', {"a": [1, "b"]}])
def test_a_json_object_may_come_as_text_or_parsed(given: object) -> None:
    assert values.json_object(given) == {"a": [1, "b"]}


@pytest.mark.parametrize("given", ['[1, {"a": null}]', [1, {"a": None}]])
def test_a_json_array_may_come_as_text_or_parsed(given: object) -> None:
    assert values.json_array(given) == [1, {"a": None}]


@pytest.mark.parametrize("wrong", ["[]", "5", '"{}"', "null", [], 5, None, True])
def test_other_json_is_no_object(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"^is not a JSON object; it must look like {…}$"):
        values.json_object(wrong)


@pytest.mark.parametrize("wrong", ["{}", "5", '"[]"', "null", {}, 5, None, False])
def test_other_json_is_no_array(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"^is not a JSON array; it must look like \[…\]$"):
        values.json_array(wrong)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("{", "line 1, column 2"),
        ("{'a': 1}", "line 1, column 2"),
        ('{"a": 1,\n "b": }', "line 2, column 7"),
        ('{"a": 1} {', "line 1, column 10"),
        ('{"a": "\x00"}', "line 1, column 8"),
        ("\ufeff{}", "line 1, column 1"),
    ],
)
def test_invalid_json_is_refused_with_its_position(text: str, position: str) -> None:
    with pytest.raises(ValueError, match=rf"^is not valid JSON at {position}: "):
        values.json_object(text)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_pythons_own_additions_to_json_are_refused(constant: str) -> None:
    with pytest.raises(ValueError, match=rf"^holds {constant}, which is not JSON$"):
        values.json_object(f'{{"a": [{constant}]}}')


@pytest.mark.parametrize("unsendable", ['{"a": 1e999}', '{"a": [{"b": -1e400}]}'])
def test_a_number_too_large_to_be_sent_again_is_refused(unsendable: str) -> None:
    with pytest.raises(ValueError, match=r"^(holds|is) "):
        values.json_object(unsendable)


@pytest.mark.parametrize("bomb", ["[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 50_000])
def test_json_nested_too_deeply_is_refused(bomb: str) -> None:
    with pytest.raises(ValueError, match=r"^is nested too deeply$"):
        values.json_array(bomb)


def test_a_number_with_thousands_of_digits_is_refused_in_words_that_follow_the_value() -> None:
    with pytest.raises(ValueError, match=r"^(is|holds) "):
        values.json_object('{"a": ' + "1" * 5000 + "}")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("a, b,,c ,", ["a", "b", "c"]),
        ('["a, b", " c "]', ["a, b", "c"]),
        (' [ "a" ]', ["a"]),
        (["a", " ", "", "b"], ["a", "b"]),
        ("[]", []),
        ("film grain", ["film grain"]),
        (",", []),
    ],
)
def test_names_come_separated_by_commas_or_as_json(given: object, found: list[str]) -> None:
    assert values.names(given) == found


@pytest.mark.parametrize("wrong", ["[1]", '["a", null]', ["a", None], [["a"]]])
def test_a_list_with_anything_but_text_is_no_list_of_names(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"^holds something that is not text$"):
        values.names(wrong)


@pytest.mark.parametrize("wrong", ["[a, b]", "[", 5, {}, True])
def test_what_is_no_list_of_names_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"^is not (valid JSON at line 1|a JSON array)"):
        values.names(wrong)

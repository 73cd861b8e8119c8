import contextlib
import math
import re
import time

import pytest

from webui import values
from webui.errors import InvalidParameterError
from webui.request.loras import listed_loras
from webui.server.names import match_hashed, suggest_names
from webui.values import Converter

WIDE = 2**53 + 1  # the first whole number a float cannot hold
HUGE = 10**400  # beyond any float
NOT_NUMBERS: list[object] = [
    "nan", "inf", "-Infinity", float("nan"), float("inf"), "1e999", "-1e999", "1e12345",
    "٣", "1_000", "1,5", "１，５", "“5", "1 2", "0x10", "--5", ".", "e5", "", " ", "\x00", "1\x00",
    "\ud800", True, False, None, [], {}, [5], b"5", 5j,
    pytest.param(HUGE, id="huge"), pytest.param(str(HUGE), id="huge text"),
]  # fmt: skip


@pytest.mark.parametrize("nothing", [None, "", "\n\t ", "\u3000\u00a0\ufeff", [], [None, None]])
def test_what_a_form_sends_for_an_empty_field_is_unset(nothing: object) -> None:
    assert values.is_unset(nothing)


@pytest.mark.parametrize("something", [0, 0.0, False, "0", "false", {}, [0], [None, 1], "null"])
def test_zero_and_false_are_set(something: object) -> None:
    assert not values.is_unset(something)


UNDERSTOOD: list[tuple[Converter, list[tuple[object, object]]]] = [
    (values.number,
     [("12", 12), (" +5\n", 5), ("-3", -3), ("007", 7), ("5.", 5.0), (".5", 0.5), ("0", 0),
      ("-.5e-3", -0.0005), ("1E+3", 1000.0), (7, 7), (7.5, 7.5), (WIDE, WIDE),
      ("\ufeff１２\u00a0", 12), ("“－０．５”", -0.5), (str(-WIDE), -WIDE)]),
    (values.integer,
     [(20, 20), (20.0, 20), ("20", 20), ("20.0", 20), ("2e1", 20), (-0.0, 0), (str(WIDE), WIDE)]),
    (values.decimal, [(7, 7.0), ("7", 7.0)]),
    (values.boolean,
     [*((yes, True) for yes in (True, 1, 1.0, "1", "true", "TRUE", " True ", "yes", "on", "y",
                              "１", "Ｔｒｕｅ", "'true'")),
      *((no, False) for no in (False, 0, 0.0, "0", "false", "False\n", "no", "off", "N"))]),
    (values.text,
     [*((text, text) for text in (" a  cat\n", "\x00", "１２", "\ud800", "1.50", "")),
      (5, "5"), (5.0, "5"), (0.7, "0.7"), (-3, "-3"), (WIDE, str(WIDE)),
      (HUGE, str(HUGE))]),
    (values.tidy_text,
     [*((f"\ufeff\u00a0{start}a  Ｂ {end}\u3000", "a  Ｂ")
        for start, end in ("''", '""', "“”", "‘’", "„“", "«»", "「」", "  ")),
      ("it's", "it's"), ('"', '"'), ("“a” or “b”", "“a” or “b”"), (5.0, "5")]),
    (values.json_object,
     [("\ufeff{}\u00a0", {}),
      ('{"a": [1, "b"]}', {"a": [1, "b"]}), (' \n{"a":1} ', {"a": 1}), ({"a": 1}, {"a": 1})]),
    (values.json_array, [('[1, {"a": null}]', [1, {"a": None}]), ([1, None], [1, None])]),
    (values.names,
     [("a, b,,c ,", ["a", "b", "c"]), ('["a, b", " c "]', ["a, b", "c"]), (' [ "a" ]', ["a"]),
      (["a", " ", "", "b"], ["a", "b"]), ("[]", []), ("film grain", ["film grain"]), (",", []),
      ("a，b", ["a", "b"]), ("\ufeff“a, b”\u00a0", ["a", "b"]), ('"a", \'b c\'', ["a", "b c"])]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("convert", "given", "found"),
    [(convert, *pair) for convert, pairs in UNDERSTOOD for pair in pairs],
)
def test_a_value_may_come_in_many_spellings_and_becomes_its_type(
    convert: Converter, given: object, found: object
) -> None:
    converted = convert(given)
    assert (converted, type(converted)) == (found, type(found))


@pytest.mark.parametrize("convert", [values.number, values.decimal, values.integer])
@pytest.mark.parametrize("wrong", NOT_NUMBERS)
def test_what_is_no_finite_number_is_refused(convert: Converter, wrong: object) -> None:
    with pytest.raises(ValueError, match=r"^is not a (whole )?number$"):
        convert(wrong)


REFUSED: list[tuple[Converter, str, list[object]]] = [
    (values.integer, "is not a whole number", [20.7, "20.7", "1e-1", 0.5]),
    (values.boolean, "is neither true nor false",
     [2, -1, 0.5, math.nan, "maybe", "", "２", "truе", None, [], [True], {}]),
    (values.text, "is not text", [True, None, [], {}, ["a"], b"a"]),
    (values.json_object, "is not a JSON object; it must look like {…}",
     ["[]", "5", '"{}"', "null", [], 5, None, True]),
    (values.json_array, "is not a JSON array; it must look like […]",
     ["{}", "5", '"[]"', "null", {}, 5, None, False]),
    (values.names, "is not a JSON array; it must look like […]", [5, {}, True]),
    (values.names, "is not valid JSON at line 1, column 2: Expecting value", ["[a, b]"]),
    (values.names, "holds something that is not text", ["[1]", '["a", null]', ["a", None]]),
    (values.json_object, "holds NaN, which is not JSON", ['{"a": [NaN]}']),
    (values.json_object, "holds -Infinity, which is not JSON", ['{"a": -Infinity}']),
    (values.json_array, "is nested more than 100 levels deep",
     ["[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 50_000]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("convert", "said", "wrong"),
    [(convert, said, wrong) for convert, said, several in REFUSED for wrong in several],
)
def test_another_value_is_refused_in_words_that_follow_it(
    convert: Converter, said: str, wrong: object
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        convert(wrong)


@pytest.mark.parametrize(
    ("text", "position"),
    [("{", "line 1, column 2"), ("{'a': 1}", "line 1, column 2"),
     ('{"a": 1,\n "b": }', "line 2, column 7"), ('{"a": 1} {', "line 1, column 10"),
     ('{"a": "\x00"}', "line 1, column 8")],
)  # fmt: skip
def test_invalid_json_is_refused_with_its_position(text: str, position: str) -> None:
    with pytest.raises(ValueError, match=rf"^is not valid JSON at {position}: "):
        values.json_object(text)


@pytest.mark.parametrize("digits", ["1e999", "-1e400", "1" * 5000], ids=len)
def test_a_number_too_large_to_be_sent_again_is_refused(digits: str) -> None:
    with pytest.raises(ValueError, match=r"^holds a number too large to be sent: [-\de]+…$"):
        values.json_object(f'{{"a": [{{"b": {digits}}}]}}')


@pytest.mark.parametrize(
    "hostile",
    ["a" + " " * 100_000 + "x", "1" * 100_000 + "x", "a" + "\u0300\u0316" * 50_000, "[" * 100_000],
    ids=["blanks", "digits", "marks", "brackets"],
)
def test_nothing_takes_more_than_linear_time(hostile: str) -> None:
    began = time.process_time()
    for convert in (values.number, values.boolean, values.names, values.tidy_text):
        with contextlib.suppress(ValueError):
            convert(hostile)
    with contextlib.suppress(InvalidParameterError):
        listed_loras(hostile)
    match_hashed(hostile, [hostile[1:]])
    suggest_names(hostile, [hostile[1:]])
    assert time.process_time() - began < 10

from pathlib import Path
from typing import Any

import pytest
import yaml

from webui.errors import InvalidParameterError
from webui.parameters import Parameters

ROOT = Path(__file__).parent.parent
DECLARED: list[dict[str, Any]] = yaml.safe_load((ROOT / "tools/txt2img.yaml").read_text("utf-8"))[
    "parameters"
]
TXT2IMG = Parameters.beside(str(ROOT / "tools/txt2img.py"))
OBJECTS = {"alwayson_scripts", "comments", "extra_parameters", "override_settings"}
NAME_LISTS = {"styles", "hr_additional_modules"}


def of_type(kind: str, *, whole: bool | None = None) -> list[str]:
    return [
        declared["name"]
        for declared in DECLARED
        if declared["type"] == kind and (whole is None or (declared.get("precision") == 0) is whole)
    ]


WHOLE = of_type("number", whole=True)
DECIMAL = of_type("number", whole=False)
PLAIN_TEXT = [
    name
    for name in of_type("string")
    if name not in OBJECTS | NAME_LISTS | {"script_args", "prompt"}
]


def read(**given: object) -> dict[str, Any]:
    return TXT2IMG.read({"prompt": "a cat"} | given)


def refusal(**given: object) -> str:
    with pytest.raises(InvalidParameterError) as caught:
        read(**given)
    return str(caught.value)


def test_every_parameter_is_of_a_kind_tested_here() -> None:
    kinds = {*WHOLE, *DECIMAL, *PLAIN_TEXT, *of_type("boolean"), *OBJECTS, *NAME_LISTS}
    assert kinds | {"script_args", "prompt", *of_type("files")} == {
        declared["name"] for declared in DECLARED
    }


def test_a_prompt_alone_gives_the_declared_defaults_and_nothing_else() -> None:
    assert read() == {
        "prompt": "a cat",
        "width": 1024,
        "height": 1024,
        "steps": 20,
        "cfg_scale": 7,
        "seed": -1,
        "batch_size": 1,
        "n_iter": 1,
        "resume": True,
    }


@pytest.mark.parametrize("unset", [None, "", "  ", [], [None]], ids=repr)
@pytest.mark.parametrize("name", [d["name"] for d in DECLARED if d["name"] != "prompt"])
def test_what_dify_sends_for_nothing_counts_as_absent(name: str, unset: object) -> None:
    assert read(**{name: unset}) == read()


@pytest.mark.parametrize("unset", [None, "", " \n", [], [None]], ids=repr)
def test_an_empty_prompt_is_refused(unset: object) -> None:
    assert refusal(prompt=unset) == "prompt is empty, but required."


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("value", [8, 8.0, "8", "8.0", " 8 "], ids=repr)
def test_whole_numbers_arrive_as_int(name: str, value: object) -> None:
    found = read(**{name: value})[name]
    assert (found, type(found)) == (8, int)


@pytest.mark.parametrize("name", DECIMAL)
@pytest.mark.parametrize("value", [1, 1.0, "1", "1e0", ".1e1"], ids=repr)
def test_other_numbers_arrive_as_float(name: str, value: object) -> None:
    found = read(**{name: value})[name]
    assert (found, type(found)) == (1.0, float)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("value", ["abc", 8.5, "8.5", True, {}, [8], "nan", float("inf")], ids=repr)
def test_what_is_no_whole_number_is_refused_by_name_and_value(name: str, value: object) -> None:
    text = refusal(**{name: value})
    assert text.startswith(f"{name}: {value!r} is not a whole number. Allowed: a whole number")


@pytest.mark.parametrize("name", DECIMAL)
@pytest.mark.parametrize("value", ["abc", "7,5", False, {}, [8], "nan", float("-inf")], ids=repr)
def test_what_is_no_number_is_refused_by_name_and_value(name: str, value: object) -> None:
    text = refusal(**{name: value})
    assert text.startswith(f"{name}: {value!r} is not a number. Allowed: a number")


LIMITS = [
    (declared["name"], bound, declared[bound])
    for declared in DECLARED
    for bound in ("min", "max")
    if bound in declared
]


@pytest.mark.parametrize(("name", "bound", "limit"), LIMITS)
def test_a_declared_limit_itself_passes(name: str, bound: str, limit: float) -> None:
    del bound
    assert read(**{name: limit})[name] == limit


@pytest.mark.parametrize(("name", "bound", "limit"), LIMITS)
def test_beyond_a_declared_limit_is_refused(name: str, bound: str, limit: float) -> None:
    beyond, problem = (limit - 1, "is too small") if bound == "min" else (limit + 1, "is too large")
    text = refusal(**{name: beyond})
    assert text.startswith(f"{name}: {beyond!r} {problem}. Allowed: ")
    assert str(limit) in text.partition("Allowed:")[2]


@pytest.mark.parametrize("name", of_type("boolean"))
@pytest.mark.parametrize(
    ("value", "meant"),
    [(True, True), ("true", True), ("True", True), (1, True), ("1", True), ("yes", True),
     (False, False), ("false", False), (0, False), ("0", False), ("no", False), ("off", False)],
)  # fmt: skip
def test_booleans_are_understood_in_every_spelling(name: str, value: object, meant: bool) -> None:
    assert read(**{name: value})[name] is meant


@pytest.mark.parametrize("name", of_type("boolean"))
@pytest.mark.parametrize("value", ["maybe", 2, -1, {}, ["true"]], ids=repr)
def test_what_is_no_boolean_is_refused(name: str, value: object) -> None:
    assert refusal(**{name: value}) == (
        f"{name}: {value!r} is neither true nor false. Allowed: true or false."
    )


@pytest.mark.parametrize("name", [*PLAIN_TEXT, "prompt"])
def test_text_is_kept_to_the_letter(name: str) -> None:
    text = "  (ein Leuchtturm:1.2), 夜明け \n<lora:x:1> "
    assert read(**{name: text})[name] == text


@pytest.mark.parametrize("name", [*PLAIN_TEXT, "prompt"])
def test_a_number_given_for_text_becomes_its_digits(name: str) -> None:
    assert read(**{name: 42})[name] == "42"
    assert read(**{name: 42.0})[name] == "42"
    assert read(**{name: 0.5})[name] == "0.5"


@pytest.mark.parametrize("name", [*PLAIN_TEXT, "prompt"])
@pytest.mark.parametrize("value", [{"a": 1}, ["a"], True], ids=repr)
def test_what_is_no_text_is_refused(name: str, value: object) -> None:
    assert refusal(**{name: value}) == f"{name}: {value!r} is not text. Allowed: text."


@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_json_objects_are_read_from_text_or_taken_as_they_are(name: str) -> None:
    assert read(**{name: '{"a": [1, null, "x"]}'})[name] == {"a": [1, None, "x"]}
    assert read(**{name: {"a": 1}})[name] == {"a": 1}


@pytest.mark.parametrize("name", sorted(OBJECTS))
@pytest.mark.parametrize("value", ["[1]", "1", '"text"', "null", [1], 5], ids=repr)
def test_other_json_than_an_object_is_refused(name: str, value: object) -> None:
    assert f"{name}: {value!r} is not a JSON object" in refusal(**{name: value})


@pytest.mark.parametrize("name", [*sorted(OBJECTS), "script_args"])
def test_invalid_json_is_refused_with_its_position(name: str) -> None:
    assert "is not valid JSON at line 2, column 8: " in refusal(**{name: '{"a": 1,\n "b":  }'})


@pytest.mark.parametrize("name", sorted(OBJECTS))
@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_refused(name: str, constant: str) -> None:
    assert f"holds {constant}, which is not JSON" in refusal(**{name: f'{{"a": {constant}}}'})


def test_json_nested_too_deeply_is_refused() -> None:
    assert "is nested too deeply" in refusal(extra_parameters='{"a":' * 100_000 + "}" * 100_000)


def test_script_args_take_a_json_array() -> None:
    assert read(script_args='[1, "a", null, true]')["script_args"] == [1, "a", None, True]
    assert "is not a JSON array" in refusal(script_args='{"a": 1}')


@pytest.mark.parametrize("name", sorted(NAME_LISTS))
@pytest.mark.parametrize(
    "value", ["Film, Anime", '["Film", "Anime"]', ["Film", "Anime"], " Film ,, Anime, "], ids=repr
)
def test_names_come_as_json_or_between_commas(name: str, value: object) -> None:
    assert read(**{name: value})[name] == ["Film", "Anime"]


@pytest.mark.parametrize("name", sorted(NAME_LISTS))
@pytest.mark.parametrize("value", ["[1, 2]", [{}], {"a": 1}, 5], ids=repr)
def test_a_list_of_anything_but_names_is_refused(name: str, value: object) -> None:
    assert "Allowed: names separated by commas, or a JSON array of names." in refusal(
        **{name: value}
    )


def test_an_unknown_parameter_is_refused_with_the_one_meant() -> None:
    assert refusal(widht=512) == "widht is not a parameter of this tool. Did you mean width?"


def test_an_unknown_parameter_without_a_value_is_ignored() -> None:
    assert read(gone=None, also_gone="") == read()


def test_a_long_value_is_cut_in_the_message() -> None:
    text = refusal(steps="9" * 5000)
    assert len(text) < 200


CHOICE = Parameters(
    [
        {
            "name": "mode",
            "type": "select",
            "options": [{"value": "Fast"}, {"value": "fine"}],
        }
    ]
)


def test_a_choice_is_found_whatever_its_case() -> None:
    assert CHOICE.read({"mode": " fast "}) == {"mode": "Fast"}


@pytest.mark.parametrize("value", ["slow", ["Fast"], {}], ids=repr)
def test_what_is_no_choice_is_refused_with_the_choices(value: object) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        CHOICE.read({"mode": value})
    assert str(caught.value) == f"mode: {value!r} is not one of the choices. Allowed: Fast, fine."


FILES = Parameters([{"name": "image", "type": "file", "required": True}])


def test_a_file_stays_the_object_it_is() -> None:
    file = object()
    assert FILES.read({"image": file})["image"] is file


@pytest.mark.parametrize("nothing", [None, [], [None], ""], ids=repr)
def test_a_file_that_is_not_there_counts_as_absent(nothing: object) -> None:
    with pytest.raises(InvalidParameterError, match="image is empty, but required"):
        FILES.read({"image": nothing})

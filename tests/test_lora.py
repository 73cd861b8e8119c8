import pytest

from webui import lora
from webui.errors import InvalidParameterError


def tags_of(written: str) -> list[str]:
    return [each.tag for each in lora.listed(written)]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("detail:0.7", ["<lora:detail:0.7>"]),
        ("detail", ["<lora:detail:1>"]),
        ("detail:0.7, grain", ["<lora:detail:0.7>", "<lora:grain:1>"]),
        ("detail:0.7\ngrain:.5,\n\n", ["<lora:detail:0.7>", "<lora:grain:.5>"]),
        ("detail : -0.5 ", ["<lora:detail:-0.5>"]),
        ("detail:+1", ["<lora:detail:+1>"]),
        ("detail:0.7:0.4", ["<lora:detail:0.7:0.4>"]),
        ("film grain", ["<lora:film grain:1>"]),
        ("sub/v1.5-detail:1", ["<lora:sub/v1.5-detail:1>"]),
        ("詳細:0.5", ["<lora:詳細:0.5>"]),
        ("", []),
        (" ,\n, ", []),
    ],
)
def test_a_list_of_loras_becomes_tags(written: str, expected: list[str]) -> None:
    assert tags_of(written) == expected


@pytest.mark.parametrize(
    "tag", ["<lora:detail:0.7>", "<lora:detail>", "<lora:detail:0.7:0.4:lbw=MIDD>", "<lora:a b:1>"]
)
def test_a_ready_tag_passes_as_it_is(tag: str) -> None:
    assert tags_of(tag) == [tag]


def test_tags_without_a_comma_between_them_are_several() -> None:
    assert tags_of("<lora:a:1><lora:b:1> <lora:c:1>") == [
        "<lora:a:1>", "<lora:b:1>", "<lora:c:1>",
    ]  # fmt: skip


def test_tags_and_names_mix() -> None:
    assert sorted(tags_of("grain:0.5, <lora:detail:1>, soft")) == [
        "<lora:detail:1>", "<lora:grain:0.5>", "<lora:soft:1>",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    ["detail:", "detail:strong", ":0.5", "detail:1:", "detail:1e5", "detail:nan", "detail:inf",
     "detail:0,7:x", "a:1 b:2", "<lora:>", "<lora::1>", "<lora:detail", "detail>", "<hypernet:a:1>",
     "a<b", r"C:\loras\a:1", "detail:１", "detail:1_0"],
)  # fmt: skip
def test_what_is_neither_is_refused_with_an_example(wrong: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        tags_of(wrong)
    assert str(caught.value).startswith("lora: ")
    assert "Write for example: detail_tweaker:0.7, film_grain." in str(caught.value)


def test_the_refusal_quotes_the_entry_at_fault_alone() -> None:
    with pytest.raises(InvalidParameterError, match=r"^lora: 'grain:x' is neither"):
        tags_of("detail:1, grain:x, soft")

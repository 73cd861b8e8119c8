import pytest

from webui.fields import FIELDS


@pytest.mark.parametrize(
    ("name", "value", "neutral"),
    [
        ("tiling", 0, True), ("tiling", "", True), ("tiling", [], True), ("tiling", True, False),
        ("mask_blur_x", 4, True), ("mask_blur_x", 0, False),
        ("seed_resize_from_w", -1, True), ("seed_resize_from_w", 512, False),
        ("eta", 0.0, False),
    ],
)  # fmt: skip
def test_ignoring_a_value_loses_nothing_where_it_is_neutral(
    name: str, value: object, neutral: bool
) -> None:
    assert FIELDS[name].is_neutral(value) is neutral

import pytest

from webui import limits


@pytest.mark.parametrize(
    ("environment", "limit"),
    [
        ({"INSTALL_METHOD": "local"}, 600.0),
        ({"INSTALL_METHOD": "local", "PLUGIN_MAX_EXECUTION_TIMEOUT": "2400"}, 2400.0),
        ({"INSTALL_METHOD": "local", "PLUGIN_MAX_EXECUTION_TIMEOUT": "soon"}, 600.0),
        ({"INSTALL_METHOD": "local", "PLUGIN_MAX_EXECUTION_TIMEOUT": "0"}, 600.0),
        ({"INSTALL_METHOD": "remote"}, None),
        ({"INSTALL_METHOD": "remote", "PLUGIN_MAX_EXECUTION_TIMEOUT": "900"}, 900.0),
        ({}, None),
    ],
)
def test_the_daemons_limit_is_known(environment: dict[str, str], limit: float | None) -> None:
    assert limits.execution_limit(environment) == limit


def test_a_call_answers_a_few_seconds_before_the_limit() -> None:
    assert limits.answer_within({"INSTALL_METHOD": "local"}) == 595.0
    assert limits.answer_within({"PLUGIN_MAX_EXECUTION_TIMEOUT": "8"}) == 6.0
    assert limits.answer_within({}) is None


def test_the_largest_file_is_difys_default_unless_set() -> None:
    assert limits.largest_file({}) == 52_428_800
    assert limits.largest_file({"PLUGIN_MAX_FILE_SIZE": "1000"}) == 1000
    assert limits.largest_file({"PLUGIN_MAX_FILE_SIZE": "many"}) == 52_428_800

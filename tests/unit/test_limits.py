import math

import pytest

from dify.limits import DifyLimits, DifyTimeLimitError, FileTooLargeError, read_limits

EXECUTION = "PLUGIN_MAX_EXECUTION_TIMEOUT"


@pytest.mark.parametrize(
    ("method", "variable", "execution", "answer_by"),
    [("local", "", 600, 1595), ("local", "2400", 2400, 3395), ("local", "soon", 600, 1595),
     ("local", "0", 600, 1595), ("local", "8", 8, 1006), ("remote", "", 0, math.inf),
     ("remote", "900", 900, 1895), ("serverless", "", 600, 1595), ("", "", 0, math.inf)],
)  # fmt: skip
def test_a_call_answers_a_little_before_the_daemons_limit_where_it_is_known(
    method: str, variable: str, execution: float, answer_by: float
) -> None:
    found = read_limits(1000.0, {"INSTALL_METHOD": method, EXECUTION: variable})
    assert (found.execution, found.answer_by) == (execution, answer_by)


@pytest.mark.parametrize(
    ("given", "limit"), [("", 52_428_800), ("1000", 1000), ("inf", 52_428_800)]
)
def test_the_largest_file_is_difys_default_unless_set(given: str, limit: int) -> None:
    assert read_limits(0.0, {"PLUGIN_MAX_FILE_SIZE": given}).largest_file == limit


@pytest.mark.parametrize(
    ("kept", "what_now"),
    [(True, "It is being drawn on and will be kept: run this again, or turn on the node's retry on "
      "failure, to collect it. To wait in one call, "), (False, "It is lost. To wait longer, ")],
)  # fmt: skip
def test_a_limit_that_strikes_is_told_with_the_variable_that_moves_it(
    kept: bool, what_now: str
) -> None:
    error = DifyLimits(execution=600).time_is_up(3600, kept=kept, fate="It is lost.")
    assert type(error) is DifyTimeLimitError
    assert str(error) == (
        "Dify's plugin daemon ends every call after 600 s, and the picture is not done. "
        f"{what_now}set {EXECUTION}=3660 in docker/.env."
    )


def test_a_picture_too_large_is_told_with_the_variable_that_allows_it() -> None:
    error = DifyLimits(largest_file=1000).picture_is_too_large(2, 1001)
    assert type(error) is FileTooLargeError
    assert str(error) == (
        "Image 2 has 1001 bytes, more than Dify takes from a tool (1000). Set PLUGIN_MAX_FILE_SIZE "
        "in docker/.env to more, or let the server save JPEG or WebP."
    )

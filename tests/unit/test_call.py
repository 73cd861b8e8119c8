from webui.call import Call, Limits
from webui.errors import PictureTooLargeError, TimeUpError
from webui.http.address import parse_address
from webui.http.settings import Settings

SETTINGS = Settings(parse_address("http://gpu:7860"), timeout=900)


def test_a_call_may_take_what_it_says_and_else_what_the_settings_say() -> None:
    assert Call({}, SETTINGS).timeout == 900
    assert Call({"timeout": 60}, SETTINGS).timeout == 60


def test_a_caller_of_no_kind_is_told_of_its_limits_in_general_words() -> None:
    limits = Limits(largest_file=1000)
    kept, lost = (limits.time_is_up(60, kept=kept, fate="It is lost.") for kept in (True, False))
    assert type(kept) is type(lost) is TimeUpError
    assert str(kept).endswith("the picture is not done. Run this again to collect it.")
    assert str(lost).endswith("the picture is not done. It is lost.")
    too_large = limits.picture_is_too_large(2, 1001)
    assert type(too_large) is PictureTooLargeError
    assert "Image 2 has 1001 bytes, more than the caller takes (1000)." in str(too_large)

import traceback

import pytest

from dify.credentials import read_credentials
from webui.errors import InvalidCredentialsError
from webui.http.settings import Settings

BASE_URL = "http://gpu:7860"


def read(**given: object) -> Settings:
    return read_credentials({"base_url": BASE_URL} | given)


def refusal(**given: object) -> str:
    with pytest.raises(InvalidCredentialsError) as caught:
        read(**given)
    assert "hunter2" not in repr(caught.value) + "".join(traceback.format_exception(caught.value))
    return str(caught.value)


@pytest.mark.parametrize("nothing", [None, "", "  ", []], ids=repr)
def test_an_address_alone_has_defaults_for_the_rest(nothing: object) -> None:
    others = ("model", "username", "password", "timeout", "verify_tls", "of another version")
    for found in (read(), read(**dict.fromkeys(others, nothing))):
        assert str(found.address) == BASE_URL
        assert (found.address.username, found.address.password) == ("", "")
        assert (found.model, found.timeout, found.verify_tls) == ("", 3600.0, True)


@pytest.mark.parametrize(
    ("base_url", "said"),
    [*((nothing, "is empty. Give the WebUI's address") for nothing in (None, " \n", [], [None])),
     (5, "'5' is not a URL"), (["http://gpu"], """"['http://gpu']" is not a URL""")],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(base_url: object, said: str) -> None:
    assert said in refusal(base_url=base_url)


@pytest.mark.parametrize(
    ("pasted", "username", "password", "login"),
    [("", " me ", " p@ss:wörd ", (" me ", " p@ss:wörd ")), ("", 1234, 5678, ("1234", "5678")),
     ("me:secret@", "", None, ("me", "secret")), ("old:stale@", "me", "new", ("me", "new")),
     ("old:stale@", "me", "", ("me", "stale"))],
    ids=["to the letter", "digits", "of the address", "both", "one of each"],
)  # fmt: skip
def test_a_login_is_that_of_the_fields_and_else_of_the_address(
    pasted: str, username: object, password: object, login: tuple[str, str]
) -> None:
    found = read(base_url=f"http://{pasted}gpu:7860", username=username, password=password)
    assert (found.address.username, found.address.password) == login
    assert str(found.address) == BASE_URL


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"username": "a:b"}, "username: a name for HTTP Basic cannot contain a colon."),
        ({"base_url": "http://a%3Ab:hunter2@gpu:7860"}, "cannot contain a colon."),
        ({"password": "hunter2\ud800"}, "password holds half a character"),
        ({"username": "me\udfff", "password": "hunter2"}, "username holds half a character"),
    ],
    ids=["colon", "colon in the address", "password", "username"],
)
def test_a_login_that_http_basic_cannot_carry_is_refused(
    given: dict[str, object], said: str
) -> None:
    assert said in refusal(**given)


@pytest.mark.parametrize(
    ("given", "seconds"), [("1", 1.0), (86400, 86400.0), ("0090.5", 90.5), ("６０", 60.0)]
)
def test_a_timeout_is_a_number_of_seconds(given: object, seconds: float) -> None:
    assert read(timeout=given).timeout == seconds


@pytest.mark.parametrize(
    "wrong",
    ["0", "0.99", "-5", "86400.1", float("nan"), "soon", "60s", True, [60], 10**40],
    ids=repr,
)
def test_a_timeout_that_cannot_be_is_refused_with_its_limits(wrong: object) -> None:
    assert refusal(timeout=wrong) == (
        f"timeout: {wrong!r} is not a number of seconds from 1 to 86400."
    )


def test_the_certificate_check_can_be_turned_off() -> None:
    assert read(verify_tls="false").verify_tls is False
    assert refusal(verify_tls="maybe") == "verify_tls: 'maybe' is neither true nor false."


def test_a_model_loses_what_clings_to_it() -> None:
    assert (
        read(model="\ufeff“sd15/dream.safetensors [abc]”\n").model == "sd15/dream.safetensors [abc]"
    )


def test_credentials_show_no_password() -> None:
    pasted = read(base_url="http://me:hunter2@gpu:7860")
    filled = read(username="me", password="hunter2")
    assert "hunter2" not in f"{pasted} {pasted!r} {filled} {filled!r}"

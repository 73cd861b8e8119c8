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
    shown = repr(caught.value) + "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in shown
    return str(caught.value)


def test_an_address_alone_has_defaults_for_the_rest() -> None:
    found = read()
    assert str(found.address) == BASE_URL
    assert (found.address.username, found.address.password) == ("", "")
    assert (found.model, found.timeout, found.verify_tls) == ("", 3600.0, True)


@pytest.mark.parametrize("nothing", [None, "", "  ", []], ids=repr)
def test_empty_fields_are_as_missing_ones(nothing: object) -> None:
    empty = dict.fromkeys(("model", "username", "password", "timeout", "verify_tls"), nothing)
    assert read(**empty) == read()


@pytest.mark.parametrize("nothing", [None, "", " \n", [], [None]], ids=repr)
def test_an_empty_address_is_refused(nothing: object) -> None:
    assert refusal(base_url=nothing).startswith("base_url is empty. Give the WebUI's address")


def test_a_missing_address_is_refused() -> None:
    with pytest.raises(InvalidCredentialsError, match=r"^base_url is empty"):
        read_credentials({})


@pytest.mark.parametrize("wrong", [5, True, {"a": 1}, ["http://gpu"]], ids=repr)
def test_an_address_that_is_no_text_is_refused(wrong: object) -> None:
    assert "is not a URL" in refusal(base_url=wrong)


def test_a_login_is_kept_to_the_letter() -> None:
    found = read(username=" me ", password=" p@ss:wörd ")
    assert (found.address.username, found.address.password) == (" me ", " p@ss:wörd ")


def test_a_login_in_the_address_serves_where_the_fields_are_empty() -> None:
    found = read(base_url="http://me:secret@gpu:7860", username="", password=None)
    assert (found.address.username, found.address.password) == ("me", "secret")


def test_each_field_of_the_login_wins_over_the_address() -> None:
    found = read(base_url="http://old:stale@gpu:7860", username="me", password="new")
    assert (found.address.username, found.address.password) == ("me", "new")
    assert str(found.address) == BASE_URL


def test_a_login_of_digits_is_text() -> None:
    found = read(username=1234, password=5678)
    assert (found.address.username, found.address.password) == ("1234", "5678")


@pytest.mark.parametrize(
    "given",
    [
        {"username": "a:b", "password": "hunter2"},
        {"base_url": "http://a%3Ab:hunter2@gpu:7860"},
    ],
    ids=["field", "address"],
)
def test_a_name_that_http_basic_cannot_carry_is_refused(given: dict[str, object]) -> None:
    assert "cannot contain a colon" in refusal(**given)


@pytest.mark.parametrize(
    "given",
    [{"password": "hunter2\ud800"}, {"username": "me\udfff", "password": "hunter2"}],
    ids=["password", "username"],
)
def test_a_login_that_utf8_cannot_carry_is_refused(given: dict[str, object]) -> None:
    assert next(iter(given)) in refusal(**given)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("1", 1.0), ("86400", 86400.0), (90, 90.0), ("0090.5", 90.5), (" 1e3 ", 1000.0)],
)
def test_a_timeout_is_a_number_of_seconds(given: object, seconds: float) -> None:
    assert read(timeout=given).timeout == seconds


@pytest.mark.parametrize(
    "wrong",
    ["0", "0.99", "-5", "86400.1", "86401", "1e999", "nan", "inf", float("nan"), "soon", "60s",
     "1_000", "６０", "1,5", True, {}, [60], "\x00",
     pytest.param(10**400, id="huge"), pytest.param("9" * 500, id="long")],
)  # fmt: skip
def test_a_timeout_that_cannot_be_is_refused_with_its_limits(wrong: object) -> None:
    text = refusal(timeout=wrong)
    assert text.startswith("timeout: ")
    assert "is not a number of seconds from 1 to 86400." in text


@pytest.mark.parametrize("no", [False, "false", 0, "0", "off"], ids=repr)
def test_the_certificate_check_can_be_turned_off(no: object) -> None:
    assert read(verify_tls=no).verify_tls is False


@pytest.mark.parametrize("wrong", ["maybe", 2, {}, ["true"]], ids=repr)
def test_a_verify_tls_that_is_neither_is_refused(wrong: object) -> None:
    assert refusal(verify_tls=wrong) == f"verify_tls: {wrong!r} is neither true nor false."


def test_a_model_loses_the_blanks_around_it() -> None:
    assert read(model=" sd15/dream.safetensors [abc]\n").model == "sd15/dream.safetensors [abc]"


def test_fields_of_other_versions_are_passed_over() -> None:
    assert read(colour="red") == read()


def test_credentials_show_no_password() -> None:
    pasted = read(base_url="http://me:hunter2@gpu:7860")
    filled = read(username="me", password="hunter2")
    assert "hunter2" not in f"{pasted} {pasted!r} {filled} {filled!r}"

import traceback
from base64 import b64encode
from pathlib import Path

import pytest
import yaml

from dify.credentials import SECRETS, read_credentials, secrets_of
from webui.errors import InvalidCredentialsError
from webui.http.settings import Settings

ROOT = Path(__file__).parent.parent.parent
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
    others = ("model", "username", "password", "timeout", "verify_tls", "parallel", "headers",
              "of another version")  # fmt: skip
    for found in (read(), read(**dict.fromkeys(others, nothing))):
        assert str(found.address) == BASE_URL
        assert (found.address.username, found.address.password) == ("", "")
        assert (found.model, found.timeout, found.verify_tls) == ("", 3600.0, True)
        assert (found.parallel, found.address.headers) == (1, {})


@pytest.mark.parametrize(
    ("base_url", "said"),
    [*((nothing, "is empty. Give the WebUI's address") for nothing in (None, " \n", [], [None])),
     (5, "'5' is not a URL"), (["http://gpu"], "base_url is not text."),
     (True, "base_url is not text."), (10**5000, "base_url is not text."),
     ("http://gpu/" + "x" * 5000, "base_url has 5011 characters; 1000 are the most."),
     ("http://me:hunter2\ud800@gpu", "base_url holds half a character")],
    ids=["missing", "blank", "empty", "of nothing", "number", "list", "boolean", "digits", "long",
         "half a character"],
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
        ({"password": "hunter2" * 1000}, "password has 7000 characters; 1000 are the most."),
        ({"password": ["hunter2"]}, "password is not text."),
        ({"model": {"hunter2": 5}}, "model is not text."),
    ],
    ids=["colon", "colon in the address", "password", "username", "long", "list", "object"],
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


@pytest.mark.parametrize(("given", "number"), [("1", 1), (64, 64), ("4.0", 4), ("１６", 16)])
def test_parallel_requests_are_a_number(given: object, number: int) -> None:
    assert read(parallel=given).parallel == number


@pytest.mark.parametrize("wrong", ["0", 65, "-1", "1.5", "many", float("inf"), True], ids=repr)
def test_parallel_requests_that_cannot_be_are_refused_with_their_limits(wrong: object) -> None:
    assert refusal(parallel=wrong) == f"parallel: {wrong!r} is not a whole number from 1 to 64."


def test_headers_are_read_beside_the_login() -> None:
    found = read(headers="X-Key: hunter2 | X-Other: b", username="me", password="c").address
    assert found.headers == {"X-Key": "hunter2", "X-Other": "b"}
    assert (found.username, found.password) == ("me", "c")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"headers": "hunter2"}, "headers, line 1: it is not of the form Name: value"),
        ({"headers": ["hunter2"]}, "headers is not text."),
        ({"headers": "X-Key: " + "hunter2" * 600}, "headers has 4207 characters; 4000 are"),
        *(({"headers": "authorization: Bearer hunter2", **login},
           "headers: Authorization cannot be sent beside username and password")
          for login in ({"username": "me"}, {"password": "hunter2"},
                        {"base_url": "http://me:hunter2@gpu"})),
    ],
    ids=["no header", "list", "long", "username", "password", "login in the address"],
)  # fmt: skip
def test_headers_that_cannot_be_sent_are_refused(given: dict[str, object], said: str) -> None:
    assert said in refusal(**given)


@pytest.mark.parametrize("name", ["timeout", "verify_tls", "parallel"])
@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        ("9" * 1_000_000, "'9999"),
        ("soon\x1b[31m\ud800\u202e", r"'soon\x1b[31m\ud800\u202e' is "),
        ("<b>[a](http://a.b)", "'‹b>[a] (http: //a.b)' is "),
        (10**5000, "what it holds is "),
        ([[5]] * 1000, "[[5], [5]"),
    ],
    ids=["long", "unprintable", "markup", "digits", "list"],
)
def test_what_is_quoted_of_a_value_is_short_and_fit_to_be_shown(
    name: str, wrong: object, shown: str
) -> None:
    said = refusal(**{name: wrong})
    assert said.startswith(f"{name}: {shown}")
    assert len(said) < 150


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
    sent = read(headers="X-Key: hunter2")
    assert "hunter2" not in f"{pasted} {pasted!r} {filled} {filled!r} {sent} {sent!r}"


def test_every_credential_that_is_declared_secret_counts_as_one() -> None:
    declared = yaml.safe_load((ROOT / "provider" / "stable_diffusion.yaml").read_bytes())
    fields = declared["credentials_for_provider"]
    assert {name for name, one in fields.items() if one["type"] == "secret-input"} == set(SECRETS)


@pytest.mark.parametrize(
    "given",
    [
        {"base_url": "http://me:hunter2@gpu"},
        {"base_url": "http://me:stale@gpu", "password": "hunter2"},
        {"base_url": "http://old:stale@gpu", "username": "me", "password": "hunter2"},
        {"base_url": "http://[::1", "password": "hunter2", "timeout": "soon"},
        {"password": "hunter2"},
        {"base_url": BASE_URL, "headers": "X-Key: hunter2"},
        {"headers": "X-Key: fine\nhunter2", "timeout": "soon"},
    ],
)
def test_the_secrets_of_credentials_are_known_even_if_these_are_broken(
    given: dict[str, object],
) -> None:
    secrets = secrets_of(given)
    assert secrets.mask("it is hunter2") == "it is ***"
    if "http://me" in str(given) or "username" in given:
        assert secrets.mask(f"Basic {b64encode(b'me:hunter2').decode()}") == "Basic ***"


@pytest.mark.parametrize(
    "wrong",
    [None, 5, 10**5000, ["x"], {"x": 5}, "\ud800", "x" * 5000],
    ids=["none", "number", "digits", "list", "object", "half a character", "long"],
)
def test_no_credentials_are_too_broken_to_ask_for_their_secrets(wrong: object) -> None:
    given = dict.fromkeys(("base_url", "username", "password", "headers"), wrong)
    assert secrets_of(given).mask("a cat") == "a cat"

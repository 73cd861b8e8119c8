"""Headers of the credentials: how they may be written, what cannot be sent, what stays secret."""

import base64

import pytest

from webui.errors import InvalidCredentialsError
from webui.http.headers import of_task, parse_headers, secrets_in
from webui.http.secrets import Secrets

TOKEN = "hunter2." + "pAy10ad-" * 400
TWO = {"CF-Access-Client-Id": "88bf3b.access", "CF-Access-Client-Secret": "hunter2"}


@pytest.mark.parametrize("between", ["\n", "\r\n", "\r", "\n\n  ", " | ", "|", "\n|"], ids=repr)
def test_headers_stand_on_lines_of_their_own_or_with_bars_between(between: str) -> None:
    assert parse_headers(between.join(f"{name}: {value}" for name, value in TWO.items())) == TWO


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        (" \n ", {}),
        ("  X-Key :  a b\t \n", {"X-Key": "a b"}),
        ("X-Key:a:b", {"X-Key": "a:b"}),
        ("Origin: https://gpu.example:8443/a|b", {"Origin": "https://gpu.example:8443/a|b"}),
        ("Authorization: Bearer 7|hunter2", {"Authorization": "Bearer 7|hunter2"}),
        ("Cookie: a=b; c=d|X-Key: e", {"Cookie": "a=b; c=d", "X-Key": "e"}),
        ('X-Json: {"a": 1}', {"X-Json": '{"a": 1}'}),
    ],
)
def test_what_looks_like_a_separator_in_a_value_stays_there(
    text: str, found: dict[str, str]
) -> None:
    assert parse_headers(text) == found


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("hunter2", "not of the form Name: value"),
        (": hunter2", "not of the form Name: value"),
        ("Bearer hunter2: x", "not of the form Name: value"),
        ("X-Schlüssel: hunter2", "not of the form Name: value"),
        ("X-Key：hunter2", "not of the form Name: value"),
        ("X-Other:", "it has no value"),
        ("X-Other: hunter2ü", "plain ASCII"),
        ("X-Other: hunter2\x00", "plain ASCII"),
        ("X-Other: hunter2\x0bX-Evil: 1", "plain ASCII"),
        ("X-Other: hunter2\u2028X-Evil: 1", "plain ASCII"),
        ("X-A: hunter2X-B: hunter2", "there seem to be two in it. Write | between them"),
        ("x-key: hunter2", "a line before it sets"),
        ("X-Key: hunter2", "a line before it sets"),
        *((f"{name.upper()}: hunter2", f"{name} is set by the plugin itself")
          for name in ("Host", "Content-Length", "Transfer-Encoding", "Connection", "X-Task-Id",
                       "Content-Type", "Accept-Encoding", "Expect")),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_refused_by_its_line_without_a_word_of_it(
    line: str, said: str
) -> None:
    with pytest.raises(InvalidCredentialsError) as caught:
        parse_headers(f"X-Key: fine\n\n{line}\nX-Last: fine")
    assert str(caught.value).startswith("headers, line 3: ")
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_there_are_not_too_many() -> None:
    lines = [f"X-{number}: a" for number in range(17)]
    assert len(parse_headers("\n".join(lines[:16]))) == 16
    with pytest.raises(InvalidCredentialsError, match="headers: 17 lines; 16 are the most"):
        parse_headers("\n".join(lines))


@pytest.mark.parametrize(
    ("name", "value", "echo"),
    [
        ("X-Key", "hunter2/", "hunter2%2F"),
        ("X-Key", "hunter2", base64.b64encode(b"hunter2").decode()),
        ("Authorization", "Bearer hunter2", "hunter2"),
        ("Authorization", f"Basic {base64.b64encode(b'me:hunter2').decode()}", "hunter2"),
        ("Cookie", "lang=en; session=hunter2", "hunter2"),
        ("X-Key", TOKEN, TOKEN),
        ("X-Key", TOKEN, TOKEN[:100]),
        ("X-Key", TOKEN, "".join(f"%{ord(letter):02x}" for letter in TOKEN)),
    ],
    ids=["URL", "base64", "token", "password", "cookie", "long", "cut off", "long and encoded"],
)
def test_a_value_is_masked_and_so_is_what_it_wraps(name: str, value: str, echo: str) -> None:
    secrets = Secrets(*secrets_in([(name, value)]))
    assert secrets.mask(f"unknown {echo} here") == "unknown *** here"


def test_a_word_that_only_switches_something_on_is_no_secret() -> None:
    secrets = Secrets(*secrets_in([("ngrok-skip-browser-warning", "true")]))
    assert secrets.mask("a true story") == "a true story"


@pytest.mark.parametrize(
    ("task_id", "sent"),
    [
        ("task-0f", "task-0f"),
        ("task(a/b)", "task(a/b)"),
        (" 灯\r\nX: y\ud800%", "%20%E7%81%AF%0D%0AX:%20y%ED%A0%80%25"),
        ("x" * 5000, "x" * 200),
    ],
    ids=["ours", "a person's", "unsendable", "long"],
)
def test_any_name_of_a_job_can_be_sent(task_id: str, sent: str) -> None:
    assert of_task(task_id) == sent

import base64
import json
from urllib.parse import quote

import pytest

from webui.http.secrets import Secrets
from webui.text import printable, shortened, without_markup


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("a\ud83d b", "a\ufffd b"),
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07text", "red text"),
        ("one\r\ntwo\tthree\x00\x9b", "one\ntwo\tthree"),
        ("\u202egnp.exe", "gnp.exe"),
        ("日本語 ⏳ é", "日本語 ⏳ é"),
    ],
)
def test_what_leaves_can_be_written_and_shown(sent: str, shown: str) -> None:
    assert printable(sent) == shown


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("<b>bold</b>", "‹b>bold‹/b>"),
        ("[click](http://a.b)", "[click] (http: //a.b)"),
        ("2 < 3, a: b", "2 < 3, a: b"),
    ],
)
def test_neither_a_tag_nor_a_link_is_left(sent: str, shown: str) -> None:
    assert without_markup(sent) == shown


def test_a_long_text_is_cut_where_told() -> None:
    assert shortened("abcdef", 4) == "abc…"
    assert shortened("abcd", 4) == "abcd"


PASSWORD = 'pä"s s/w&rd%'


@pytest.mark.parametrize(
    "spelt",
    [
        PASSWORD,
        quote(PASSWORD, safe=""),
        quote(PASSWORD, safe="").lower(),
        json.dumps(PASSWORD),
        json.dumps(PASSWORD, ensure_ascii=False),
        base64.b64encode(f"me:{PASSWORD}".encode()).decode(),
        base64.b64encode(PASSWORD.encode()).decode(),
    ],
)
def test_a_secret_is_masked_in_every_spelling(spelt: str) -> None:
    masked = Secrets(("me", PASSWORD)).mask(f"begin {spelt} end")
    assert masked.startswith("begin ")
    assert masked.rstrip("=").removesuffix(" end").rstrip('="') in {"begin ***", 'begin "***'}


def test_a_short_secret_is_masked_where_a_value_stands_and_not_in_every_word() -> None:
    secrets = Secrets(("me", "a"))
    assert secrets.mask("a bad cat at http://me:a@host?key=a") == (
        "a bad cat at http://me:***@host?key=***"
    )


def test_without_secrets_nothing_is_masked() -> None:
    assert Secrets(("", "")).mask("me:") == "me:"

import base64
import html
import json
import re
import time
from urllib.parse import quote

import pytest

from webui.http.secrets import Secrets
from webui.text import as_sentence, printable, shortened, without_markup


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
        ("write https:// instead", "write https:// instead"),
    ],
)
def test_neither_a_tag_nor_a_link_is_left(sent: str, shown: str) -> None:
    assert without_markup(sent) == shown


def test_a_long_text_is_cut_where_told() -> None:
    assert shortened("abcdef", 4) == "abc…"
    assert shortened("abcd", 4) == "abcd"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("disk full", "disk full."), ("disk full..", "disk full."), ("failed: ", "failed."),
     ("really?", "really?"), ("cut…", "cut…"), ("wait...", "wait..."), ("失敗。", "失敗。")],
)  # fmt: skip
def test_a_sentence_ends_once(text: str, sentence: str) -> None:
    assert as_sentence(text) == sentence


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
        quote(quote(PASSWORD, safe=""), safe=""),
        quote(PASSWORD, safe=":/@&"),
        "".join(f"%{byte:02x}" for byte in PASSWORD.encode()),
        json.dumps(json.dumps(PASSWORD)).replace("/", "\\/"),
        html.escape(PASSWORD),
        "".join(f"&#{ord(letter)};" for letter in PASSWORD),
    ],
)
def test_a_secret_is_masked_in_every_spelling(spelt: str) -> None:
    masked = Secrets(("me", PASSWORD)).mask(f"begin {spelt} end")
    assert re.fullmatch(r'begin [\\"]*\*\*\*[\\"]* end', masked)


def test_words_are_masked_before_they_are_cut_and_quoted_on_one_plain_line() -> None:
    secrets = Secrets(("me", PASSWORD))
    assert secrets.quoted("x" * 292 + PASSWORD) == "x" * 292 + "***"
    assert len(secrets.quoted("word " * 1000)) == 300
    assert secrets.quoted("\x1b[31mred\x1b[0m\n <b>text\ud800") == "red ‹b>text\ufffd"


def test_no_secret_and_no_text_takes_more_than_linear_time() -> None:
    for secret, text in (
        ("%25" * 20, "%252525%25" * 20_000),
        ("\\a" * 20, "\\" * 200_000),
        ("a" * 80, ("a" * 79 + "b") * 2_000),
        ('é"' * 500, 'é\\"' * 50_000),
    ):
        begun = time.process_time()
        Secrets(("me", secret)).mask(text)
        assert time.process_time() - begun < 10


def test_a_short_secret_is_masked_where_a_value_stands_and_not_in_every_word() -> None:
    secrets = Secrets(("me", "a"))
    assert secrets.mask("a bad cat at http://me:a@host?key=a") == (
        "a bad cat at http://me:***@host?key=***"
    )


def test_without_secrets_nothing_is_masked() -> None:
    assert Secrets(("", "")).mask("me:") == "me:"

"""What must never be shown, in whatever spelling it comes back."""

import base64
import html
import json
import re
from collections.abc import Iterator

from webui.text import printable, shortened, without_markup

_MASK = "***"
# A shorter one is in too many words: it is looked for only where a value stands.
_SHORT = 4
_BEFORE_A_VALUE, _AFTER_A_VALUE = r"(?<=[:=\"'])", r"(?=[@&\"'\s]|$)"
_LONGEST_QUOTE = 300
# Characters by which a long one, such as a gateway's token, is known in any spelling, cut off too.
# Patterns of thousands would take seconds to compile.
_HEAD = 40


class Secrets:
    """Values to be masked. `mask` comes before any cut, which would leave half of one."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        """Take (name, secret) pairs; the name is what HTTP Basic would join to it, or ""."""
        # The longest first: one password may be the beginning of another.
        ordered = sorted(pairs, key=lambda pair: len(pair[1]), reverse=True)
        parts = [part for name, secret in ordered if secret for part in _patterns(name, secret)]
        self._pattern = re.compile("|".join(parts)) if parts else None

    def mask(self, text: str) -> str:
        """Return the text with *** for each secret in it."""
        return self._pattern.sub(_MASK, text) if self._pattern else text

    def quoted(self, text: str, most: int = _LONGEST_QUOTE) -> str:
        """Return a server's words as an error may quote them: masked, on one line, plain, cut."""
        words = without_markup(printable(self.mask(text)))
        return shortened(" ".join(words.split()), most)


def _patterns(name: str, secret: str) -> Iterator[str]:
    for whole in (f"{name}:{secret}", secret):
        encoded = base64.b64encode(whole.encode(errors="surrogatepass")).decode().rstrip("=")
        for spelt in {encoded, encoded.replace("+", "-").replace("/", "_")}:
            yield _where_it_may_stand(spelt, f"{re.escape(spelt)}(?:=|%3[Dd]){{0,2}}")
    # To the letter, too: it may itself look like something encoded.
    texts = (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    spelt = "".join(map(_any_spelling, secret[:_HEAD])) + (r"\S*" if secret[_HEAD:] else "")
    for pattern in (*map(re.escape, texts), spelt):
        yield _where_it_may_stand(secret, pattern)


def _where_it_may_stand(spelt: str, pattern: str) -> str:
    return pattern if len(spelt) >= _SHORT else _BEFORE_A_VALUE + pattern + _AFTER_A_VALUE


def _any_spelling(letter: str) -> str:
    """Return the pattern of a character, plain or as URLs, JSON, HTML and Python may write it.

    Percent signs and backslashes may themselves be encoded. The groups give nothing back, so that
    the time stays linear.
    """
    percent = "".join(f"%(?:25){{0,3}}{byte:02x}" for byte in letter.encode(errors="surrogatepass"))
    units = letter.encode("utf-16-be", errors="surrogatepass").hex()
    escaped = "".join(
        rf"\\{{1,4}}u{units[at : at + 4]}" for at in range(0, len(units), len("0000"))
    )
    code = ord(letter)
    named = f"|{re.escape(html.escape(letter))}" if html.escape(letter) != letter else ""
    plus = r"|\+" if letter == " " else ""
    plain = r"(?:\\{4}|\\{1,2})" if letter == "\\" else rf"\\{{0,4}}{re.escape(letter)}"
    return (
        f"(?>(?i:{percent}|{escaped}|&#0{{0,4}}{code};|&#x0{{0,4}}{code:x};){named}{plus}|{plain})"
    )

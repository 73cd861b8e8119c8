"""What must never be shown, in whatever spelling it comes back."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

_MASK = "***"
# A shorter one is in too many words: it is looked for only where a value stands.
_SHORT = 4


class Secrets:
    """Values to be masked. `mask` comes before any cut, which would leave half of one."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        """Take (name, secret) pairs; the name is what HTTP Basic would join to it, or ""."""
        found = {spelling for name, secret in pairs if secret for spelling in _spelt(name, secret)}
        long = sorted((one for one in found if len(one) >= _SHORT), key=len, reverse=True)
        short = [one for one in found if len(one) < _SHORT]
        parts = [*map(re.escape, long), *_where_values_stand(short)]
        self._pattern = re.compile("|".join(parts)) if parts else None

    def mask(self, text: str) -> str:
        """Return the text with *** for each secret in it."""
        return self._pattern.sub(_MASK, text) if self._pattern else text


def _spelt(name: str, secret: str) -> Iterator[str]:
    for encoded in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield encoded
        yield re.sub(r"%[0-9A-F]{2}", lambda code: code[0].lower(), encoded)
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield from (secret, repr(secret)[1:-1], html.escape(secret))
    for whole in (secret, f"{name}:{secret}"):
        # Without its padding, which may be cut off or encoded.
        yield base64.b64encode(whole.encode()).decode().rstrip("=")


def _where_values_stand(short: Iterable[str]) -> Iterator[str]:
    for one in short:
        yield rf"(?<=[:=\"']){re.escape(one)}(?=[@&\"'\s]|$)"

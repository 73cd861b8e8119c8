"""Text from others, made fit to be sent and shown; nothing here takes more than linear time."""

import re
import unicodedata
from collections.abc import Iterable

# Terminals' escape sequences, whole: colours, titles, cursor moves.
_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
# Control characters but tab and line break, and those that turn the direction of writing.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_HALVES = re.compile("[\ud800-\udfff]")
# But for the prompt's own tags, as plain as they are in our examples.
_TAG = re.compile(r"<(?!lora:[\w.:+-]{1,200}>)(?=[A-Za-z/!?])")
_LINK = re.compile(r"\](?=[(\[])")
_SCHEME = r"(?<=[A-Za-z]):(?=//[^\s/])"
# Behind a known host nothing may make it the beginning of another: "http://api:x@evil.example".
_HOST_ENDS = r"(?::\d+)?+(?![\w@%-]|[.:]+[\w@%-])"
_PIECE = 1000
_ENDS = ("...", "…", "!", "?", "。", "！", "？")


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many characters; one that was cut ends in "…"."""
    return text if len(text) <= most else text[: most - 1] + "…"


def in_plain_letters(text: str) -> str:
    """Return the text as Unicode's NFKC has it: "ＯＫ" becomes "OK".

    Piece by piece, since marks without a letter would take quadratic time.
    """
    starts = range(0, len(text), _PIECE)
    return "".join(unicodedata.normalize("NFKC", text[at : at + _PIECE]) for at in starts)


def as_sentence(text: str) -> str:
    """Return the text with one full stop at its end, unless it ends in another sign of an end."""
    text = text.rstrip(" \t\r\n.,:;") if not text.endswith("...") else text
    return text if text.endswith(_ENDS) else f"{text}."


def printable(text: str) -> str:
    """Return the text without control characters; half a character, which no UTF-8 has, is "�"."""
    text = text.replace("\r\n", "\n")
    return _HALVES.sub("\ufffd", _CONTROLS.sub("", _SEQUENCES.sub("", text)))


def without_markup(text: str, known_hosts: Iterable[str] = ()) -> str:
    """Return the text with nothing in it that Markdown or HTML would make a tag or a link of.

    It stays readable: "<b>" becomes "‹b>", "](" becomes "] (", and "http://" "http: //", unless one
    of the known hosts follows.
    """
    hosts = "|".join(re.escape(host) for host in known_hosts)
    scheme = rf"{_SCHEME}(?!//(?:{hosts}){_HOST_ENDS})" if hosts else _SCHEME
    return re.sub(scheme, ": ", _LINK.sub("] ", _TAG.sub("‹", text)))

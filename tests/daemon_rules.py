"""What the plugin daemon (0.6.10) demands of the YAML files, where it demands most: at debugging.

Its Go structs carry these rules as tags. Keys that no struct knows are dropped in silence there; a
key that is misspelt does nothing, so here it is a problem too.
"""

import datetime
import re
from collections.abc import Callable
from typing import Any

from dify_plugin.entities.tool import ToolLabelEnum

type Rule = Callable[[object, str], list[str]]

LANGUAGES = ("en_US", "ja_JP", "zh_Hans", "pt_BR")
TAGS = {tag.value for tag in ToolLabelEnum}


def problems(rule: Rule, value: object) -> list[str]:
    """Each breach as "path: what is wrong"; none for a file that the daemon takes."""
    return rule(value, "")


def _is(kind: type | tuple[type, ...], what: str) -> Rule:
    def check(value: object, where: str) -> list[str]:
        fits = isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool)
        return [] if fits else [f"{where}: {value!r} is not {what}"]

    return check


def _text(pattern: str = r"(?s).+", longest: int = 1023) -> Rule:
    def check(value: object, where: str) -> list[str]:
        if not isinstance(value, str) or re.fullmatch(pattern, value) is None:
            return [f"{where}: {value!r} does not match {pattern}"]
        return [f"{where}: longer than {longest}"] if len(value) > longest else []

    return check


def _one_of(*allowed: object) -> Rule:
    def check(value: object, where: str) -> list[str]:
        return [] if value in allowed else [f"{where}: {value!r} is none of {allowed}"]

    return check


def _each(rule: Rule) -> Rule:
    def check(value: object, where: str) -> list[str]:
        if not isinstance(value, list):
            return [f"{where}: {value!r} is not a list"]
        return [found for i, item in enumerate(value) for found in rule(item, f"{where}[{i}]")]

    return check


def _named(rule: Rule) -> Rule:
    def check(value: object, where: str) -> list[str]:
        if not isinstance(value, dict):
            return [f"{where}: {value!r} is not a mapping"]
        return [found for key, item in value.items() for found in rule(item, f"{where}.{key}")]

    return check


def _keys(rules: dict[str, Rule]) -> Rule:
    """A mapping with these keys and no other; a name that ends in "?" may be missing."""
    known = {name.removesuffix("?"): rule for name, rule in rules.items()}

    def check(value: object, where: str) -> list[str]:
        if not isinstance(value, dict):
            return [f"{where}: {value!r} is not a mapping"]
        found = [f"{where}.{key}: unknown key" for key in value if key not in known]
        found += [f"{where}.{key}: missing" for key in rules if key[-1] != "?" and key not in value]
        for key, rule in known.items():
            if key in value:
                found += rule(value[key], f"{where}.{key}")
        return found

    return check


_NUMBER = _is((int, float), "a number")
_WHOLE = _is(int, "a whole number")
_FLAG = _is(bool, "true or false")
_VERSION = _text(r"\d{1,4}(\.\d{1,4}){2}(-\w{1,16})?")
_IDENTITY = _text(r"[a-zA-Z0-9_-]+")
_PATH = _text(longest=128)
_I18N = _keys({"en_US": _text(), "ja_JP?": _text(), "zh_Hans?": _text(), "pt_BR?": _text()})
_SCALAR = _is((str, int, float, bool), "a scalar")
_SOURCE = _keys({"python": _keys({"source": _PATH})})
_ENABLED = _keys({"enabled": _FLAG})
_OPTION = _keys({"value": _text(longest=127), "label": _I18N})


def _any_scalar(value: object, where: str) -> list[str]:
    return [] if isinstance(value, bool) else _SCALAR(value, where)


MANIFEST = _keys(
    {
        "version": _VERSION,
        "type": _one_of("plugin"),
        "author": _text(r"[a-z0-9_-]{1,64}"),
        "name": _text(r"[a-z0-9_-]{1,128}"),
        "label": _I18N,
        "description": _I18N,
        "icon": _PATH,
        "icon_dark?": _PATH,
        "resource": _keys({"memory": _WHOLE, "permission?": _keys({"tool?": _ENABLED})}),
        "plugins": _keys({"tools": _each(_PATH)}),
        "meta": _keys(
            {
                "version": _VERSION,
                "arch": _each(_one_of("amd64", "arm64")),
                "runner": _keys(
                    {"language": _one_of("python"), "version": _PATH, "entrypoint": _PATH}
                ),
                "minimum_dify_version?": _VERSION,
            }
        ),
        "tags?": _each(_one_of(*TAGS)),
        "created_at": _is(datetime.datetime, "a time"),
        "privacy?": _PATH,
        "repo?": _text(r"https?://\S+"),
    }
)

PROVIDER = _keys(
    {
        "identity": _keys(
            {
                "author": _text(),
                "name": _IDENTITY,
                "label": _I18N,
                "description": _I18N,
                "icon": _PATH,
                "icon_dark?": _PATH,
                "tags?": _each(_one_of(*TAGS)),
            }
        ),
        "credentials_for_provider": _named(
            _keys(
                {
                    "type": _one_of("secret-input", "text-input", "select", "boolean"),
                    "required": _FLAG,
                    "default?": _any_scalar,
                    "options?": _each(_OPTION),
                    "label": _I18N,
                    "help?": _I18N,
                    "placeholder?": _I18N,
                }
            )
        ),
        "tools": _each(_PATH),
        "extra": _SOURCE,
    }
)

PARAMETER_KEYS: dict[str, Rule] = {
    "name": _IDENTITY,
    "type": _one_of("string", "number", "boolean", "select", "file", "files"),
    "required?": _FLAG,
    "default?": _any_scalar,
    "min?": _NUMBER,
    "max?": _NUMBER,
    "precision?": _WHOLE,
    "options?": _each(_OPTION),
    "form": _one_of("llm", "form"),
    "label": _I18N,
    "human_description": _I18N,
    "llm_description?": _text(),
}
"""In the order in which every parameter is to be written."""

TOOL = _keys(
    {
        "identity": _keys({"name": _IDENTITY, "author": _text(), "label": _I18N}),
        "description": _keys({"human": _I18N, "llm": _text()}),
        "parameters?": _each(_keys(PARAMETER_KEYS)),
        "output_schema?": _named(lambda _value, _where: []),
        "extra": _SOURCE,
    }
)


def texts(value: Any, where: str = "") -> dict[str, dict[str, str]]:  # noqa: ANN401 - YAML
    """Every translatable text in a file by its path; a parameter goes by its name."""
    if isinstance(value, dict):
        if "en_US" in value:
            return {where: value}
        items = value.items()
    elif isinstance(value, list):
        items = {
            item["name"] if isinstance(item, dict) and "name" in item else i: item
            for i, item in enumerate(value)
        }.items()
    else:
        return {}
    return {
        path: text
        for key, item in items
        for path, text in texts(item, f"{where}.{key}" if where else str(key)).items()
    }

"""What the plugin daemon (0.6.10) demands of the YAML files, where it demands most: at debugging.

Its Go structs carry these rules as tags. Keys that no struct knows are dropped in silence there; a
key that is misspelt does nothing, so here it is a problem too.
"""

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dify_plugin.entities.tool import ToolLabelEnum

type Rule = Keys | Named | Each | set[str] | re.Pattern[str] | tuple[type, ...]


@dataclass(frozen=True)
class Keys:
    """A mapping with these keys and no other; one that ends in "?" may be missing."""

    rules: Mapping[str, Rule]


@dataclass(frozen=True)
class Named:
    """A mapping of any names."""

    rule: Rule


@dataclass(frozen=True)
class Each:
    """A list."""

    rule: Rule


def problems(rule: Rule, value: Any, where: str = "") -> Iterator[str]:  # noqa: ANN401 - YAML
    """Yield each breach as "path: what is wrong"."""
    match rule:
        case Keys() if isinstance(value, dict):
            known = {name.removesuffix("?"): one for name, one in rule.rules.items()}
            required = {name for name in rule.rules if not name.endswith("?")}
            yield from (f"{where}.{name}: missing" for name in sorted(required - value.keys()))
            for name, one in value.items():
                if name in known:
                    yield from problems(known[name], one, f"{where}.{name}")
                else:
                    yield f"{where}.{name}: unknown key"
        case Named() if isinstance(value, dict):
            for name, one in value.items():
                yield from problems(rule.rule, one, f"{where}.{name}")
        case Each() if isinstance(value, list):
            for place, one in enumerate(value):
                yield from problems(rule.rule, one, f"{where}[{place}]")
        case set() if value in rule:
            pass
        case re.Pattern() if isinstance(value, str) and rule.fullmatch(value):
            pass
        case tuple() if isinstance(value, rule) and (bool in rule or not isinstance(value, bool)):
            pass
        case _:
            yield f"{where}: {value!r} is not as it must be"


NUMBER, WHOLE, FLAG, SCALAR = (int, float), (int,), (bool,), (str, int, float, bool)
TEXT = re.compile(r"(?s).{1,1023}")
SHORT = re.compile(r".{1,127}")
PATH = re.compile(r".{1,128}")
IDENTITY = re.compile(r"[a-zA-Z0-9_-]+")
VERSION = re.compile(r"\d{1,4}(\.\d{1,4}){2}(-\w{1,16})?")
TAGS = Each({tag.value for tag in ToolLabelEnum})
I18N = Keys({"en_US": TEXT, "ja_JP?": TEXT, "zh_Hans?": TEXT, "pt_BR?": TEXT})
OPTIONS = Each(Keys({"value": SHORT, "label": I18N}))
SOURCE = Keys({"python": Keys({"source": PATH})})

MANIFEST = Keys(
    {
        "version": VERSION,
        "type": {"plugin"},
        "author": re.compile(r"[a-z0-9_-]{1,64}"),
        "name": re.compile(r"[a-z0-9_-]{1,128}"),
        "label": I18N,
        "description": I18N,
        "icon": PATH,
        "icon_dark?": PATH,
        "resource": Keys(
            {"memory": WHOLE, "permission?": Keys({"tool?": Keys({"enabled": FLAG})})}
        ),
        "plugins": Keys({"tools": Each(PATH)}),
        "meta": Keys(
            {
                "version": VERSION,
                "arch": Each({"amd64", "arm64"}),
                "runner": Keys({"language": {"python"}, "version": PATH, "entrypoint": PATH}),
                "minimum_dify_version?": VERSION,
            }
        ),
        "tags?": TAGS,
        "created_at": (datetime.datetime,),
        "privacy?": PATH,
        "repo?": re.compile(r"https?://\S+"),
    }
)

PROVIDER = Keys(
    {
        "identity": Keys(
            {
                "author": TEXT,
                "name": IDENTITY,
                "label": I18N,
                "description": I18N,
                "icon": PATH,
                "icon_dark?": PATH,
                "tags?": TAGS,
            }
        ),
        "credentials_for_provider": Named(
            Keys(
                {
                    "type": {"secret-input", "text-input", "select", "boolean"},
                    "required": FLAG,
                    "default?": SCALAR,
                    "options?": OPTIONS,
                    "label": I18N,
                    "help?": I18N,
                    "placeholder?": I18N,
                    "url?": re.compile(r"https://\S+"),
                }
            )
        ),
        "tools": Each(PATH),
        "extra": SOURCE,
    }
)

TOOL = Keys(
    {
        "identity": Keys({"name": IDENTITY, "author": TEXT, "label": I18N}),
        "description": Keys({"human": I18N, "llm": TEXT}),
        "parameters?": Each(
            Keys(
                {
                    "name": IDENTITY,
                    "type": {"string", "number", "boolean", "select", "file", "files"},
                    "required?": FLAG,
                    "default?": SCALAR,
                    "min?": NUMBER,
                    "max?": NUMBER,
                    "precision?": WHOLE,
                    "options?": OPTIONS,
                    "form": {"llm", "form"},
                    "label": I18N,
                    "human_description": I18N,
                    "llm_description?": TEXT,
                }
            )
        ),
        "output_schema?": (dict,),
        "extra": SOURCE,
    }
)

"""The declaration that the plugin daemon keeps of this plugin, to the byte.

The daemon (0.6.10) reads manifest.yaml, the provider and its tools into Go structs and stores them
as one JSON text, in a column that holds 65,535 bytes where the database is MySQL. The tables below
are those structs; keys that no struct knows are dropped, as the daemon drops them.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from devtools.go_values import (
    GoValueError,
    anything,
    flag,
    integer,
    items,
    listing,
    marshal,
    moment,
    number,
    parse,
    pointer,
    struct,
    text,
)

LIMIT = 65_535
"""Bytes that MySQL's TEXT column holds."""

type Object = dict[str, Any]


class DeclarationError(ValueError):
    """A file of the declaration is missing, or holds what the daemon could not read."""


def declaration(root: Path) -> Object:
    """The declaration as stored for an unsigned package of `root`, tools inlined.

    Icons have the names that the daemon's media store gives them. Raises DeclarationError.
    """
    manifest = _load(root, "manifest.yaml", _manifest)
    providers = manifest["plugins"]["tools"] or []
    if len(providers) != 1:
        raise DeclarationError("manifest.yaml: plugins.tools must name exactly one provider")
    provider = _load(root, providers[0], _provider)
    provider["tools"] = [
        _load(root, tool, _tool) if isinstance(tool, str) else tool for tool in provider["tools"]
    ]
    manifest["tags"] = manifest["tags"] or []
    identity = provider["identity"]
    # A provider without a description or tags of its own shows the manifest's.
    if not identity["description"]["en_US"]:
        identity["description"] = manifest["description"]
    identity["tags"] = identity["tags"] or manifest["tags"]
    for owner in (identity, manifest):
        for key in ("icon", "icon_dark"):
            if owner.get(key):
                owner[key] = _media_id(root, owner[key])
    return {**manifest, "verified": False, "tool": provider}


def declaration_json(root: Path) -> bytes:
    """The text in the daemon's database. Raises DeclarationError."""
    return marshal(declaration(root)).encode()


def tool_sizes(root: Path) -> dict[str, int]:
    """Bytes of each tool's object within declaration_json, by tool name, in declared order."""
    tools = declaration(root)["tool"]["tools"]
    return {tool["identity"]["name"]: len(marshal(tool).encode()) for tool in tools}


def _load(root: Path, name: str, decode: Callable[[yaml.Node | None], Object]) -> Object:
    path = root / name
    if not path.is_file():
        raise DeclarationError(f"{name}: no such file")
    try:
        return decode(parse(path.read_text(encoding="utf-8")))
    except (GoValueError, UnicodeDecodeError) as error:
        raise DeclarationError(f"{name}: {error}") from error


def _media_id(root: Path, name: str) -> str:
    path = root / "_assets" / name
    if not path.is_file():
        raise DeclarationError(f"_assets/{name}: no such file, but it is declared as an icon")
    return hashlib.sha256(path.read_bytes() + name.encode()).hexdigest() + path.suffix


_i18n = struct({"en_US": text, "ja_JP?": text, "zh_Hans?": text, "pt_BR?": text})

_parameter = struct(
    {
        "name": text,
        "label": _i18n,
        "human_description": _i18n,
        "type": text,
        "scope": pointer(text),
        "form": text,
        "llm_description": text,
        "required": flag,
        "auto_generate": pointer(struct({"type": text})),
        "template": pointer(struct({"enabled": flag})),
        "default": anything,
        "min": number,
        "max": number,
        "multiple": flag,
        "precision": integer,
        "options": listing(struct({"value": text, "label": _i18n, "icon": text})),
    }
)

_tool = struct(
    {
        "identity": struct({"author": text, "name": text, "label": _i18n}),
        "description": struct({"human": _i18n, "llm": text}),
        "parameters": listing(_parameter),
        "output_schema?": lambda node: anything(node) or None,
        "has_runtime_parameters": flag,
    }
)

_credential = struct(
    {
        "name": text,
        "type": text,
        "scope": pointer(text),
        "required": flag,
        "default": anything,
        "options": listing(struct({"value": text, "label": _i18n})),
        "multiple": flag,
        "label": _i18n,
        "help": pointer(_i18n),
        "url": pointer(text),
        "placeholder": pointer(_i18n),
    }
)

_provider_identity = struct(
    {
        "author": text,
        "name": text,
        "description": _i18n,
        "icon": text,
        "icon_dark": text,
        "label": _i18n,
        "tags": listing(text),
    }
)

_oauth = struct({"client_schema": listing(_credential), "credentials_schema": listing(_credential)})


def _provider(node: yaml.Node | None) -> Object:
    given = items(node)
    credentials = given.get("credentials_schema")
    if credentials is None or not credentials.value:
        credentials = given.get("credentials_for_provider")
    return {
        "identity": _provider_identity(given.get("identity")),
        "credentials_schema": _credentials(credentials),
        "oauth_schema": pointer(_oauth)(given.get("oauth_schema")),
        "tools": listing(_tool_or_path)(given.get("tools")) or [],
    }


def _credentials(node: yaml.Node | None) -> list[Object]:
    if isinstance(node, yaml.MappingNode):
        return [{**_credential(value), "name": key} for key, value in items(node).items()]
    return listing(_credential)(node) or []


def _tool_or_path(node: yaml.Node | None) -> Object | str:
    return _tool(node) if isinstance(node, yaml.MappingNode) else text(node)


_enabled = struct({"enabled": flag})

_permission = struct(
    {
        "tool?": pointer(_enabled),
        "model?": pointer(
            struct(
                dict.fromkeys(
                    ("enabled", "llm", "text_embedding", "rerank", "tts", "speech2text"), flag
                )
                | {"moderation": flag}
            )
        ),
        "node?": pointer(_enabled),
        "endpoint?": pointer(_enabled),
        "app?": pointer(_enabled),
        "storage?": pointer(struct({"enabled": flag, "size": lambda node: integer(node) or 0})),
    }
)

_manifest = struct(
    {
        "version": text,
        "type": text,
        "author": text,
        "name": text,
        "label": _i18n,
        "description": _i18n,
        "icon": text,
        "icon_dark": text,
        "resource": struct(
            {"memory": lambda node: integer(node) or 0, "permission?": pointer(_permission)}
        ),
        "plugins": struct(
            dict.fromkeys(
                ("tools", "models", "endpoints", "agent_strategies", "datasources", "triggers"),
                listing(text),
            )
        ),
        "meta": struct(
            {
                "version": text,
                "arch": listing(text),
                "runner": struct({"language": text, "version": text, "entrypoint": text}),
                "minimum_dify_version": pointer(text),
            }
        ),
        "tags": listing(text),
        "created_at": moment,
        "privacy?": pointer(text),
        "repo?": pointer(text),
    }
)

"""The servers' own request fields, as recorded, and what each of their types is in a form."""

import json
from pathlib import Path

FORM_TYPES = {
    "int": ("number", 0),
    "float": ("number", None),
    "bool": ("boolean", None),
    "str": ("string", None),
    "list": ("string", None),
    "list[str]": ("string", None),
    "dict": ("string", None),
    "dict[str, Any]": ("string", None),
    # The servers declare a picture object here, which JSON cannot carry: see its description.
    "Image": ("string", None),
}
"""Type and precision of the parameter that carries a field, by the field's type."""

SAMPLES: dict[str, tuple[str, object]] = {
    "int": ("1", 1),
    "float": ("1", 1.0),
    "bool": ("true", True),
    "str": ("text", "text"),
    "list": ('["a", "b"]', ["a", "b"]),
    "list[str]": ('["a", "b"]', ["a", "b"]),
    "dict": ('{"a": [1]}', {"a": [1]}),
    "dict[str, Any]": ('{"a": [1]}', {"a": [1]}),
    "Image": ("text", "text"),
}
"""What a user types for a field of that type, and what it is to become."""


def recorded(endpoint: str) -> dict[str, dict[str, str]]:
    """The fields of each server's own model of a request, by type.

    AUTOMATIC1111 1.10.1, Forge f2.0.1v1.10.1, Forge Classic of February 2025, Forge Neo 2.26 and
    reForge 1.0.0v2.
    """
    path = Path(__file__).parent / "recorded" / f"{endpoint}_fields.json"
    found: dict[str, dict[str, str]] = json.loads(path.read_bytes())
    return found


def of_all(servers: dict[str, dict[str, str]]) -> dict[str, str]:
    """The fields of all servers together."""
    return {name: kind for fields in servers.values() for name, kind in fields.items()}

"""A tool's values, checked and converted by the tool's own YAML."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from webui import values
from webui.errors import InvalidParameterError
from webui.values import Converter

# The form has no type that carries JSON safely, so these travel as text. Their shapes are the
# WebUI API's own.
_JSON: dict[str, Converter] = {
    "alwayson_scripts": values.json_object,
    "comments": values.json_object,
    "extra_parameters": values.json_object,
    "hr_additional_modules": values.names,
    "override_settings": values.json_object,
    "script_args": values.json_array,
    "styles": values.names,
}


def _as_it_is(value: object) -> object:
    """A file stays the SDK's object, for whoever fetches it."""
    return value


_SHAPES: dict[Converter, str] = {
    values.json_object: "a JSON object",
    values.json_array: "a JSON array",
    values.names: "names separated by commas, or a JSON array of names",
    values.boolean: "true or false",
    values.text: "text",
    _as_it_is: "a file",
}
_LONGEST_QUOTE = 60


class Parameters:
    """The declared parameters of one tool."""

    def __init__(self, declarations: list[dict[str, Any]]) -> None:
        self._declared = {declaration["name"]: declaration for declaration in declarations}

    @classmethod
    def beside(cls, module_file: str) -> "Parameters":
        """The parameters declared in the YAML file next to a tool's module."""
        declaration = yaml.safe_load(Path(module_file).with_suffix(".yaml").read_bytes())
        return cls(declaration["parameters"])

    def read(self, given: Mapping[str, object]) -> dict[str, Any]:
        """The values that are set, in the declared order, each of its declared type.

        What is absent takes its declared default; without one it stays absent. Raises
        InvalidParameterError, which names the parameter, the value and what is allowed.
        """
        for name, value in given.items():
            if name not in self._declared and not values.is_unset(value):
                near = difflib.get_close_matches(name, self._declared, n=1)
                hint = f" Did you mean {near[0]}?" if near else ""
                raise InvalidParameterError(f"{name} is not a parameter of this tool.{hint}")
        found = {}
        for name, declaration in self._declared.items():
            value = given.get(name)
            if values.is_unset(value):
                if declaration.get("required"):
                    raise InvalidParameterError(f"{name} is empty, but required.")
                value = declaration.get("default")
            if value is not None:
                found[name] = _converted(value, declaration)
        return found


def _converted(value: object, declaration: Mapping[str, Any]) -> object:
    name = declaration["name"]
    converter = _converter(declaration)
    try:
        found = _option(value, declaration) if converter is None else converter(value)
        if isinstance(found, int | float) and not isinstance(found, bool):
            if found < declaration.get("min", found):
                raise ValueError("is too small")
            if found > declaration.get("max", found):
                raise ValueError("is too large")
    except ValueError as error:
        raise InvalidParameterError(
            f"{name}: {_shown(value)} {error}. Allowed: {_allowed(declaration)}."
        ) from None
    return found


def _converter(declaration: Mapping[str, Any]) -> Converter | None:
    """How to convert a value; None for a choice among options."""
    match declaration["type"]:
        case "number":
            return values.integer if declaration.get("precision") == 0 else values.decimal
        case "boolean":
            return values.boolean
        case "select":
            return None
        case "file" | "files":
            return _as_it_is
        case _:
            return _JSON.get(declaration["name"], values.text)


def _option(value: object, declaration: Mapping[str, Any]) -> str:
    options = [option["value"] for option in declaration["options"]]
    for option in options:
        if isinstance(value, str | int | float) and str(value).strip().lower() == option.lower():
            return str(option)
    raise ValueError("is not one of the choices")


def _allowed(declaration: Mapping[str, Any]) -> str:
    converter = _converter(declaration)
    if converter is None:
        return ", ".join(option["value"] for option in declaration["options"])
    if converter not in {values.integer, values.decimal}:
        return _SHAPES[converter]
    kind = "a whole number" if converter is values.integer else "a number"
    match declaration.get("min"), declaration.get("max"):
        case None, None:
            return kind
        case low, None:
            return f"{kind} from {low}"
        case None, high:
            return f"{kind} up to {high}"
        case low, high:
            return f"{kind} from {low} to {high}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"

"""A tool's values, checked and converted by the tool's own YAML; files become pictures."""

import difflib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from dify_plugin.entities.tool import ToolRuntime

from dify.credentials import read_credentials
from dify.files import read_file, read_files
from dify.limits import read_limits
from webui import values
from webui.call import Call
from webui.errors import InvalidParameterError
from webui.fields import FIELDS
from webui.text import shortened
from webui.values import Converter, Fields

# The form has no type that carries JSON safely, so it travels as text.
_OF_JSON: dict[str, Converter] = {
    "object": values.json_object,
    "array": values.json_array,
    "names": values.names,
    "": values.tidy_text,
}
_SHAPES: dict[Converter, str] = {
    values.json_object: "a JSON object",
    values.json_array: "a JSON array",
    values.names: "names separated by commas, or a JSON array of names",
    values.boolean: "true or false",
    values.text: "text",
    values.tidy_text: "text",
}
_LONGEST_QUOTE = 60


@dataclass(frozen=True)
class Parameter:
    """One field of a tool's form.

    low, high: of a number, None for none. options: of a choice, the API's own words.
    """

    name: str
    type: str
    required: bool = False
    default: object = None
    whole: bool = False
    low: float | None = None
    high: float | None = None
    options: tuple[str, ...] = ()

    @classmethod
    def declared(cls, declaration: Mapping[str, Any]) -> "Parameter":
        """From its entry in the YAML."""
        return cls(
            declaration["name"],
            declaration["type"],
            declaration.get("required", False),
            declaration.get("default"),
            declaration.get("precision") == 0,
            declaration.get("min"),
            declaration.get("max"),
            tuple(option["value"] for option in declaration.get("options", ())),
        )

    @property
    def is_file(self) -> bool:
        return self.type in {"file", "files"}

    def is_untouched(self, value: object) -> bool:
        """Tell whether a converted value is only the default, which Dify fills into forms."""
        return self.default is not None and value == self.convert(self.default)

    def convert(self, value: object) -> object:
        """Return the value in its type. InvalidParameterError says what is allowed."""
        try:
            found = self._option(value) if self.options else self._converter(value)
            if isinstance(found, int | float) and not isinstance(found, bool):
                if self.low is not None and found < self.low:
                    raise ValueError("is too small")
                if self.high is not None and found > self.high:
                    raise ValueError("is too large")
        except ValueError as error:
            raise InvalidParameterError(
                f"{self.name}: {_quoted(value)} {error}. Allowed: {self._allowed()}."
            ) from None
        return found

    def fetch(self, value: object) -> object:
        """Return the picture, or pictures, that a file is."""
        return read_file(value, self.name) if self.type == "file" else read_files(value, self.name)

    @property
    def _converter(self) -> Converter:
        match self.type:
            case "number":
                return values.integer if self.whole else values.decimal
            case "boolean":
                return values.boolean
            case _:
                field = FIELDS.get(self.name)
                if field is None or field.verbatim:
                    return values.text
                return _OF_JSON[field.json]

    def _option(self, value: object) -> object:
        """Return the API's own value for an option, which may also be given as that."""
        said = values.folded(values.text(value)).lower()
        api = FIELDS[self.name].api if self.name in FIELDS else {}
        for option in self.options:
            if said in {option.lower(), str(api.get(option, option))}:
                return api.get(option, option)
        raise ValueError("is not one of the choices")

    def _allowed(self) -> str:
        if self.options:
            return ", ".join(self.options)
        if self.type != "number":
            return _SHAPES[self._converter]
        kind = "a whole number" if self.whole else "a number"
        match self.low, self.high:
            case None, None:
                return kind
            case low, None:
                return f"{kind} from {low}"
            case None, high:
                return f"{kind} up to {high}"
            case low, high:
                return f"{kind} from {low} to {high}"


class Parameters:
    """The declared parameters of one tool."""

    def __init__(self, declarations: list[dict[str, Any]]) -> None:
        self._declared = {one["name"]: Parameter.declared(one) for one in declarations}

    @classmethod
    def beside(cls, module_file: str) -> "Parameters":
        """Return the parameters declared in the YAML file next to a tool's module."""
        declaration = yaml.safe_load(Path(module_file).with_suffix(".yaml").read_bytes())
        return cls(declaration["parameters"])

    def read_call(
        self, given: Mapping[str, object], runtime: ToolRuntime, app_id: str | None = None
    ) -> Call:
        """Return one call of the tool: its values, files fetched, and the server that it goes to.

        It is the user's in that app; of the workspace Dify tells plugins nothing, but every app is
        in one. The conversation does not count: a retry may have another.

        Raises StableDiffusionError for what cannot be used. Files come last, since their links are
        worth nothing when something else is wrong; but at once, for they live only minutes.
        """
        began = time.monotonic()
        asked = self.read_values(given)
        settings = read_credentials(runtime.credentials)
        for name in asked:
            if self._declared[name].is_file:
                asked[name] = self._declared[name].fetch(asked[name])
        untouched = frozenset(
            name for name in asked if self._declared[name].is_untouched(asked[name])
        )
        caller = repr((runtime.user_id, app_id))
        return Call(asked, settings, read_limits(began), untouched, caller, began)

    def read_values(self, given: Mapping[str, object]) -> Fields:
        """Return the values that are set, in the declared order, each of its declared type.

        What is absent takes its declared default; without one it stays absent. A file stays the
        SDK's object. InvalidParameterError names the parameter, the value and what is allowed.
        """
        for name, value in given.items():
            if name not in self._declared and not values.is_unset(value):
                near = difflib.get_close_matches(name, self._declared, n=1)
                hint = f" Did you mean {near[0]}?" if near else ""
                raise InvalidParameterError(f"{name} is not a parameter of this tool.{hint}")
        found = {}
        for name, parameter in self._declared.items():
            value = given.get(name)
            if values.is_unset(value):
                if parameter.required:
                    raise InvalidParameterError(f"{name} is empty, but required.")
                value = parameter.default
            if value is not None:
                found[name] = value if parameter.is_file else parameter.convert(value)
        return found


def _quoted(value: object) -> str:
    return shortened(repr(value), _LONGEST_QUOTE)

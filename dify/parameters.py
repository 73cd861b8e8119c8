"""A tool's values, checked and converted by the tool's own YAML; files become pictures."""

import difflib
import re
import reprlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from dify_plugin.entities.tool import ToolRuntime

from dify.credentials import read_credentials
from dify.files import Files
from dify.limits import read_limits
from webui import values
from webui.call import Call
from webui.errors import InvalidParameterError
from webui.fields import FIELDS, LONGEST_JSON, LONGEST_NAME
from webui.text import shortened
from webui.values import Converter, Fields

# The form has no type that carries JSON safely, so it travels as text.
_OF_JSON: dict[str, Converter] = {
    "object": values.json_object,
    "arguments": values.json_arguments,
    "names": values.names,
    "": values.tidy_text,
}
_SHAPES: dict[Converter, str] = {
    values.json_object: "a JSON object",
    values.json_arguments: "a JSON array or object",
    values.names: "names separated by commas, or a JSON array of names",
    values.boolean: "true or false",
    values.text: "text",
    values.tidy_text: "text",
}
_LONGEST_QUOTE = 60
# Where a language model's thoughts begin or end: those of Qwen and DeepSeek, Magistral, gpt-oss.
_THOUGHTS = re.compile(r"(?i:</?think(?:ing)?>)|\[/THINK\]|<\|channel\|>")


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

    def convert(self, value: object, place: str = "") -> object:
        """Return the value in its type. InvalidParameterError says what is allowed.

        place: where it stands, if not in the form.
        """
        try:
            values.refuse_unsendable(value, self._longest)
            found = self._option(value) if self.options else self._converter(value)
            values.refuse_unsendable(found, self._longest)
            if isinstance(found, int | float) and not isinstance(found, bool):
                if self.low is not None and found < self.low:
                    raise ValueError("is too small")
                if self.high is not None and found > self.high:
                    raise ValueError("is too large")
        except ValueError as error:
            raise InvalidParameterError(
                f"{place or self.name}: {_quoted(value)} {error}. Allowed: {self._allowed()}."
            ) from None
        if self.name.endswith("prompt"):
            _refuse_thoughts(str(found), place or self.name)
        return found

    def fetch(self, value: object, files: Files) -> object:
        """Return the picture, or pictures, that a file is."""
        read = files.read_file if self.type == "file" else files.read_files
        return read(value, self.name)

    @property
    def _longest(self) -> int:
        if self.is_file:
            return LONGEST_JSON
        return FIELDS[self.name].longest if self.name in FIELDS else LONGEST_NAME

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


# Options of the server that our own fields set, too: what is said of those holds for them.
_OPTIONS = {
    "sd_model_checkpoint": Parameter("model", "string"),
    "sd_vae": Parameter("sd_vae", "string"),
    "forge_additional_modules": Parameter("vae", "string"),
    "CLIP_stop_at_last_layers": Parameter("clip_skip", "number", whole=True),
}


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
        untouched = frozenset(
            name for name in asked if self._declared[name].is_untouched(asked[name])
        )
        caller = repr((runtime.user_id, app_id))
        call = Call(asked, settings, read_limits(began), untouched, caller, began)
        files = Files(call.deadline)
        fetched = {
            name: self._declared[name].fetch(value, files)
            for name, value in asked.items()
            if self._declared[name].is_file
        }
        return replace(call, asked=asked | fetched)

    def read_values(self, given: Mapping[str, object]) -> Fields:
        """Return the values that are set, in the declared order, each of its declared type.

        What is absent takes its declared default; without one it stays absent. A file stays the
        SDK's object. InvalidParameterError names the parameter, the value and what is allowed.
        """
        for name, value in given.items():
            if name not in self._declared and not values.is_unset(value):
                name = shortened(name, _LONGEST_QUOTE)
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
        return self._converted_inside(found, "")

    def _converted_inside(self, fields: Fields, place: str) -> Fields:
        """Return the same with what stands in their JSON under the API's names read likewise."""
        if "override_settings" in fields:
            options: Fields = fields["override_settings"]
            at = f"{place}override_settings: "
            fields["override_settings"] = _converted(options, _OPTIONS, at)
        if "extra_parameters" in fields:
            known = {name: one for name, one in self._declared.items() if not _is_own(name)}
            at = "extra_parameters: "
            extra = _converted(fields["extra_parameters"], known, at)
            fields["extra_parameters"] = self._converted_inside(extra, at)
        return fields


def _converted(given: Fields, known: Mapping[str, Parameter], place: str) -> Fields:
    """Convert what is known of some JSON. Null stays, which removes a field."""
    return {
        name: known[name].convert(value, place + name)
        if name in known and value is not None
        else value
        for name, value in given.items()
    }


def _refuse_thoughts(prompt: str, place: str) -> None:
    """InvalidParameterError for what is no part of a prompt and would be drawn all the same."""
    tag = _THOUGHTS.search(prompt)
    if tag:
        raise InvalidParameterError(
            f"{place} holds a language model's thoughts ({tag[0]}), which would be drawn, too. "
            "Give the prompt alone: turn on Enable reasoning tag separation in the LLM node that "
            "wrote it; if it is on, turn the model's thinking off, or have its server take the "
            "thoughts out."
        )


def _is_own(name: str) -> bool:
    return name in FIELDS and FIELDS[name].own and not FIELDS[name].extra


def _quoted(value: object) -> str:
    """Return the beginning of what was given; other objects may hold links, which are secret."""
    if isinstance(value, str):
        return shortened(repr(value[:_LONGEST_QUOTE]), _LONGEST_QUOTE)
    if not isinstance(value, bool | int | float | list | dict | None):
        return type(value).__name__
    try:
        return shortened(reprlib.repr(value), _LONGEST_QUOTE)
    except ValueError:
        # Of a number with thousands of digits.
        return "the value"

"""The arguments of a selectable script: in the order of its form, or by its labels."""

from webui import said, values
from webui.errors import InvalidParameterError, StableDiffusionError, WebUILateError
from webui.http.endpoints import Endpoint
from webui.request.request import Request
from webui.server.names import match_name
from webui.server.server import Server
from webui.text import shortened
from webui.values import Fields, Json

_LONGEST_QUOTE = 60
# The titles of X/Y/Z plot, the second SD.Next's. Source: scripts/xyz_grid.py of each.
_PLOTS = {"x/y/z plot", "xyz grid script"}
# One value with a comma is `a\, b` in the box of these, and `"a, b"`, as CSV has it, in others.
_ESCAPES_COMMAS = {"xyz grid script"}
_QUOTED = set(',"\r\n')
# Choices that the script takes by their number, although its form shows words and the server tells
# the chosen word as the form's value: gradio's type="index". Source: scripts/xyz_grid.py and
# scripts/poor_mans_outpainting.py of AUTOMATIC1111 82a973c0 and its forks; SD.Next takes words.
_BY_NUMBER = {
    "x/y/z plot": {"X type", "Y type", "Z type"},
    "poor man's outpainting": {"Masked content"},
}
# Axes whose unknown values the plot draws with something else, under the name that was asked for;
# of samplers it does so with those in other letters. What they are called, and where they stand.
_AXES = {
    "sampler": ("sampler", Endpoint.SAMPLERS, ("name",)),
    "hires sampler": ("sampler", Endpoint.SAMPLERS, ("name",)),
    "schedule type": ("scheduler", Endpoint.SCHEDULERS, ("label", "name")),
}


def is_plot(request: Request) -> bool:
    """Tell whether its script compares, and so draws with other models, samplers or seeds."""
    return str(request.fields.get("script_name")).casefold() in _PLOTS


def complete_script(request: Request, server: Server) -> None:
    """Put a script's arguments in the order of its form, those left out as they are there.

    Else the server would put what it does have for other scripts in their place: an error, or
    always-on scripts that run with each other's arguments.
    """
    script, given = request.fields.get("script_name"), request.fields.get("script_args", [])
    if isinstance(given, dict) and not (given and script and server.reads("script_args")):
        given = request.fields["script_args"] = [*given.values()]
    if not script or not server.reads("script_args"):
        return
    form = _form(str(script), request, server)
    if isinstance(given, dict) and not form:
        raise _unlabelled(str(script), server)
    if isinstance(given, dict):
        given = _by_label(given, form, str(script), server)
    elif not form or not server.family.joins_script_arguments:
        return
    if len(given) > len(form):
        raise InvalidParameterError(
            f"script_args: {script!r} takes {len(form)} arguments, not {len(given)}."
        )
    arguments = [*given, *(one.get("value") for one in form[len(given) :])]
    _respell_axes(arguments, form, server)
    numbered = _BY_NUMBER.get(str(script).casefold(), set())
    for place, one in enumerate(form):
        if _label(one) in numbered:
            arguments[place] = _number(arguments[place], one, server)
        elif isinstance(one.get("value"), bool):
            arguments[place] = _switch(arguments[place], one)
    request.fields["script_args"] = arguments


def _unlabelled(script: str, server: Server) -> StableDiffusionError:
    array = "a JSON array, in the order of its form in the WebUI."
    if "script-info" in server.late:
        return WebUILateError(
            f"script_args: the server did not say in time what {script!r} takes. It is busy: try "
            f"again, or give {array}"
        )
    return InvalidParameterError(
        f"script_args: the server does not tell the arguments of {script!r} by label. Give {array}"
    )


def _form(script: str, request: Request, server: Server) -> list[Fields]:
    """Return what the server tells of each argument, empty if it tells nothing."""
    for entry in server.entries(Endpoint.SCRIPT_INFO) or []:
        is_it = str(entry.get("name")).casefold() == script.casefold()
        if is_it and not entry.get("is_alwayson") and entry.get("is_img2img") == request.redraws:
            return said.objects(entry.get("args"))
    return []


def _label(one: Fields) -> str:
    return said.text(one.get("label"))


def _by_label(given: Fields, form: list[Fields], script: str, server: Server) -> list[Json]:
    """Return the arguments in their order. Of those that share a label each gets what it takes."""
    arguments, labels = [one.get("value") for one in form], [_label(one) for one in form]
    met = set()
    for wanted, value in given.items():
        found = match_name(wanted, labels)
        if not found:
            raise server.missing(wanted, "script_args", f"argument of {script!r}", labels)
        if found in met:
            raise InvalidParameterError(f"script_args: {found!r} is given twice. Give it once.")
        met.add(found)
        if value is None:
            continue  # As in the form.
        places = [place for place, label in enumerate(labels) if label == found]
        for place in places:
            is_list = isinstance(form[place].get("choices"), list)
            if len(places) > 1:
                arguments[place] = _names(value) if is_list else _in_one_line(value, script)
            else:
                arguments[place] = value
    return arguments


def _names(value: Json) -> list[str]:
    return list(map(str, value)) if isinstance(value, list) else values.separated(str(value))


def _in_one_line(value: Json, script: str) -> str:
    """Return values as a script's box takes them: CSV, or with escaped commas."""
    if not isinstance(value, list):
        return str(value)
    if script.casefold() in _ESCAPES_COMMAS:
        return ", ".join(str(one).replace(",", r"\,") for one in value)
    return ", ".join(_in_csv(str(one)) for one in value)


def _in_csv(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if set(text) & _QUOTED else text


def _respell_axes(arguments: list[Json], form: list[Fields], server: Server) -> None:
    """Put the values of a plot's axes in the server's spelling."""
    axis = None
    for place, one in enumerate(form):
        label, value = _label(one), arguments[place]
        if label.endswith(" type"):
            choices = said.listed(one.get("choices"))
            is_number = isinstance(value, int) and 0 <= value < len(choices)
            axis = _AXES.get(str(choices[value] if is_number else value).casefold())
        elif axis and label.endswith(" values") and value:
            noun, listing, keys = axis
            offered = server.named(listing, *keys)
            names = [server.find(name, "script_args", noun, offered) for name in _names(value)]
            arguments[place] = names if isinstance(value, list) else ", ".join(names)


def _number(value: Json, one: Fields, server: Server) -> Json:
    """Return the number of a choice that is given in words."""
    choices = said.listed(one.get("choices"))
    if not isinstance(value, str) or not choices:
        return value
    words = said.texts(choices)
    found = match_name(value, words)
    if not found:
        raise server.missing(value, "script_args", f"choice of {_label(one)!r}", words)
    return choices.index(found)


def _switch(value: Json, one: Fields) -> Json:
    """Return yes or no for words: servers take any text for yes."""
    try:
        return values.boolean(value) if isinstance(value, str) else value
    except ValueError as error:
        shown = shortened(repr(value), _LONGEST_QUOTE)
        raise InvalidParameterError(f"script_args: {shown} for {_label(one)!r} {error}.") from None

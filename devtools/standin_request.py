"""How a WebUI understands a generation's request before it waits for its turn.

Here are the silences for which these servers are known: an unknown sampler or scheduler is
replaced by another.
"""

from collections.abc import Callable, Mapping
from typing import Any

from devtools import infotext
from devtools.catalogue import Catalogue, Scheduler, Script
from devtools.standin_errors import CrashError, RefusalError
from devtools.standin_family import Family


def fill_from_infotext(values: dict[str, Any], given: set[str]) -> None:
    """Take from the `infotext` field what the request does not say itself."""
    found = infotext.read(values["infotext"] or "")
    overrides = dict(values["override_settings"] or {})
    for field, name, convert in (
        ("prompt", "Prompt", str),
        ("negative_prompt", "Negative prompt", str),
        ("steps", "Steps", int),
        ("sampler_name", "Sampler", str),
        ("scheduler", "Schedule type", str),
        ("cfg_scale", "CFG scale", float),
        ("seed", "Seed", int),
        ("width", "Size-1", int),
        ("height", "Size-2", int),
        ("denoising_strength", "Denoising strength", float),
    ):
        if found.get(name) and field in values and field not in given:
            values[field] = _convert(convert, found[name])
    for option, name, convert in (
        ("sd_model_checkpoint", "Model hash", str),
        ("CLIP_stop_at_last_layers", "Clip skip", int),
    ):
        if name in found:
            overrides.setdefault(option, _convert(convert, found[name]))
    values["override_settings"] = overrides


def _convert(convert: Callable[[str], Any], text: str) -> Any:  # noqa: ANN401 - one of three types
    try:
        return convert(text)
    except ValueError as error:
        raise CrashError("ValueError", str(error)) from error


def choose_sampler(family: Family, values: dict[str, Any]) -> None:
    """Put the sampler and the scheduler's label that will really be used in their fields."""
    wanted = values["sampler_name"] or values["sampler_index"]
    if family.joined_samplers:
        if wanted not in [one.name for one in family.catalogue.samplers]:
            raise RefusalError(404, "Sampler not found")
        values["sampler_name"] = wanted
        return
    values["sampler_name"], values["scheduler"] = _split_sampler(
        family.catalogue, wanted, values["scheduler"]
    )


def _split_sampler(
    catalogue: Catalogue, sampler: str | None, scheduler: str | None
) -> tuple[str, str]:
    name = sampler or catalogue.samplers[0].name
    suffix = None
    for one in catalogue.schedulers:
        for spelling in (one.label, one.name, *one.aliases):
            if name.endswith(f" {spelling}"):
                name = name.removesuffix(f" {spelling}")
                suffix = one
                break
    chosen = next((one for one in catalogue.samplers if one.name == name), catalogue.samplers[0])
    if scheduler:
        asked = find_scheduler(catalogue, scheduler)
        return chosen.name, (asked or catalogue.schedulers[0]).label
    if suffix is None or chosen.options.get("scheduler") == suffix.name:
        return chosen.name, catalogue.schedulers[0].label
    return chosen.name, suffix.label


def find_scheduler(catalogue: Catalogue, spelling: str) -> Scheduler | None:
    """The scheduler of exactly this name or label."""
    found = (one for one in catalogue.schedulers if spelling in (one.label, one.name))
    return next(found, None)


def choose_script(catalogue: Catalogue, values: Mapping[str, Any]) -> Script | None:
    """The selectable script, after looking at the always-on ones; RefusalError if unknown."""
    scripts = {script.name: script for script in catalogue.scripts}
    selectable = {name: script for name, script in scripts.items() if not script.is_alwayson}
    chosen = _script(selectable, values["script_name"]) if values["script_name"] else None
    for name in values["alwayson_scripts"]:
        if not _script(scripts, name).is_alwayson:
            detail = "Cannot have a selectable script in the always on scripts params"
            raise RefusalError(422, detail)
    return chosen


def _script(scripts: Mapping[str, Script], name: str) -> Script:
    if name.lower() not in scripts:
        raise RefusalError(422, f"Script '{name}' not found")
    return scripts[name.lower()]

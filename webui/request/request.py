"""A job for the server, on its way from a tool's values to what is posted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from webui.fields import FIELDS
from webui.http.endpoints import Endpoint
from webui.values import Fields, Json

ADETAILER = "ADetailer"


@dataclass
class Request:
    """The JSON to post, and what is worth knowing of it.

    fields: the JSON, by the API's names. given: those of them that the user set, in the form's
    order. warnings: sentences for the user, the most telling first.
    """

    endpoint: Endpoint
    fields: Fields
    given: tuple[str, ...] = ()
    warnings: list[str] = field(default_factory=list)

    @property
    def overrides(self) -> Mapping[str, Json]:
        """The options of `override_settings`."""
        found: Mapping[str, Json] = self.fields.get("override_settings") or {}
        return found

    @property
    def model(self) -> str:
        """The checkpoint asked for, "" for whatever is loaded."""
        return str(self.overrides.get("sd_model_checkpoint") or "")

    @property
    def has_refiner(self) -> bool:
        return str(self.fields.get("refiner_checkpoint") or "None").lower() != "none"

    @property
    def has_second_pass(self) -> bool:
        return self.fields.get("enable_hr") is True

    @property
    def redraws(self) -> bool:
        """Whether it begins with a picture."""
        return "init_images" in self.fields

    @property
    def sends_images(self) -> bool:
        return self.fields.get("send_images") is not False

    @property
    def controlnet_units(self) -> list[Fields]:
        """ControlNet's units in `alwayson_scripts`, without those that are turned off."""
        return [unit for unit in self._units("ControlNet") if unit.get("enabled", True)]

    @property
    def controlnet_slots(self) -> int:
        """How many of the extension's places are taken, by units that are turned off as well."""
        return len(self._units("ControlNet"))

    @property
    def adetailer_units(self) -> list[Fields]:
        """ADetailer's objects in `alwayson_scripts`, likewise."""
        return [
            unit
            for unit in self._units(ADETAILER)
            if unit.get("ad_tab_enable", True) and unit.get("ad_model", "None") != "None"
        ]

    @property
    def image_count(self) -> int:
        """How many pictures are asked for, a script's own apart."""
        return int(self.fields.get("batch_size", 1)) * int(self.fields.get("n_iter", 1))

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels that the pictures are to have; None where the server knows."""
        width, height = self.fields.get("width"), self.fields.get("height")
        if not isinstance(width, int) or not isinstance(height, int):
            return None
        if not self.has_second_pass:
            return width, height
        x = int(self.fields.get("hr_resize_x") or 0)
        y = int(self.fields.get("hr_resize_y") or 0)
        if x or y:
            return x or y * width // height, y or x * height // width
        scale = float(self.fields.get("hr_scale") or 2)
        return int(width * scale), int(height * scale)

    def _units(self, script: str) -> list[Fields]:
        """Return the objects among an always-on script's arguments; none if its switch is off."""
        scripts: Mapping[str, Json] = self.fields.get("alwayson_scripts") or {}
        listed = [
            given.get("args")
            for title, given in scripts.items()
            if title.strip().lower() == script.lower() and isinstance(given, dict)
        ]
        on = [args for args in listed if isinstance(args, list) and args[:1] != [False]]
        return [unit for args in on for unit in args if isinstance(unit, dict)]

    def is_idle(self, name: str) -> bool:
        """Tell whether a field is not in it, or has a value that changes nothing."""
        return name not in self.fields or is_neutral(name, self.fields[name])

    def effective(self, names: Iterable[str]) -> list[str]:
        """Return those of the fields that are in it with a value that would change something."""
        return [name for name in names if not self.is_idle(name)]


def is_neutral(name: str, value: Json) -> bool:
    """Tell whether nothing is lost when a server ignores the field with this value."""
    known = FIELDS.get(name)
    return known.is_neutral(value) if known else not value

"""X/Y/Z plot: a picture for each pair of values, all of them side by side before the single ones.

Source: scripts/xyz_grid.py of AUTOMATIC1111 82a973c0.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from PIL import Image, ImageDraw

from devtools.standin import pictures
from devtools.standin.drawing import Generation
from devtools.standin.family import CrashError
from devtools.standin.pictures import Sketch
from devtools.standin.queue import Task
from devtools.standin.state import State

PLOT = "x/y/z plot"
_LEGEND = 32
# Of the axes that do something here, the request's field, the type, and whether they have choices.
_AXES: dict[str, tuple[str, type, bool]] = {
    "Seed": ("seed", int, False),
    "Steps": ("steps", int, False),
    "CFG Scale": ("cfg_scale", float, False),
    "Sampler": ("sampler_name", str, True),
    "Schedule type": ("scheduler", str, True),
}


class Plot(Generation):
    """A run of the script; `values` has its arguments in the order of its form.

    `single` makes the run of one picture from its values.
    """

    def __init__(
        self,
        state: State,
        values: dict[str, Any],
        options: Mapping[str, Any],
        single: Callable[[dict[str, Any]], Generation],
    ) -> None:
        super().__init__(state, values, options)
        self._single = single
        kind = "img2img" if "inputs" in values else "txt2img"
        self._form = state.family.arguments(kind)[PLOT]

    def run(self, task: Task) -> None:
        xs, ys, zs = (list(self._axis(name)) for name in "XYZ")
        self.infotexts = [self.infotext(0)]
        cells: list[Image.Image] = []
        for z, y, x in itertools.product(zs, ys, xs):
            values = self.values | {"script": "", "seed": self.seeds[0], **z, **y, **x}
            one = self._single(values)
            one.run(task)
            size = values["width"] // 8 * 8, values["height"] // 8 * 8
            cells.append(_opened(one.images[0]) if one.images else Image.new("RGB", size))
            self.infotexts += one.infotexts[:1]
            self.seeds = [*self.seeds[: len(cells) - 1], *one.seeds[:1]]
        titles = [", ".join(map(str, one.values())) for one in xs] * len(zs)
        singles = cells if self._argument("Include Sub Images") else []
        if cells:
            self.images = [_side_by_side(cells, titles, len(xs)), *singles]

    def facts(self, place: int) -> dict[str, Any]:
        return super().facts(place) | {"first": 1}

    def _argument(self, label: str, nth: int = 0) -> Any:  # noqa: ANN401 - of any kind
        places = [place for place, one in enumerate(self._form) if one["label"] == label]
        return self.values["script_args"][places[nth]]

    def _axis(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield what each of an axis's values puts into the request."""
        number = self._argument(f"{name} type") or 0
        if isinstance(number, str):
            raise CrashError("TypeError", "list indices must be integers or slices, not str")
        label = self._form[0]["choices"][number]
        field, convert, has_choices = _AXES.get(label, ("", str, False))
        said, chosen = (self._argument(f"{name} values", nth) for nth in range(2))
        if has_choices and not self._argument("Use text inputs instead of dropdowns"):
            found = chosen or []
        else:
            found = [one.strip() for one in (said or "").split(",") if one.strip()]
        known = {one.lower() for one in self.state.family.names("samplers")}
        for one in found:
            if label == "Sampler" and one.lower() not in known:
                raise CrashError("RuntimeError", f"Unknown sampler: {one}")
        yield from [{}] if label == "Nothing" else [{field: convert(one)} for one in found]


def _opened(one: Sketch | Image.Image) -> Image.Image:
    return pictures.drawn(one) if isinstance(one, Sketch) else one


def _side_by_side(cells: list[Image.Image], titles: list[str], columns: int) -> Image.Image:
    """Return the cells, a row for each of the second axis's values, below the first's titles."""
    width, height = cells[0].size
    rows = -(-len(cells) // len(titles))
    whole = Image.new("RGB", (width * len(titles), height * rows + _LEGEND), "white")
    for place, cell in enumerate(cells):
        third, inside = divmod(place, columns * rows)
        row, column = divmod(inside, columns)
        whole.paste(cell, ((third * columns + column) * width, row * height + _LEGEND))
    for place, title in enumerate(titles):
        ImageDraw.Draw(whole).text((place * width, _LEGEND // 4), title, "black")
    return whole

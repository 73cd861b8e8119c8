"""One drawing cut into several requests that give the same pictures, to run side by side.

It is cut between batches, never inside one: what is drawn beside a picture can change it. Picture i
has the seed + i or, with a variation strength, the seed and the subseed + i.

Source: `process_images_inner` of AUTOMATIC1111 1.10.1, which all but stable-diffusion.cpp have from
there; stable-diffusion.cpp's `generate_image` counts alike inside a batch, and knows no batches.
"""

import random
from dataclasses import dataclass

from webui.request.request import Request
from webui.server.server import Server
from webui.values import Fields

# Always-on scripts that do the same for each batch; others may keep count of the whole.
_ALIKE_FOR_EACH = {"controlnet", "adetailer"}
# Below it servers draw a random seed, unless they take less.
_SEEDS = 2**32 - 2


@dataclass(frozen=True)
class Part:
    """fields: its request. seeds, subseeds: of its pictures, in order."""

    fields: Fields
    seeds: tuple[int, ...]
    subseeds: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many pictures it gives, what extensions add apart."""
        return len(self.seeds)


def divide(request: Request, server: Server, at_once: int) -> list[Part]:
    """Return a drawing's parts in the order of their pictures; none where it stays one request.

    at_once: how many may run at the same time. There are as many parts, since each may load models;
    where the server knows no batches, there are as many as batches.
    """
    batches = request.fields.get("n_iter", 1)
    repeats = server.reads("n_iter")
    shares = min(at_once, batches) if repeats else batches
    if shares < 2 or not is_divisible(request, server):
        return []
    size = request.fields.get("batch_size", 1)
    seed, subseed = (_drawn(request, server, name, size * batches) for name in ("seed", "subseed"))
    varies = server.reads("subseed_strength") and bool(request.fields.get("subseed_strength"))
    parts, done = [], 0
    for share in range(shares):
        mine = batches // shares + (share < batches % shares)
        first, after = done * size, (done + mine) * size
        fields = {**request.fields, "seed": seed + (0 if varies else first)}
        if server.reads("subseed"):
            fields["subseed"] = subseed + first
        fields = fields | {"n_iter": mine} if repeats else _without(fields, "n_iter")
        seeds = [seed if varies else seed + place for place in range(first, after)]
        subseeds = range(subseed + first, subseed + after)
        parts.append(Part(fields, tuple(seeds), tuple(subseeds)))
        done += mine
    return parts


def is_divisible(request: Request, server: Server) -> bool:
    """Tell whether the parts' pictures are those of the whole.

    A selectable script (X/Y/Z plot, prompt matrix, loopback) and most always-on ones see all
    batches; with save_images the server makes a grid of all and numbers its files.
    """
    fields = request.fields
    if server.reads("script_name") and fields.get("script_name"):
        return False
    if server.reads("save_images") and (fields.get("save_images") or not request.sends_images):
        return False
    scripts = fields.get("alwayson_scripts") or {}
    return not server.reads("alwayson_scripts") or all(
        name.strip().casefold() in _ALIKE_FOR_EACH for name in scripts
    )


def _drawn(request: Request, server: Server, name: str, count: int) -> int:
    """Return a seed for the first of so many pictures, drawn once for all if none was given."""
    given = request.fields.get(name)
    if isinstance(given, int) and given >= 0:
        return given
    return random.randrange(server.family.highest.get(name, _SEEDS) - count)  # noqa: S311


def _without(fields: Fields, name: str) -> Fields:
    return {key: value for key, value in fields.items() if key != name}

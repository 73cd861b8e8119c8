"""What a drawing gave: names for its files, and the account a person or a workflow reads."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock

from webui.http.account import Account, chosen_sampler
from webui.pictures.infotext import parse_infotext
from webui.pictures.infotext_fields import fields_of
from webui.pictures.picture import Picture
from webui.values import Fields, Json

_LONGEST_TEXT = 20_000
_BASE64 = re.compile(r"[A-Za-z0-9+/]{200,}={0,2}")


class _Moments:
    """Milliseconds, none of which is given out twice."""

    def __init__(self) -> None:
        self._last = datetime.min.replace(tzinfo=UTC)
        self._lock = Lock()

    def next(self) -> datetime:
        """Now, or a moment later."""
        with self._lock:
            now = datetime.now(UTC)
            self._last = max(now, self._last + timedelta(milliseconds=1))
            return self._last


_MOMENTS = _Moments()


@dataclass(frozen=True)
class Image:
    """A picture that came, under the name that its file is to have."""

    filename: str
    picture: Picture


@dataclass(frozen=True)
class Drawn:
    """One picture's account.

    seed, subseed: None where nobody tells. grid: an overview of the others. extra: what an
    extension adds behind the drawn ones, such as ControlNet's map.
    """

    filename: str
    seed: int | None
    subseed: int | None
    width: int | None
    height: int | None
    infotext: str | None
    grid: bool
    extra: bool


@dataclass
class Summary:
    """All there is to say of a drawing but the pictures themselves.

    request: as it was sent. account: the server's own. elapsed: seconds.
    """

    images: list[Drawn]
    model: str
    sampler: str
    request: Fields
    account: Account
    elapsed: float
    warnings: list[str] = field(default_factory=list)

    @property
    def drawn(self) -> list[Drawn]:
        """The pictures that were asked for."""
        return [image for image in self.images if not image.grid and not image.extra]

    @property
    def seeds(self) -> list[int]:
        return [image.seed for image in self.drawn if image.seed is not None]

    def json(self) -> Fields | None:
        return {
            "images": [asdict(image) for image in self.images],
            "model": self.model,
            "sampler": self.sampler,
            "request": _shortened(self.request),
            "info": _shortened(self.account.raw),
            "warnings": self.warnings,
            "elapsed_seconds": self.elapsed,
        }

    def text(self) -> str:
        """Return how many, size, model, time, seeds and warnings, a line each."""
        sizes = dict.fromkeys(
            f"{image.width}x{image.height}" for image in self.images if image.width
        )
        count = count_images(len(self.images)) if self.images else ""
        told = [count, ", ".join(sizes), self.model, f"{self.elapsed} s"]
        lines = [", ".join(part for part in told if part) + "."]
        if not self.images:
            kept = "; the server has saved them" if self.request.get("save_images") else ""
            lines.insert(0, f"No image came back, as send_images is off{kept}.")
        seeds = [str(seed) for seed in self.seeds]
        if seeds:
            lines.append(f"Seed{'s' if len(seeds) > 1 else ''}: {', '.join(seeds)}.")
        return "\n".join([*lines, *warning_lines(self.warnings)])

    def variables(self) -> Fields:
        # An overview may come without the pictures in it.
        seeds = self.seeds or [seed for seed in self.account.seeds if seed is not None]
        texts = (image.infotext for image in [*self.drawn, *self.images] if image.infotext)
        return {
            "seed": next(iter(seeds), -1),
            "seeds": self.seeds,
            "infotext": next(texts, ""),
            "model": self.model,
            "warnings": self.warnings,
            "elapsed_seconds": self.elapsed,
        }


class Collector:
    """Takes note of pictures while they pass through; their bytes are not kept.

    Files are named after the tool, the moment, the seed as far as the picture tells it, and the
    place: no two calls of a process give the same name.
    """

    def __init__(self, tool: str) -> None:
        self._stem = f"{tool}-{_MOMENTS.next():%Y%m%d-%H%M%S-%f}"[:-3]
        self._seen: list[Drawn] = []

    def add(self, picture: Picture) -> Image:
        """Take note of the next picture and name its file."""
        seed = _written_seed(picture.infotext)
        named = "" if seed is None else f"-seed{seed}"
        filename = f"{self._stem}{named}-{len(self._seen) + 1}.{picture.extension}"
        width, height, infotext = picture.width, picture.height, picture.infotext
        self._seen.append(Drawn(filename, None, None, width, height, infotext, False, False))
        return Image(filename, picture)

    def summary(self, request: Fields, account: Account, elapsed: float) -> Summary:
        """Sum up, after so many seconds.

        Without an account, seeds and model are read from the infotexts inside.
        """
        tell = any(image.infotext for image in self._seen)
        images = [
            _accounted(image, place, account, others_tell=tell)
            for place, image in enumerate(self._seen)
        ]
        written = next((image.infotext for image in images if image.infotext), "")
        parameters = parse_infotext(written).parameters
        return Summary(
            images,
            account.model or parameters.get("Model", ""),
            account.sampler or chosen_sampler(parameters.get("Sampler", "")),
            dict(request),
            account,
            round(elapsed, 1),
        )


def count_images(count: int) -> str:
    """ "1 image", "2 images"."""
    return f"{count} {'image' if count == 1 else 'images'}"


def warning_lines(warnings: list[str]) -> list[str]:
    """As they stand in a report's text."""
    return [f"Warning: {warning}" for warning in warnings]


def _accounted(image: Drawn, place: int, account: Account, *, others_tell: bool) -> Drawn:
    """Add what the server says of the picture at this place, grids before the drawn ones.

    A picture's own word counts more: a script's account may be of its last round alone, and its
    grid be counted among the drawn ones. Only a grid or an extra is silent where others tell.
    """
    drawn = place - account.first
    infotext = image.infotext or _at(account.infotexts, place)
    own = _written_seed(image.infotext)
    extra = own is None and 0 < len(account.seeds) <= drawn
    grid = drawn < 0 or (others_tell and not image.infotext and not extra)
    seed = subseed = None
    if not grid and not extra:
        listed = _at(account.seeds, drawn)
        seed = next(
            (one for one in (own, listed, _written_seed(infotext)) if one is not None), None
        )
        subseed = _at(account.subseeds, drawn) if listed in (None, seed) else None
    return Drawn(
        image.filename,
        seed,
        subseed,
        image.width,
        image.height,
        infotext,
        grid=grid,
        extra=extra,
    )


def _written_seed(infotext: str | None) -> int | None:
    return fields_of(parse_infotext(infotext or "")).get("seed")


def _at[T](found: Sequence[T], position: int) -> T | None:
    return found[position] if position < len(found) else None


def _shortened(value: Json) -> Json:
    """Shorten long texts in JSON: a picture as base64 would burst a message's limit."""
    if isinstance(value, str) and (len(value) > _LONGEST_TEXT or _BASE64.fullmatch(value)):
        return f"{value[:60]}… ({len(value)} characters)"
    if isinstance(value, Mapping):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    return value

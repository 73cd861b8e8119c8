"""One call of a tool: what is asked, of which server, and what its caller can bear."""

import math
import sys
import time
from dataclasses import dataclass, field

from webui.errors import PictureTooLargeError, StableDiffusionError, TimeUpError
from webui.http.settings import Settings
from webui.values import Fields


@dataclass(frozen=True)
class Limits:
    """What a caller can bear. Whoever sets them may word in a subclass how to raise them.

    answer_by: the time.monotonic() after which it no longer listens. largest_file: bytes of a
    picture that it takes.
    """

    answer_by: float = math.inf
    largest_file: int = sys.maxsize

    def time_is_up(self, timeout: float, *, kept: bool, fate: str) -> StableDiffusionError:
        """Return the error when the caller stops listening before the job is done.

        timeout: seconds that the job was to have. kept: whether the same call made again collects
        it. fate: a sentence on what becomes of it otherwise.
        """
        del timeout
        what_now = "Run this again to collect it." if kept else fate
        return TimeUpError(f"The caller waits no longer, and the picture is not done. {what_now}")

    def picture_is_too_large(self, number: int, size: int) -> StableDiffusionError:
        """Return the error for a picture, counted from 1, of more bytes than the caller takes."""
        return PictureTooLargeError(
            f"Image {number} has {size} bytes, more than the caller takes ({self.largest_file}). "
            "Let the server save JPEG or WebP."
        )


@dataclass(frozen=True)
class Call:
    """asked: values by the names of the tool's form, each of its type, pictures as `Source`.

    untouched: those of them that are only the form's default. caller: who asks, in words that
    mean something to the caller alone. began: the time.monotonic() from which its time counts.
    """

    asked: Fields
    settings: Settings
    limits: Limits = Limits()
    untouched: frozenset[str] = frozenset()
    caller: str = ""
    began: float = field(default_factory=time.monotonic)

    @property
    def timeout(self) -> float:
        """Seconds that the call may take in all."""
        return float(self.asked.get("timeout", self.settings.timeout))

    @property
    def deadline(self) -> float:
        """The time.monotonic() at which they are over."""
        return self.began + self.timeout

"""Limits that Dify sets around a call, as far as the plugin's environment tells them."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass

from webui.call import Limits
from webui.errors import PictureTooLargeError, TimeUpError

EXECUTION_VARIABLE = "PLUGIN_MAX_EXECUTION_TIMEOUT"
FILE_SIZE_VARIABLE = "PLUGIN_MAX_FILE_SIZE"

_EXECUTION_DEFAULT = 600.0
_FILE_SIZE_DEFAULT = 52_428_800
# What it takes to answer before the plugin daemon's own timer, which started a little earlier.
_HEAD_START = 5.0
# Where both are set; a function or pod of its own does not inherit the daemon's environment.
_IN_COMPOSE = "in docker/.env"
_IN_BOTH = "for the plugin daemon and for this plugin's own function or pod"


class DifyTimeLimitError(TimeUpError):
    """Dify ends the call before the picture is done."""


class FileTooLargeError(PictureTooLargeError):
    """A picture is larger than Dify takes from a tool."""


@dataclass(frozen=True)
class DifyLimits(Limits):
    """Dify's limits, with the environment variable that moves each.

    execution: seconds after which the plugin daemon kills a call; 0 if it does not say. set_where:
    where the variables are set.
    """

    execution: float = 0.0
    set_where: str = _IN_COMPOSE

    def time_is_up(self, timeout: float, *, kept: bool, fate: str) -> DifyTimeLimitError:
        wanted = math.ceil(timeout / 60 + 1) * 60
        remedy = f"set {EXECUTION_VARIABLE}={wanted} {self.set_where}"
        what_now = (
            "It is being drawn on and will be kept: run this again, or turn on the node's retry on "
            f"failure, to collect it. To wait in one call, {remedy}."
            if kept
            else f"{fate} To wait longer, {remedy}."
        )
        return DifyTimeLimitError(
            f"Dify's plugin daemon ends every call after {self.execution:.0f} s, and the picture "
            f"is not done. {what_now}"
        )

    def picture_is_too_large(self, number: int, size: int) -> FileTooLargeError:
        return FileTooLargeError(
            f"Image {number} has {size} bytes, more than Dify takes from a tool "
            f"({self.largest_file}). Set {FILE_SIZE_VARIABLE} {self.set_where} to more, or let the "
            "server save JPEG or WebP."
        )


def read_limits(began: float, environment: Mapping[str, str] = os.environ) -> DifyLimits:
    """Return the limits of a call that began at this time.monotonic().

    It answers a little before the plugin daemon's limit. A local plugin inherits the daemon's
    environment, where 600 s hold unless set, as they do around a serverless one. In remote
    debugging the environment is another machine's: only what is set there counts.
    """
    method = environment.get("INSTALL_METHOD")
    execution = _positive(environment.get(EXECUTION_VARIABLE))
    if execution is None and method in {"local", "serverless"}:
        execution = _EXECUTION_DEFAULT
    largest_file = int(_positive(environment.get(FILE_SIZE_VARIABLE)) or _FILE_SIZE_DEFAULT)
    set_where = _IN_BOTH if method == "serverless" else _IN_COMPOSE
    if execution is None:
        return DifyLimits(largest_file=largest_file, set_where=set_where)
    answer_by = began + execution - min(_HEAD_START, execution / 4)
    return DifyLimits(answer_by, largest_file, execution, set_where)


def _positive(text: str | None) -> float | None:
    try:
        found = float(text or "")
    except ValueError:
        return None
    return found if 0 < found < math.inf else None

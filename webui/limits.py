"""Limits that Dify sets around a call, read from the environment a local plugin inherits."""

import os
from collections.abc import Mapping

EXECUTION_VARIABLE = "PLUGIN_MAX_EXECUTION_TIMEOUT"
FILE_SIZE_VARIABLE = "PLUGIN_MAX_FILE_SIZE"

_EXECUTION_DEFAULT = 600.0
_FILE_SIZE_DEFAULT = 52_428_800
# What it takes to answer before the plugin daemon's own timer, which started a little earlier.
_HEAD_START = 5.0


def execution_limit(environment: Mapping[str, str] = os.environ) -> float | None:
    """Seconds after which the plugin daemon kills a call; None if it does not say.

    A local plugin inherits the daemon's environment, where 600 holds unless set. In remote
    debugging the environment is another machine's: only what is set there counts.
    """
    found = _positive(environment.get(EXECUTION_VARIABLE))
    if found is None and environment.get("INSTALL_METHOD") == "local":
        return _EXECUTION_DEFAULT
    return found


def answer_within(environment: Mapping[str, str] = os.environ) -> float | None:
    """Seconds within which a call must answer to be heard, a little less than the limit."""
    limit = execution_limit(environment)
    return None if limit is None else limit - min(_HEAD_START, limit / 4)


def largest_file(environment: Mapping[str, str] = os.environ) -> int:
    """Bytes of the largest file that Dify takes from a tool."""
    return int(_positive(environment.get(FILE_SIZE_VARIABLE)) or _FILE_SIZE_DEFAULT)


def _positive(text: str | None) -> float | None:
    try:
        found = float(text or "")
    except ValueError:
        return None
    return found if found > 0 else None

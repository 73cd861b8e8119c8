"""Which options a server puts back after a job, and which it left as a call of ours had set them.

The A1111 line restores an option after `override_settings` only if its settings file has it. One
that was never saved stays, for every later job of everybody, and is what the server falls back to
from then on. Seen on real AUTOMATIC1111 1.10.1, Forge, reForge, Forge Classic and Forge Neo.
"""

from dataclasses import dataclass, field

from webui.values import Json


@dataclass(frozen=True)
class Leftover:
    """An option that stayed: the value it had, and the one it has now."""

    before: Json
    now: Json


@dataclass
class Ledger:
    """What is known of one server.

    restored: options that it puts back. left: those that it did not. inherited: settings that
    calls were drawn with unasked, as told once.
    """

    restored: set[str] = field(default_factory=set)
    left: dict[str, Leftover] = field(default_factory=dict)
    inherited: set[str] = field(default_factory=set)

"""Options of ours that a server does not put back: noticed after a call, undone in the next."""

from collections.abc import Iterator, Mapping

from webui import said
from webui.pictures.infotext import parse_infotext
from webui.request.request import Request
from webui.run.summary import Summary
from webui.server.ledger import Leftover
from webui.server.server import Server

_CLIP_SKIP, _VAE = "CLIP_stop_at_last_layers", "sd_vae"


class OverrideWatch:
    """Looks at the server's options before and after a job that overrides some.

    It costs one look before and one after, for options that it knows nothing of yet.
    """

    def __init__(self, server: Server, doubtful: Mapping[str, Leftover]) -> None:
        self._server = server
        self._doubtful = doubtful

    @classmethod
    def begin(cls, request: Request, server: Server) -> "OverrideWatch":
        """Note the values before.

        They count only while nobody draws: what a server shows meanwhile is what the running job
        overrides.
        """
        ledger, values = server.ledger, None
        if request.overrides and server.family.leaves_unsaved_options:
            values = server.options()
        doubtful = {
            option: Leftover(values[option], wanted)
            for option, wanted in request.overrides.items()
            if values and option in values and values[option] != wanted
            if option not in ledger.restored and option not in ledger.left
        }
        return cls(server, doubtful if doubtful and server.is_idle() else {})

    def end(self) -> Iterator[str]:
        """Note what stayed, in sentences."""
        values = self._server.options(afresh=True) if self._doubtful else None
        if values is None or not self._server.is_idle():
            return
        for option, leftover in self._doubtful.items():
            if values.get(option) != leftover.now:
                self._server.ledger.restored.add(option)
                continue
            self._server.ledger.left[option] = leftover
            yield (
                f"{option} stays at {leftover.now!r} on the server, for everybody: it never saved "
                f"that setting, so it does not put {leftover.before!r} back. Save the WebUI's "
                "settings once to end this; until then this plugin's calls undo it for themselves."
            )


def undo_leftovers(request: Request, server: Server) -> list[str]:
    """Ask for the old values of what an earlier call left behind, in place; in sentences."""
    left = server.ledger.left
    values = (server.options() or {}) if left else {}
    told = []
    for option, leftover in list(left.items()):
        if option in request.overrides:
            continue
        if values.get(option, leftover.now) not in (leftover.now, leftover.before):
            del left[option]  # Somebody has set it since.
            continue
        request.fields.setdefault("override_settings", {})[option] = leftover.before
        told.append(
            f"{option} was asked for as {leftover.before!r}, since an earlier call left "
            f"{leftover.now!r} on the server. Save the WebUI's settings once to end this."
        )
    return told


def warn_of_inherited(summary: Summary, request: Request, server: Server) -> list[str]:
    """Tell what a picture was drawn with though nobody asked, once for each server and value.

    It is the server's setting or what somebody's call left behind; which, no server tells.
    """
    written = next((one.infotext for one in summary.drawn if one.infotext), "")
    pairs = parse_infotext(str(written)).parameters
    options = {_CLIP_SKIP: said.whole(summary.account.raw.get("clip_skip")), _VAE: pairs.get("VAE")}
    told = []
    for option, value in options.items():
        asked = option in request.overrides or "clip_skip" in request.fields
        found = f"{option} {value!r}"
        if value in (None, 1, "") or asked or found in server.ledger.inherited:
            continue
        server.ledger.inherited.add(found)
        told.append(
            f"The server drew with {option} {value!r}, which this call did not ask for: its own "
            "setting, or left over from somebody's call. This is told once."
        )
    return told if server.family.leaves_unsaved_options else []

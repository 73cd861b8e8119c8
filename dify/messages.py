"""What a call gives, as the messages of a Dify tool."""

from collections.abc import Generator, Iterable

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

from dify.outgoing import Door
from webui.report import Event, Report
from webui.run.progress import Progress
from webui.run.summary import Image

_PROGRESS = "progress"
# Seconds after which a line grows though nothing has changed.
_PATIENCE = 30.0
# The most pieces at the beginning, and the seconds that make room for one more: 45 in 20 minutes.
_ROOM, _ROOM_GROWS = 15, 40.0
_BETWEEN = " · "


def hand_over(tool: Tool, events: Iterable[Event]) -> Generator[ToolInvokeMessage, None, None]:
    """Messages for events, as they come: files, the line of `progress`, and the report."""
    line, door = _Line(), Door(tool.runtime.credentials)
    try:
        for event in events:
            if isinstance(event, Progress):
                piece = line.grow(event)
                if piece:
                    yield tool.create_stream_variable_message(_PROGRESS, door.words(piece))
                continue
            if line.is_open or (line.is_unheard_of and _is_of_work(event)):
                yield tool.create_stream_variable_message(_PROGRESS, line.end())
            if isinstance(event, Image):
                name = door.file_name(event.filename)
                meta = {"mime_type": event.picture.mime_type, "filename": name}
                yield tool.create_blob_message(event.picture.data, meta=meta)
                continue
            told = door.report(event)
            if told.json is not None:
                yield tool.create_json_message(told.json)
            yield tool.create_text_message(told.text)
            for name, value in told.variables.items():
                yield tool.create_variable_message(name, value)
    except Exception:
        if line.is_open:
            # A retry goes on below.
            yield tool.create_stream_variable_message(_PROGRESS, line.end())
        raise


def _is_of_work(event: Image | Report) -> bool:
    """Tell what comes of work, which has a line of progress, from what was only looked up."""
    return isinstance(event, Image) or "elapsed_seconds" in event.variables()


class _Line:
    """One line that grows: "10 % · 30 % · 50 %".

    Whatever Dify is sent of a streamed variable stays in the chat's answer for good. So there is a
    piece for each tenth, each change of the place in the queue, and each half minute without
    either, as long as there is room; numbers, which every reader understands.
    """

    def __init__(self) -> None:
        self.is_open = False
        # Of a variable that nobody has sent, Dify's answer shows the name.
        self.is_unheard_of = True
        self._told = ""
        self._told_at = 0.0
        self._pieces = 0
        self._elapsed = 0.0
        self._passed = 0.0

    def grow(self, progress: Progress) -> str:
        """Return the piece to add, "" if none is due."""
        elapsed = progress.elapsed or 0.0
        # Each of several jobs counts from its own beginning.
        self._passed += max(elapsed - self._elapsed, 0.0)
        self._elapsed = elapsed
        step = _step(progress)
        is_due = step != self._told or self._passed >= self._told_at + _PATIENCE
        if not is_due or self._pieces >= _ROOM + self._passed // _ROOM_GROWS:
            return ""
        self._told, self._told_at = step, self._passed
        self._pieces += 1
        piece = (_BETWEEN if self.is_open else "") + _in_numbers(progress)
        self.is_open, self.is_unheard_of = True, False
        return piece

    def end(self) -> str:
        """Return what ends the line: a break, or nothing if there is none."""
        ending = "\n" if self.is_open else ""
        self.is_open = self.is_unheard_of = False
        return ending


def _step(progress: Progress) -> str:
    """Return what stays the same until a piece is due."""
    tenth = "" if progress.share is None else str(int(progress.share * 10))
    return f"{progress.part} {progress.queue} {tenth}"


def _in_numbers(progress: Progress) -> str:
    """In numbers: the place in the queue, or the share, in brackets if the job may be another's;
    where nobody can tell, the seconds.
    """
    if progress.queue:
        shown = f"⏳ {progress.queue}"
    elif progress.share is not None:
        shown = f"{progress.share * 100:.0f} %"
    else:
        shown = f"{progress.elapsed or 0:.0f} s"
    shown = shown if progress.is_ours else f"({shown})"
    return f"[{progress.part}] {shown}" if progress.part else shown

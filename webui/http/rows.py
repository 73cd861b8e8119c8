"""A list of objects of which a few plain values are wanted, read as it arrives.

AUTOMATIC1111's line lists LoRAs with all the metadata inside their files: hundreds of megabytes for
a large collection, of which a name is needed.
"""

from collections.abc import Container, Iterator

from webui.http.events import TooLong, UnreadableError, read_events
from webui.values import Fields

_DEEPEST = 100
_LONGEST = 4096


def read_rows(chunks: Iterator[bytes], wanted: Container[str]) -> list[Fields]:
    """Return each object's values under the wanted keys, texts of up to 4096 characters and such.

    ValueError for what is no list in JSON, or nested beyond all reason.
    """
    rows: list[Fields] = []
    depth, key, is_list = 0, "", False

    def room() -> int:
        return _LONGEST if depth == 2 and key in wanted else 0

    for event, value in read_events(chunks, room):
        if event.startswith("start_"):
            depth += 1
            if depth > _DEEPEST or (depth == 1 and event != "start_array"):
                raise UnreadableError
            is_list = True
            if depth == 2:
                rows.append({})
        elif event.startswith("end_"):
            depth -= 1
        elif event == "map_key":
            key = value if depth == 2 else key
        elif depth == 2 and key in wanted and not isinstance(value, TooLong):
            rows[-1][key] = value
    if not is_list:
        raise UnreadableError
    return rows

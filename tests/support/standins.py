"""Stand-ins that live as long as the tests run, one of each kind."""

from collections.abc import Collection
from contextlib import ExitStack
from typing import Self

from devtools.standin import StandIn


class StandIns:
    """Started when first wanted; each caller finds its record of pictures and requests empty."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._running: dict[tuple[str, bool, bool, tuple[str, ...]], StandIn] = {}

    def of(
        self,
        family: str,
        *,
        login: bool = False,
        docs: bool = True,
        extensions: Collection[str] = (),
    ) -> StandIn:
        """One with the login ann:secret, without its schema or with extensions, if so wanted."""
        kind = (family, login, docs, tuple(extensions))
        if kind not in self._running:
            api_auth = "ann:secret" if login else None
            # A format without losses, so that pixels can be compared.
            standin = StandIn(
                family=family,
                api_auth=api_auth,
                docs=docs,
                image_format="png",
                extensions=extensions,
            )
            self._running[kind] = self._stack.enter_context(standin)
        standin = self._running[kind]
        standin.received.clear()
        standin.state.drawn.clear()
        standin.state.memory_failures.clear()
        return standin

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

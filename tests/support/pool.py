"""A pool as examples/pool makes one: the real HAProxy, and a stand-in for each card."""

import os
import shutil
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pytest

from devtools.pool import balancer
from devtools.standin import StandIn
from support.drawing import all_sent, until

# As .ci/run has it; elsewhere the program may be missing.
IS_REQUIRED = "REQUIRE_HAPROXY" in os.environ


class Pool:
    """HAProxy before stand-ins of one card each, inside `with`. delay: seconds per picture."""

    def __init__(self, folder: Path, cards: int = 4, delay: float = 0.0) -> None:
        self.cards = [StandIn(delay=delay, image_format="png") for _ in range(cards)]
        self.base_url = ""
        self._socket = folder / "haproxy.sock"
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if shutil.which("haproxy") is None:
            give_up = pytest.fail if IS_REQUIRED else pytest.skip
            give_up("HAProxy is not installed: NOTHING about pools is tested here")
        servers = [self._stack.enter_context(card).base_url for card in self.cards]
        running = balancer(servers, POOL_SOCKET=str(self._socket))
        self.base_url = self._stack.enter_context(running)
        until(self._socket.exists)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def jobs(self) -> list[int]:
        """How many each card was given so far."""
        return [len(all_sent(card)) for card in self.cards]

    @property
    def in_line(self) -> int:
        """How many wait in HAProxy."""
        return int(self._figure("cards", "BACKEND", "qcur"))

    def card_of(self, task_id: str) -> StandIn:
        """The card that draws a task."""
        (card,) = [one for one in self.cards if self._is_drawing(one, task_id)]
        return card

    def is_drawn(self, task_id: str) -> bool:
        """Whether some card draws a task."""
        return any(self._is_drawing(one, task_id) for one in self.cards)

    def is_up(self, place: int) -> bool:
        return self._figure("cards", f"card{place}", "status").startswith("UP")

    def tell(self, command: str) -> str:
        """Give HAProxy a command, and return what it says."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._socket))
            connection.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()

    def _figure(self, proxy: str, server: str, name: str) -> str:
        head, *lines = self.tell("show stat").removeprefix("# ").splitlines()
        names = head.split(",")
        rows = [dict(zip(names, line.split(","), strict=False)) for line in lines]
        return next(r[name] for r in rows if (r.get("pxname"), r.get("svname")) == (proxy, server))

    @staticmethod
    def _is_drawing(card: StandIn, task_id: str) -> bool:
        task: Any = card.state.queue.running
        return task is not None and task.id == task_id

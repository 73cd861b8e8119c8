"""The end of the plugin's process, as far as servers must hear of it.

The plugin daemon sends no signal to a plugin: it kills. But the SIGTERM that stops its container
reaches the whole process group (its tini runs with -g), and the container is gone as soon as the
daemon is, which can be in less than a second.
"""

import os
import signal

import gevent

from webui import lasting

# Seconds. `docker stop` gives 10 in all.
_PATIENCE = 2.0


def stop_work_on_sigterm() -> None:
    """Have servers stop our own running jobs before a SIGTERM ends the process as ever."""
    gevent.signal_handler(signal.SIGTERM, _end)  # type: ignore[no-untyped-call]


def _end() -> None:
    try:
        lasting.interrupt_jobs(_PATIENCE)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
        # The first process of a container is ended by no signal of its own.
        os._exit(128 + signal.SIGTERM)

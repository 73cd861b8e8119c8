from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from responses import RequestsMock

from devtools.host import FileServer, PluginProcess
from devtools.standin import StandIn
from support import sample_plugin
from support.standins import StandIns
from webui import lasting

if TYPE_CHECKING:
    from devtools.workflow import Host

ENVIRONMENT = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PLUGIN_MAX_EXECUTION_TIMEOUT",
    "PLUGIN_MAX_FILE_SIZE",
)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the code reads of the environment is what a test sets, on every machine."""
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _nothing_lasts() -> None:
    """No test knows a server from the one before, though they may share a port."""
    lasting.forget()


@pytest.fixture
def http() -> Iterator[RequestsMock]:
    """Stubs for requests; one that stays unused fails the test."""
    with RequestsMock() as stubs:
        yield stubs


@pytest.fixture(scope="session")
def standins() -> Iterator[StandIns]:
    """Stand-ins of every family, for tests that leave them as they found them."""
    with StandIns() as running:
        yield running


@pytest.fixture(scope="session")
def plugin() -> Iterator[PluginProcess]:
    """The plugin's own process, for every test that does not need one to itself."""
    with PluginProcess() as process:
        yield process


@pytest.fixture
def standin() -> Iterator[StandIn]:
    """An AUTOMATIC1111 to draw with."""
    with StandIn() as running:
        yield running


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """The directory of a small plugin that breaks no rule."""
    return sample_plugin.write(tmp_path / "sample", sample_plugin.SAMPLE)


@pytest.fixture
def dify(plugin: PluginProcess, standin: StandIn, tmp_path: Path) -> Iterator["Host"]:
    """What runs a workflow: the plugin's process, with the stand-in to draw with."""
    # Its engine takes a second or two to import, which other tests need not wait for.
    from devtools.workflow import FileStore, Host

    with FileServer() as server:
        store = FileStore(tmp_path, server)
        yield Host(plugin, {"base_url": standin.base_url}, store)

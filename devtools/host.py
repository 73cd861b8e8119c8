"""Plays Dify's plugin daemon, so that the plugin runs and can be called without a Dify.

`PluginProcess` starts the plugin and speaks its stdin and stdout; `DebugServer` waits for one
to attach by TCP. On its own, this module is such a server and prints what attaches:

    uv run python -m devtools.host --port 5003
"""

import argparse
from collections.abc import Sequence

from devtools.debugging import DebugServer
from devtools.messages import Message, PluginError, PluginGoneError, ProtocolError
from devtools.process import ROOT, PluginProcess, plugin_environment

__all__ = [
    "ROOT",
    "DebugServer",
    "Message",
    "PluginError",
    "PluginGoneError",
    "PluginProcess",
    "ProtocolError",
    "plugin_environment",
]


def main(argv: Sequence[str] | None = None) -> int:
    """Serves until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m devtools.host",
        description="Waits for plugins in remote debugging and prints what attaches.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=5003, help="port to listen on")
    parser.add_argument("--key", default="debugging-key", help="key that a plugin must show")
    options = parser.parse_args(argv)
    with DebugServer(host=options.host, port=options.port, key=options.key) as server:
        host, port = server.address
        print(f"Listening on {host}:{port}. Attach the plugin with", flush=True)
        print(
            f"  INSTALL_METHOD=remote REMOTE_INSTALL_URL={host}:{port} "
            f"REMOTE_INSTALL_KEY={options.key} uv run python -m main",
            flush=True,
        )
        try:
            while True:
                server.wait_for_plugin(None)
                print(_described(server), flush=True)
                server.wait_for_detachment(None)
                print("Detached.", flush=True)
        except KeyboardInterrupt:
            return 0


def _described(server: DebugServer) -> str:
    manifest = server.manifest
    lines = [f"Attached: {manifest['author']}/{manifest['name']} {manifest['version']}"]
    for provider in server.tools:
        lines.append(f"  provider {provider['identity']['name']}")
        lines.extend(
            f"    {tool['identity']['name']}: {len(tool['parameters'])} parameters"
            for tool in provider["tools"]
        )
    lines.extend(f"  asset {name}: {len(data)} bytes" for name, data in server.assets.items())
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())

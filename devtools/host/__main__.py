"""Wait for plugins in remote debugging and print what attaches, until Ctrl-C."""

import argparse
import contextlib

from devtools.host import DebugServer, ProtocolError

parser = argparse.ArgumentParser(prog="python -m devtools.host", description=__doc__)
parser.add_argument("--port", type=int, default=5003, help="port to listen on (5003)")
parser.add_argument("--key", default="debugging-key", help="key that a plugin must show")
options = parser.parse_args()
with contextlib.suppress(KeyboardInterrupt), DebugServer(options.port, options.key) as server:
    attach = f"REMOTE_INSTALL_URL={server.address} REMOTE_INSTALL_KEY={options.key}"
    print(f"Listening on {server.address}. Attach the plugin with", flush=True)
    print(f"  INSTALL_METHOD=remote {attach} uv run python -m main", flush=True)
    while True:
        try:
            server.wait_for_plugin()
            print("Attached: {author}/{name} {version}".format_map(server.manifest), flush=True)
            server.wait_for_detachment()
            print("Detached.", flush=True)
        except ProtocolError as refusal:
            print(f"Refused: {refusal}", flush=True)

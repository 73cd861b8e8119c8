"""Wait for plugins in remote debugging and print what attaches, until Ctrl-C.

uv run python -m devtools.host --port 5003
"""

import argparse
import contextlib

from devtools.host import DebugServer, ProtocolError

parser = argparse.ArgumentParser(prog="python -m devtools.host", description=__doc__.split("\n")[0])
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
        except ProtocolError as refusal:
            print(f"Refused: {refusal}", flush=True)
            continue
        author, name, version = map(server.manifest.get, ("author", "name", "version"))
        print(f"Attached: {author}/{name} {version}", flush=True)
        server.wait_for_detachment()
        print("Detached.", flush=True)

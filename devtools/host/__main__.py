"""Wait for plugins in remote debugging and print what attaches, until Ctrl-C."""

import argparse
import contextlib

from devtools.host import DebugServer, ProtocolError
from devtools.ports import cannot_open

parser = argparse.ArgumentParser(prog="python -m devtools.host", description=__doc__)
parser.add_argument("--port", type=int, default=5003, help="port to listen on (5003)")
parser.add_argument("--key", default="debugging-key", help="key that a plugin must show")
options = parser.parse_args()
with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
    try:
        server = stack.enter_context(DebugServer(options.port, options.key))
    except (OSError, OverflowError) as error:
        parser.exit(1, cannot_open(options.port, error))
    attach = f"REMOTE_INSTALL_URL={server.address} REMOTE_INSTALL_KEY={options.key}"
    print(f"Listening on {server.address}. Attach the plugin with", flush=True)
    print(f"  INSTALL_METHOD=remote {attach} uv run python -m main", flush=True)
    while True:
        try:
            # Windows lets Ctrl-C through only between two waits.
            server.wait_for_plugin(1)
            print("Attached: {author}/{name} {version}".format_map(server.manifest), flush=True)
            while not server.wait_for_detachment(1):
                pass
            print("Detached.", flush=True)
        except TimeoutError:
            pass
        except ProtocolError as refusal:
            print(f"Refused: {refusal}", flush=True)

"""A plugin made for tests: its one tool does what its parameters say, in their order."""

import textwrap
from pathlib import Path

FILES = {
    "main.py": """
        from dify_plugin import DifyPluginEnv, Plugin

        Plugin(DifyPluginEnv()).run()
        """,
    "manifest.yaml": """
        version: 1.2.3
        type: plugin
        author: tester
        name: probe
        label: {en_US: Probe}
        description: {en_US: Does as it is told}
        icon: icon.svg
        resource: {memory: 1048576}
        plugins: {tools: [provider/stable_diffusion.yaml]}
        meta:
          version: 0.0.1
          arch: [amd64, arm64]
          runner: {language: python, version: "3.12", entrypoint: main}
        created_at: 2026-01-01T00:00:00Z
        """,
    "_assets/icon.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "provider/stable_diffusion.yaml": """
        identity:
          author: tester
          name: stable_diffusion
          label: {en_US: Probe}
          description: {en_US: Does as it is told}
          icon: icon.svg
        tools: [tools/obey.yaml]
        extra: {python: {source: provider/stable_diffusion.py}}
        """,
    "provider/stable_diffusion.py": """
        from dify_plugin import ToolProvider
        from dify_plugin.errors.tool import ToolProviderCredentialValidationError


        class Probe(ToolProvider):
            def _validate_credentials(self, credentials):
                if credentials != {"word": "sesame"}:
                    raise ToolProviderCredentialValidationError("wrong word")
        """,
    "tools/obey.yaml": """
        identity: {author: tester, name: obey, label: {en_US: Obey}}
        description: {human: {en_US: Obeys}, llm: Obeys}
        parameters: []
        extra: {python: {source: tools/obey.py}}
        """,
    "tools/obey.py": """
        import logging
        import os
        import sys
        import time

        from dify_plugin import Tool
        from dify_plugin.config.logger_format import plugin_logger_handler

        logger = logging.getLogger(__name__)
        logger.setLevel(logging.INFO)
        logger.addHandler(plugin_logger_handler)


        class Obey(Tool):
            def _invoke(self, tool_parameters):
                for order, value in tool_parameters.items():
                    yield from getattr(self, order)(value)

            def text(self, value):
                yield self.create_text_message(value)

            def json(self, value):
                yield self.create_json_message(value)

            def credentials(self, value):
                yield self.create_json_message(self.runtime.credentials)

            def environment(self, names):
                yield self.create_json_message({name: os.environ.get(name) for name in names})

            def blob(self, size):
                content = bytes(i % 251 for i in range(size))
                yield self.create_blob_message(content, {"filename": "a.bin"})

            def sleep(self, seconds):
                time.sleep(seconds)
                yield from ()

            def log(self, value):
                logger.info(value)
                yield from ()

            def write(self, value):
                sys.stdout.write(value)
                sys.stdout.flush()
                yield from ()

            def fail(self, value):
                yield from ()
                raise LookupError(value)

            def die(self, value):
                yield from ()
                sys.stderr.write(value)
                sys.stderr.flush()
                os._exit(7)
        """,
}


def build(root: Path) -> None:
    """Write the plugin into `root`."""
    for name, text in FILES.items():
        file = root / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip())

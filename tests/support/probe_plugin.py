"""A plugin made for tests: its one tool does what its parameters say, in their order."""

import textwrap
from pathlib import Path

FILES = {
    "main.py": "import dify_plugin as sdk\nsdk.Plugin(sdk.DifyPluginEnv()).run()",
    "manifest.yaml": """
        {version: 1.2.3, type: plugin, author: tester, name: probe, label: {en_US: Probe},
        description: {en_US: Does as it is told}, icon: icon.svg, resource: {memory: 1048576},
        plugins: {tools: [provider.yaml]}, created_at: 2026-01-01T00:00:00Z,
        meta: {version: 0.0.1, arch: [amd64, arm64],
        runner: {language: python, version: "3.12", entrypoint: main}}}
        """,
    "_assets/icon.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "provider.yaml": """
        identity: {author: tester, name: stable_diffusion, label: {en_US: Probe},
          description: {en_US: Does as it is told}, icon: icon.svg}
        tools: [obey.yaml]
        extra: {python: {source: provider.py}}
        """,
    "provider.py": """
        from dify_plugin import ToolProvider

        class Probe(ToolProvider):
            def _validate_credentials(self, credentials):
                pass
        """,
    "obey.yaml": """
        identity: {author: tester, name: obey, label: {en_US: Obey}}
        description: {human: {en_US: Obeys}, llm: Obeys}
        extra: {python: {source: obey.py}}
        """,
    "obey.py": """
        import os, sys, time
        from dify_plugin import Tool

        class Obey(Tool):
            def _invoke(self, tool_parameters):
                for order, value in tool_parameters.items():
                    match order:
                        case "text":
                            yield self.create_text_message(value)
                        case "environment":
                            yield self.create_json_message({n: os.environ.get(n) for n in value})
                        case "blob":
                            yield self.create_blob_message(b"x" * value, {"filename": "a.bin"})
                        case "sleep":
                            time.sleep(value)
                        case "print":
                            print(value, flush=True)
                        case "fail":
                            raise LookupError(value)
                        case "die":
                            print(value, file=sys.stderr, flush=True)
                            os._exit(7)
        """,
}


def build(root: Path) -> None:
    """Write the plugin into `root`."""
    (root / "_assets").mkdir()
    for name, text in FILES.items():
        (root / name).write_text(textwrap.dedent(text))

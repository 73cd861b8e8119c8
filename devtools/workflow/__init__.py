"""Run workflows in graphon, the engine that Dify itself runs, with the plugin's real process.

What Dify adds to its engine and graphon leaves out is here: `run` reads a DSL file and makes the
nodes, `tools` stands for Dify's calls of plugins and its file storage, `models` for its language
models and the Agent node's strategy.
"""

from devtools.workflow.run import Run as Run
from devtools.workflow.run import Workflow as Workflow
from devtools.workflow.run import WorkflowError as WorkflowError
from devtools.workflow.tools import FileStore as FileStore
from devtools.workflow.tools import Host as Host

"""Run workflows in graphon, the engine that Dify itself runs, with the plugin's real process.

`Workflow` reads a DSL file and runs it on a `Host`: the plugin, a place for files, and a language
model. What Dify adds around its engine and graphon leaves out is here: `nodes` makes the nodes,
`tools` casts what a Tool node sends and words what fails, `agent` plays the Agent node's strategy,
`files` and `models` stand for Dify's storage and model providers.
"""

from devtools.workflow.files import FileStore as FileStore
from devtools.workflow.nodes import Host as Host
from devtools.workflow.run import Run as Run
from devtools.workflow.run import Workflow as Workflow
from devtools.workflow.run import WorkflowError as WorkflowError

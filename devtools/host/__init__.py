"""Play Dify's plugin daemon, so that the plugin runs and can be called without a Dify.

`PluginProcess` starts the plugin and speaks its stdin and stdout; `DebugServer` waits for one
to attach by TCP; `FileServer` hands it files by link.
"""

from devtools.host.files import FileServer
from devtools.host.messages import Message, PluginError, PluginGoneError, ProtocolError
from devtools.host.process import ROOT, PluginProcess, plugin_environment
from devtools.host.remote import DebugServer

__all__ = [
    "ROOT",
    "DebugServer",
    "FileServer",
    "Message",
    "PluginError",
    "PluginGoneError",
    "PluginProcess",
    "ProtocolError",
    "plugin_environment",
]

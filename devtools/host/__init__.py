"""Play Dify's plugin daemon, so that the plugin runs and can be called without a Dify.

`PluginProcess` starts the plugin and speaks its stdin and stdout; `DebugServer` waits for one
to attach by TCP; `FileServer` hands it files by link.
"""

from devtools.host.files import FileServer as FileServer
from devtools.host.messages import Message as Message
from devtools.host.messages import PluginError as PluginError
from devtools.host.messages import PluginGoneError as PluginGoneError
from devtools.host.messages import ProtocolError as ProtocolError
from devtools.host.process import ROOT as ROOT
from devtools.host.process import PluginProcess as PluginProcess
from devtools.host.process import plugin_environment as plugin_environment
from devtools.host.remote import DebugServer as DebugServer

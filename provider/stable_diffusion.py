from typing import Any

from dify_plugin import ToolProvider
from dify_plugin.errors.tool import ToolProviderCredentialValidationError

from webui import credentials
from webui.client import WebUIClient
from webui.errors import StableDiffusionError
from webui.server import Server


class StableDiffusionProvider(ToolProvider):
    """Checks address, login and model with one or two cheap requests; never draws."""

    def _validate_credentials(self, credentials_given: dict[str, Any]) -> None:
        try:
            settings = credentials.read(credentials_given)
            with WebUIClient(settings) as client:
                client.options()
                if settings.model:
                    Server(client).checkpoint(settings.model, "model")
        except StableDiffusionError as error:
            raise ToolProviderCredentialValidationError(str(error)) from error

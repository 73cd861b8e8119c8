from typing import Any

from dify_plugin import ToolProvider
from dify_plugin.errors.model import CredentialsValidateFailedError

from dify.credentials import read_credentials
from dify.errors import Telling
from webui.survey import check_server


class StableDiffusionProvider(ToolProvider):
    """Checks address, login and model with one or two cheap requests; never draws."""

    def _validate_credentials(self, credentials: dict[str, Any]) -> None:
        # Dify shows the message of this one alone, of others a traceback.
        with Telling(credentials, always=CredentialsValidateFailedError):
            check_server(read_credentials(credentials))

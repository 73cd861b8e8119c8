from typing import Any

from dify_plugin import ToolProvider
from dify_plugin.errors.tool import ToolProviderCredentialValidationError

from webui import credentials, models, names
from webui.client import WebUIClient
from webui.errors import InvalidCredentialsError, StableDiffusionError


class StableDiffusionProvider(ToolProvider):
    """Checks address, login and model with one or two cheap requests; never draws."""

    def _validate_credentials(self, credentials_given: dict[str, Any]) -> None:
        try:
            settings = credentials.read(credentials_given)
            with WebUIClient(settings) as client:
                client.options()
                if settings.model:
                    _require_model(settings.model, client.sd_models())
        except StableDiffusionError as error:
            raise ToolProviderCredentialValidationError(str(error)) from error


def _require_model(wanted: str, offered: list[dict[str, Any]]) -> None:
    if models.find(wanted, offered) is None:
        raise InvalidCredentialsError(
            f"model: the server has no model {wanted!r}. "
            + names.suggestion(wanted, models.titles(offered))
        )

"""What the connected server offers, and names matched against it."""

from webui import models, names
from webui.client import WebUIClient
from webui.errors import InvalidParameterError


class Server:
    """One server's lists, asked for when a call needs them."""

    def __init__(self, client: WebUIClient) -> None:
        self._client = client

    def checkpoint(self, wanted: str, parameter: str) -> str:
        """The spelling of a checkpoint to send.

        InvalidParameterError with the closest names if the server does not have it: a server
        would draw with whatever model is loaded and say nothing.
        """
        offered = self._client.sd_models()
        found = models.find(wanted, offered)
        if found is None:
            raise InvalidParameterError(
                f"{parameter}: the server has no model {wanted!r}. "
                + names.suggestion(wanted, models.titles(offered))
            )
        return found

    def loads_modules(self) -> bool:
        """Whether VAE and text encoders are loaded as modules (Forge, Neo), not by sd_vae."""
        return self._client.has_modules()

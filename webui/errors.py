"""Everything that can go wrong, split by what the user can do about it.

The texts are shown to the user; by the classes the caller tells kinds apart.

    StableDiffusionError
    ├── InvalidCredentialsError       the plugin's settings: address, timeout, default model
    ├── InvalidParameterError         a field of the node: its value must change
    ├── TimeUpError                   the caller's patience; `call.Limits` words it
    ├── PictureTooLargeError          what the caller takes, likewise
    ├── NotKeptError                  the disk of the machine that this runs on
    └── WebUIError                    the exchange with the server
        ├── WebUIConnectionError      nothing usable answers at that address
        │   ├── WebUICertificateError it answers, but its TLS certificate is not trusted
        │   └── WebUITimeoutError     it did not answer in time
        │       └── WebUILateError    a look-up that a call can do without, likewise
        ├── WebUIAuthenticationError  it wants another login (401, 403)
        ├── WebUINotFoundError        it does not offer the API there (404, redirects)
        ├── WebUIRequestError         it understood and refused (other 4xx)
        ├── WebUIBusyError            it takes no more for now (429, 503 with a time to come again)
        ├── WebUIServerError          it failed at the work (5xx)
        │   └── WebUIOutOfMemoryError the picture does not fit its memory
        └── WebUIResponseError        it answered 2xx with something else than the API promises
            └── WrongModelError       it drew, but with another checkpoint than asked for
"""


class StableDiffusionError(Exception):
    """Root of all errors this plugin raises on purpose; its text is safe to show."""


class InvalidCredentialsError(StableDiffusionError, ValueError):
    """A setting of the provider cannot be used as it is."""


class InvalidParameterError(StableDiffusionError, ValueError):
    """A tool's parameter has a value that cannot be understood or is not allowed."""


class TimeUpError(StableDiffusionError):
    """The caller stops listening before the picture is done."""


class PictureTooLargeError(StableDiffusionError):
    """A picture has more bytes than the caller takes."""


class NotKeptError(StableDiffusionError):
    """Pictures whose caller had to leave found no room to wait for the next."""


class WebUIError(StableDiffusionError):
    """The exchange with the server did not give what was asked for."""


class WebUIConnectionError(WebUIError):
    """No connection: unknown host, refused, broken off, or not speaking HTTP.

    caller_setting: what must change where the caller runs, so that the caller says how: "hosts"
    (its network does not know host.docker.internal), "no_proxy", or "" if nothing.
    """

    def __init__(self, text: str, *, caller_setting: str = "") -> None:
        super().__init__(text)
        self.caller_setting = caller_setting


class WebUICertificateError(WebUIConnectionError):
    """TLS works, but the certificate is not trusted on this machine."""


class WebUITimeoutError(WebUIConnectionError):
    """Connecting or answering took longer than allowed."""


class WebUILateError(WebUITimeoutError):
    """A connected server did not give in time what a call can do without."""


class WebUIAuthenticationError(WebUIError):
    """The server or a proxy before it answered 401 or 403; the text says whether a login helps."""


class WebUINotFoundError(WebUIError):
    """The address answers, but not with the API: 404 or a redirect."""


class WebUIRequestError(WebUIError):
    """The server refused this request: a 4xx that is neither login nor address."""


class WebUIBusyError(WebUIError):
    """The server takes no more for now; nothing was drawn.

    retry_after: the seconds that it asks to wait, None if it does not say.
    """

    def __init__(self, text: str, *, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class WebUIServerError(WebUIError):
    """The server failed while working, or a proxy got no answer from it: 5xx."""


class WebUIOutOfMemoryError(WebUIServerError):
    """The server's graphics memory did not suffice."""


class WebUIResponseError(WebUIError):
    """A successful status with a body that is not what the API promises."""


class WrongModelError(WebUIResponseError):
    """The pictures come from another checkpoint than the one asked for."""

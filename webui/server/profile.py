"""Who the connected server is: its family, and what it reads and offers, by its own schema."""

from dataclasses import dataclass

from webui import said
from webui.http.client import WebUIClient
from webui.http.endpoints import Endpoint
from webui.server import families
from webui.server.families import Family, Schema
from webui.values import Json

_SCHEMA_LIFETIME = 600.0
# Who could not be recognised may be by the next call.
_UNKNOWN_LIFETIME = 60.0


@dataclass(frozen=True)
class Profile:
    """Who the server is, as far as one job goes.

    job: "txt2img", "img2img" or "extra-single-image". fields: what it reads, None where the server
    has no schema. paths: all its endpoints, None without a schema.
    """

    job: str
    family: Family
    fields: frozenset[str] | None = None
    paths: frozenset[str] | None = None

    def reads(self, field: str) -> bool:
        """Tell whether the job takes notice of a request field; true where nobody knows."""
        if self.fields is None:
            return not self.family.ignores(field)
        return field in self.fields

    def offers(self, endpoint: Endpoint) -> bool:
        """Tell whether the server has it; true where nobody knows."""
        return self.paths is None or endpoint.path in self.paths


def read_profile(client: WebUIClient, endpoint: Endpoint) -> tuple[Profile, float]:
    """Return who answers, by its schema or its answers, and for how many seconds that holds."""
    schema = client.schema()
    paths = said.an_object(schema).get("paths")
    if isinstance(paths, dict) and Endpoint.TXT2IMG.path in paths:
        known = Schema(frozenset(paths), _fields(schema, Endpoint.TXT2IMG) or frozenset())
        family = families.recognise(known)
        profile = Profile(endpoint.job, family, _fields(schema, endpoint), known.paths)
        return profile, _SCHEMA_LIFETIME
    family = families.recognise_by_answer(client.answers)
    lifetime = _SCHEMA_LIFETIME if family.is_known else _UNKNOWN_LIFETIME
    return Profile(endpoint.job, family, family.fields_read(endpoint.job)), lifetime


def _fields(schema: Json, endpoint: Endpoint) -> frozenset[str] | None:
    """Return the properties of an endpoint's request body, found by the reference in its path."""
    try:
        content = schema["paths"][endpoint.path]["post"]["requestBody"]["content"]
        name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        return frozenset(schema["components"]["schemas"][name]["properties"])
    except (KeyError, TypeError, IndexError, AttributeError):
        return None

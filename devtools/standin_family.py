"""The seven families of servers that the stand-in plays, and what tells them apart.

AUTOMATIC1111 1.10.1 and its forks Forge, reForge, Forge Classic and Forge Neo share most of their
code, and so do they here; SD.Next and stable-diffusion.cpp go their own ways.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from devtools import standin_fields, standin_fields_sdnext
from devtools.catalogue import Catalogue
from devtools.catalogue_a1111 import AUTOMATIC1111
from devtools.catalogue_forks import CLASSIC, FORGE, NEO, REFORGE
from devtools.catalogue_sdcpp import SDCPP
from devtools.catalogue_sdnext import SDNEXT
from devtools.standin_schema import Framework, Model, Pydantic1, Pydantic2, types

_OLD = Pydantic1()
_NEW = Pydantic2()
_NEW_WITH_LINKS = Pydantic2(documentation="https://errors.pydantic.dev/2.8/v/")


@dataclass(frozen=True)
class Family:
    """One family.

    `letter` stands for it in the table of routes. `framework` is None where nothing checks
    requests. `crashes` names the key that holds a crash's text.
    """

    name: str
    letter: str
    catalogue: Catalogue
    framework: Framework | None = _OLD
    # Refusals come as {"detail": …} alone, and a refused login asks for one.
    plain_refusals: bool = False
    crashes: str = "errors"
    # VAEs and text encoders are modules, and a second pass must say which.
    modules: bool = False
    # An unknown sampler is refused, not replaced, and its scheduler is part of its name.
    joined_samplers: bool = False
    # Without a switch point the refiner is never used, elsewhere at once.
    refiner_waits: bool = False
    tells_time: bool = True
    compresses_from: int | None = 1000

    def model(self, kind: str) -> Model:
        """The fields of txt2img or img2img."""
        if self.framework is None:
            raise TypeError(f"{self.name} has no model of its requests")
        table = (
            types(standin_fields_sdnext.inherited(kind), standin_fields_sdnext.added(kind))
            if self.name == "sdnext"
            else types(standin_fields.inherited(self.name, kind), standin_fields.added(kind))
        )
        ending = {"txt2img": "Txt2Img", "img2img": "Img2Img"}[kind]
        return self.framework.model(f"StableDiffusionProcessing{ending}", table)


_FAMILIES = (
    Family("a1111", "A", AUTOMATIC1111),
    Family(
        "forge",
        "F",
        FORGE,
        _NEW_WITH_LINKS,
        plain_refusals=True,
        crashes="message",
        modules=True,
        tells_time=False,
    ),
    Family("reforge", "R", REFORGE),
    Family("classic", "C", CLASSIC, joined_samplers=True),
    Family(
        "neo",
        "N",
        NEO,
        _NEW,
        plain_refusals=True,
        crashes="message",
        modules=True,
        refiner_waits=True,
        tells_time=False,
    ),
    Family("sdnext", "S", SDNEXT, _NEW, compresses_from=2048),
    Family(
        "sdcpp",
        "+",
        SDCPP,
        None,
        crashes="message",
        tells_time=False,
        compresses_from=None,
    ),
)
FAMILIES: Mapping[str, Family] = {family.name: family for family in _FAMILIES}

"""What a WebUI can have installed, and the form in which it lists each thing."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

ROOT = PurePosixPath("/stable-diffusion-webui")


@dataclass
class Checkpoint:
    """A model file, called by its path below the folder of models.

    Like a real server, it learns the file's hash only when the model is first loaded, unless
    `hashed` says that this was once done.
    """

    name: str
    hashed: bool = True

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()

    @property
    def shorthash(self) -> str:
        return self.sha256[:10]

    @property
    def title(self) -> str:
        return f"{self.name} [{self.shorthash}]" if self.hashed else self.name

    @property
    def model_name(self) -> str:
        return str(PurePosixPath(self.name).with_suffix("")).replace("/", "_")

    @property
    def name_for_extra(self) -> str:
        return PurePosixPath(self.name).stem

    @property
    def aliases(self) -> list[str]:
        """Every spelling the server takes for this model; case counts."""
        legacy = hashlib.sha256(self.name.encode() * 2).hexdigest()[:8]
        aliases = [self.name, self.model_name, self.name_for_extra, legacy]
        aliases.append(f"{self.name} [{legacy}]")
        if self.hashed:
            aliases += [self.shorthash, self.sha256, self.title]
            aliases.append(f"{self.name_for_extra} [{self.shorthash}]")
        return aliases

    def listing(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "model_name": self.model_name,
            "hash": self.shorthash if self.hashed else None,
            "sha256": self.sha256 if self.hashed else None,
            "filename": str(ROOT / "models" / "Stable-diffusion" / self.name),
            "config": None,
        }


@dataclass(frozen=True)
class Sampler:
    name: str
    aliases: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def listing(self) -> dict[str, Any]:
        options = {key: str(value) for key, value in self.options.items()}
        return {"name": self.name, "aliases": list(self.aliases), "options": options}


@dataclass(frozen=True)
class Scheduler:
    name: str
    label: str
    default_rho: float = -1.0
    need_inner_model: bool = False
    aliases: tuple[str, ...] = ()

    def listing(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "label": self.label,
            "aliases": list(self.aliases) or None,
            "default_rho": self.default_rho,
            "need_inner_model": self.need_inner_model,
        }


@dataclass(frozen=True)
class Upscaler:
    name: str
    scale: float = 4.0
    model_file: str | None = None

    def listing(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "model_name": None,
            "model_path": str(ROOT / "models" / self.model_file) if self.model_file else None,
            "model_url": None,
            "scale": self.scale,
        }


@dataclass(frozen=True)
class Script:
    """A script's title in lower case; `arguments` are (label, value) pairs."""

    name: str
    is_alwayson: bool = False
    arguments: tuple[tuple[str, Any], ...] = ()

    def listing(self, *, is_img2img: bool) -> dict[str, Any]:
        blank = {"minimum": None, "maximum": None, "step": None, "choices": None}
        return {
            "name": self.name,
            "is_alwayson": self.is_alwayson,
            "is_img2img": is_img2img,
            "args": [{"label": label, "value": value, **blank} for label, value in self.arguments],
        }


@dataclass(frozen=True)
class Catalogue:
    """One server's stock. The first checkpoint is the one loaded at the start.

    `modules` are VAEs and text encoders, where the server loads them alike. `unsaved_options`
    are those that its settings file, written by an older version, lacks.
    """

    version: str
    checkpoints: tuple[Checkpoint, ...]
    vaes: tuple[str, ...]
    samplers: tuple[Sampler, ...]
    schedulers: tuple[Scheduler, ...]
    upscalers: tuple[Upscaler, ...]
    latent_upscale_modes: tuple[str, ...]
    face_restorers: tuple[str, ...]
    styles: tuple[dict[str, str], ...]
    embeddings: tuple[str, ...]
    loras: tuple[str, ...]
    scripts: tuple[Script, ...]
    options: Mapping[str, Any]
    unsaved_options: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()

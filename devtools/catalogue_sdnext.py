"""The stock of an SD.Next, whose lists have keys of their own."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from devtools.catalogue import ROOT, Catalogue, Checkpoint, Sampler, Script, Upscaler
from devtools.catalogue_a1111 import AUTOMATIC1111


@dataclass
class SdNextCheckpoint(Checkpoint):
    """Called by its path without the ending, and by fewer other names."""

    @property
    def path(self) -> str:
        return str(PurePosixPath(self.name).with_suffix(""))

    @property
    def filename(self) -> str:
        return str(ROOT / "models" / "Stable-diffusion" / self.name)

    @property
    def title(self) -> str:
        return f"{self.path} [{self.shorthash}]" if self.hashed else self.path

    @property
    def aliases(self) -> list[str]:
        known = [self.path, self.filename, self.title]
        return [*known, self.shorthash] if self.hashed else known

    def listing(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "model_name": self.path,
            "filename": self.filename,
            "type": "safetensors",
            "sha256": self.sha256 if self.hashed else None,
            "hash": self.shorthash if self.hashed else None,
            "config": None,
        }


@dataclass(frozen=True)
class SdNextSampler(Sampler):
    def listing(self) -> dict[str, Any]:
        return {"name": self.name, "options": dict(self.options)}


_SAMPLERS = (
    "UniPC", "DDIM", "Euler", "Euler a", "Euler SGM", "Euler EDM", "Euler FlowMatch", "DPM++",
    "DPM++ 1S", "DPM++ 2M", "DPM++ 3M", "DPM++ SDE", "DPM++ 2M SDE", "DPM++ 3M SDE",
    "DPM++ 2M EDM", "DPM++ Cosine", "DPM SDE", "DEIS", "SA Solver", "DC Solver", "Heun", "TCD",
    "PNDM", "DDPM", "LMSD", "KDPM2", "KDPM2 a", "LCM",
)  # fmt: skip
_LATENT = (
    "Nearest", "Nearest exact", "Area", "Bilinear", "Bicubic", "Bilinear antialias",
    "Bicubic antialias",
)  # fmt: skip

SDNEXT = Catalogue(
    version="058a7f0c",
    checkpoints=tuple(
        SdNextCheckpoint(one.name, hashed=one.hashed) for one in AUTOMATIC1111.checkpoints
    ),
    vaes=AUTOMATIC1111.vaes,
    # "Default", the model's own, is taken but not listed.
    samplers=tuple(SdNextSampler(name) for name in _SAMPLERS),
    schedulers=(),
    upscalers=(
        Upscaler("None", 1.0),
        Upscaler("Resize Nearest", 1.0),
        Upscaler("Resize Lanczos", 1.0),
        *(Upscaler(f"Latent {name}", 1.0) for name in _LATENT),
        Upscaler("ESRGAN 4x Valar", 4.0, "ESRGAN/4x-Valar_v1.pth"),
        Upscaler("RealESRGAN 4x+", 4.0, "RealESRGAN/RealESRGAN_x4plus.pth"),
    ),
    latent_upscale_modes=(),
    face_restorers=("face-yolo8n", "hand-yolo8n"),
    styles=AUTOMATIC1111.styles,
    embeddings=AUTOMATIC1111.embeddings,
    loras=AUTOMATIC1111.loras,
    scripts=(
        Script("prompt matrix"),
        Script("prompts from file"),
        Script("loopback"),
        Script("xyz grid script"),
        Script("xyz grid", is_alwayson=True),
        Script("ip adapters", is_alwayson=True),
    ),
    options={
        "sd_model_checkpoint": None,
        "sd_model_refiner": "None",
        "sd_vae": "Automatic",
        "sd_unet": "Default",
        "sd_text_encoder": "Default",
        "sd_checkpoint_autoload": True,
        "clip_skip": 1,
        "samples_save": True,
        "samples_format": "jpg",
        "grid_save": False,
        "grid_format": "jpg",
        "return_grid": True,
        "keep_incomplete": True,
        "jpeg_quality": 90,
        "sequential_seed": True,
        "schedulers_sigma": "default",
        "show_progress_type": "TAESD",
        "show_progress_every_n_steps": 1,
        "upscaler_for_img2img": "None",
        "initial_noise_multiplier": 1.0,
    },
)

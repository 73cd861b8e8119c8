"""The stock of a stable-diffusion.cpp server: one model, chosen when it is started."""

from dataclasses import dataclass
from typing import Any

from devtools.catalogue import Catalogue, Checkpoint, Sampler, Scheduler, Upscaler
from devtools.catalogue_a1111 import AUTOMATIC1111


@dataclass
class SdCppCheckpoint(Checkpoint):
    """Its hashes are always the same, since the server does not know them."""

    def listing(self) -> dict[str, Any]:
        return {
            "title": self.name_for_extra,
            "model_name": self.name_for_extra,
            "filename": self.name,
            "hash": "8888888888",
            "sha256": "8" * 64,
            "config": None,
        }


@dataclass(frozen=True)
class SdCppScheduler(Scheduler):
    def listing(self) -> dict[str, Any]:
        return {"name": self.name, "label": self.name}


_SAMPLERS = (
    "default", "euler", "euler_a", "heun", "dpm2", "dpm++2s_a", "dpm++2m", "dpm++2mv2", "ipndm",
    "ipndm_v", "lcm", "ddim_trailing", "tcd", "res_multistep", "res_2s", "er_sde",
    "euler_cfg_pp", "euler_a_cfg_pp", "euler_ge", "dpm++2m_sde", "dpm++2m_sde_bt", "lms",
)  # fmt: skip
_SCHEDULERS = (
    "default", "discrete", "normal", "karras", "exponential", "ays", "gits", "sgm_uniform",
    "simple", "smoothstep", "kl_optimal", "lcm", "bong_tangent", "ltx2", "logit_normal", "flux2",
    "flux", "beta",
)  # fmt: skip

SDCPP = Catalogue(
    version="stable-diffusion.cpp",
    checkpoints=(SdCppCheckpoint("v1-5-pruned-emaonly.safetensors"),),
    vaes=(),
    samplers=tuple(Sampler(name, (name,)) for name in _SAMPLERS),
    schedulers=tuple(SdCppScheduler(name, name) for name in _SCHEDULERS),
    upscalers=(
        Upscaler("None"),
        Upscaler("Lanczos"),
        Upscaler("Nearest"),
        Upscaler("RealESRGAN_x4plus", 4.0, "upscalers/RealESRGAN_x4plus.pth"),
    ),
    latent_upscale_modes=(
        "Latent",
        "Latent (nearest)",
        "Latent (nearest-exact)",
        "Latent (antialiased)",
        "Latent (bicubic)",
        "Latent (bicubic antialiased)",
    ),
    face_restorers=(),
    styles=(),
    embeddings=(),
    loras=AUTOMATIC1111.loras,
    scripts=(),
    options={"samples_format": "png", "sd_model_checkpoint": None},
)

# How A1111's names, in lower case, and its aliases are understood beside the server's own.
SAMPLER_ALIASES = {
    "euler a": "euler_a",
    "k_euler_a": "euler_a",
    "k_euler": "euler",
    "k_heun": "heun",
    "k_dpm_2": "dpm2",
    "ddim": "ddim_trailing",
    "dpm++ 2m": "dpm++2m",
    "k_dpmpp_2m": "dpm++2m",
    "dpm++ 2m sde": "dpm++2m_sde",
    "k_dpmpp_2m_sde": "dpm++2m_sde",
    "res multistep": "res_multistep",
    "res 2s": "res_2s",
}

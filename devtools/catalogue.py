"""What a stand-in WebUI has installed: models, samplers, options and the rest, as data.

Each tuple or dictionary has the form in which the server lists it; one `Catalogue` is one
server's stock.
"""

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
    """One server's stock. The first checkpoint is the one loaded at the start."""

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


_KARRAS = {"scheduler": "karras"}
_EXPONENTIAL = {"scheduler": "exponential"}

AUTOMATIC1111 = Catalogue(
    version="v1.10.1",
    checkpoints=(
        Checkpoint("v1-5-pruned-emaonly.safetensors"),
        Checkpoint("dreamshaper_8.safetensors"),
        Checkpoint("sdxl/sd_xl_base_1.0.safetensors"),
        Checkpoint("sdxl/sd_xl_refiner_1.0.safetensors"),
        Checkpoint("meinamix_v12.safetensors", hashed=False),
    ),
    vaes=("vae-ft-mse-840000-ema-pruned.safetensors", "sdxl_vae.safetensors"),
    samplers=(
        Sampler("DPM++ 2M", ("k_dpmpp_2m",), _KARRAS),
        Sampler("DPM++ SDE", ("k_dpmpp_sde",), {**_KARRAS, "second_order": True}),
        Sampler("DPM++ 2M SDE", ("k_dpmpp_2m_sde",), _EXPONENTIAL),
        Sampler("DPM++ 2M SDE Heun", ("k_dpmpp_2m_sde_heun",), _EXPONENTIAL),
        Sampler("DPM++ 2S a", ("k_dpmpp_2s_a",), {**_KARRAS, "uses_ensd": True}),
        Sampler("DPM++ 3M SDE", ("k_dpmpp_3m_sde",), _EXPONENTIAL),
        Sampler("Euler a", ("k_euler_a", "k_euler_ancestral"), {"uses_ensd": True}),
        Sampler("Euler", ("k_euler",)),
        Sampler("LMS", ("k_lms",)),
        Sampler("Heun", ("k_heun",), {"second_order": True}),
        Sampler("DPM2", ("k_dpm_2",), {**_KARRAS, "second_order": True}),
        Sampler("DPM2 a", ("k_dpm_2_a",), {**_KARRAS, "second_order": True}),
        Sampler("DPM fast", ("k_dpm_fast",), {"uses_ensd": True}),
        Sampler("DPM adaptive", ("k_dpm_ad",), {"uses_ensd": True}),
        Sampler("Restart", ("restart",), {**_KARRAS, "second_order": True}),
        Sampler("DDIM", ("ddim",)),
        Sampler("DDIM CFG++", ("ddim_cfgpp",)),
        Sampler("PLMS", ("plms",)),
        Sampler("UniPC", ("unipc",)),
        Sampler("LCM", ("k_lcm",)),
    ),
    schedulers=(
        Scheduler("automatic", "Automatic"),
        Scheduler("uniform", "Uniform", need_inner_model=True),
        Scheduler("karras", "Karras", default_rho=7.0),
        Scheduler("exponential", "Exponential"),
        Scheduler("polyexponential", "Polyexponential", default_rho=1.0),
        Scheduler("sgm_uniform", "SGM Uniform", need_inner_model=True, aliases=("SGMUniform",)),
        Scheduler("kl_optimal", "KL Optimal"),
        Scheduler("align_your_steps", "Align Your Steps"),
        Scheduler("simple", "Simple", need_inner_model=True),
        Scheduler("normal", "Normal", need_inner_model=True),
        Scheduler("ddim", "DDIM", need_inner_model=True),
        Scheduler("beta", "Beta", need_inner_model=True),
    ),
    upscalers=(
        Upscaler("None"),
        Upscaler("Lanczos"),
        Upscaler("Nearest"),
        Upscaler("ESRGAN_4x", 4.0, "ESRGAN/ESRGAN_4x.pth"),
        Upscaler("R-ESRGAN 4x+", 4.0, "RealESRGAN/RealESRGAN_x4plus.pth"),
        Upscaler("R-ESRGAN 4x+ Anime6B", 4.0, "RealESRGAN/RealESRGAN_x4plus_anime_6B.pth"),
        Upscaler("SwinIR_4x", 4.0, "SwinIR/SwinIR_4x.pth"),
    ),
    latent_upscale_modes=(
        "Latent",
        "Latent (antialiased)",
        "Latent (bicubic)",
        "Latent (bicubic antialiased)",
        "Latent (nearest)",
        "Latent (nearest-exact)",
    ),
    face_restorers=("CodeFormer", "GFPGAN"),
    styles=(
        {
            "name": "Watercolour",
            "prompt": "watercolour painting of {prompt}, soft washes",
            "negative_prompt": "photograph",
        },
        {"name": "Sharp", "prompt": "sharp focus, fine detail", "negative_prompt": "blurry"},
    ),
    embeddings=("easynegative",),
    loras=("add_detail", "pixel_art"),
    scripts=(
        Script(
            "prompt matrix",
            arguments=(
                ("Put variable parts at start of prompt", False),
                ("Use different seed for each picture", False),
                ("Select prompt", "positive"),
                ("Select joining char", "comma"),
                ("Grid margins (px)", 0),
            ),
        ),
        Script("prompts from file or textbox"),
        Script("x/y/z plot"),
        Script("refiner", is_alwayson=True, arguments=(("", False), ("Checkpoint", "None"))),
        Script("seed", is_alwayson=True),
        Script("sampler", is_alwayson=True),
        Script("controlnet", is_alwayson=True, arguments=(("ControlNet Unit 0", None),)),
        Script("adetailer", is_alwayson=True, arguments=(("Enable ADetailer", False),)),
    ),
    options={
        "samples_save": True,
        "samples_format": "png",
        "samples_filename_pattern": "",
        "grid_save": True,
        "grid_format": "png",
        "return_grid": True,
        "n_rows": -1,
        "enable_pnginfo": True,
        "save_txt": False,
        "jpeg_quality": 80,
        "webp_lossless": False,
        "outdir_samples": "",
        "outdir_txt2img_samples": "outputs/txt2img-images",
        "outdir_img2img_samples": "outputs/img2img-images",
        "sd_model_checkpoint": None,
        "sd_checkpoints_limit": 1,
        "sd_vae": "Automatic",
        "sd_unet": "Automatic",
        "sdxl_crop_top": 0,
        "sdxl_crop_left": 0,
        "sdxl_refiner_low_aesthetic_score": 2.5,
        "sdxl_refiner_high_aesthetic_score": 6.0,
        "CLIP_stop_at_last_layers": 1,
        "randn_source": "GPU",
        "tiling": False,
        "token_merging_ratio": 0.0,
        "token_merging_ratio_img2img": 0.0,
        "token_merging_ratio_hr": 0.0,
        "face_restoration": False,
        "face_restoration_model": "CodeFormer",
        "code_former_weight": 0.5,
        "eta_ddim": 0.0,
        "eta_ancestral": 1.0,
        "eta_noise_seed_delta": 0,
        "s_min_uncond": 0.0,
        "s_churn": 0.0,
        "s_tmin": 0.0,
        "s_tmax": 0.0,
        "s_noise": 1.0,
        "img2img_color_correction": False,
        "img2img_fix_steps": False,
        "upscaler_for_img2img": None,
        "live_previews_enable": True,
        "show_progress_every_n_steps": 10,
        "api_enable_requests": True,
        "api_forbid_local_requests": True,
        "api_useragent": "",
    },
)

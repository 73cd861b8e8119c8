"""The stock of Forge, Forge Neo, reForge and Forge Classic: AUTOMATIC1111's, more or less."""

from dataclasses import replace

from devtools.catalogue import Checkpoint, Sampler, Scheduler
from devtools.catalogue_a1111 import AUTOMATIC1111

_MODULES = ("ae.safetensors", "clip_l.safetensors", "t5xxl_fp8_e4m3fn.safetensors")
_FORGE_OPTIONS = {
    **AUTOMATIC1111.options,
    "forge_preset": "sd",
    "forge_additional_modules": [],
    "forge_unet_storage_dtype": "Automatic",
    "forge_inference_memory": 1024,
}

FORGE = replace(
    AUTOMATIC1111,
    version="f2.0.1v1.10.1-previous-669-gdfdcbab6",
    checkpoints=(*AUTOMATIC1111.checkpoints, Checkpoint("flux1-dev-bnb-nf4-v2.safetensors")),
    vaes=(),
    modules=_MODULES,
    samplers=(
        *AUTOMATIC1111.samplers,
        Sampler("HeunPP2", ("heunpp2",)),
        Sampler("IPNDM", ("ipndm",)),
        Sampler("IPNDM_V", ("ipndm_v",)),
        Sampler("DEIS", ("deis",)),
        Sampler("DDPM", ("ddpm",)),
    ),
    schedulers=(
        *AUTOMATIC1111.schedulers,
        Scheduler("turbo", "Turbo", need_inner_model=True),
        Scheduler("align_your_steps_GITS", "Align Your Steps GITS"),
        Scheduler("align_your_steps_11", "Align Your Steps 11"),
        Scheduler("align_your_steps_32", "Align Your Steps 32"),
    ),
    options=_FORGE_OPTIONS,
    unsaved_options=(),
)

NEO = replace(
    FORGE,
    version="neo",
    schedulers=(
        *AUTOMATIC1111.schedulers,
        Scheduler("linear_quadratic", "Linear Quadratic"),
        Scheduler("bong_tangent", "Bong Tangent"),
        Scheduler("flow_match", "FlowMatchEulerDiscrete"),
        Scheduler("flux2", "Flux2"),
        Scheduler("turbo", "Turbo", need_inner_model=True),
    ),
    options={**_FORGE_OPTIONS, "CLIP_stop_at_last_layers": 2},
)

REFORGE = replace(
    AUTOMATIC1111,
    version="f1.0.0v2-v1.10.1RC-latest",
    samplers=(*AUTOMATIC1111.samplers, Sampler("Euler a CFG++", ("euler_a_cfgpp",))),
    schedulers=(*AUTOMATIC1111.schedulers, Scheduler("turbo", "Turbo", need_inner_model=True)),
)

_KARRAS = {"scheduler": "karras"}
_EXPONENTIAL = {"scheduler": "exponential"}

# Each sampler brings its scheduler along, so that one name says both.
CLASSIC = replace(
    AUTOMATIC1111,
    version="f0.0.17v1.8.0rc-latest",
    schedulers=(),
    samplers=(
        Sampler("DPM++ 2M Karras", ("k_dpmpp_2m_ka",), _KARRAS),
        Sampler("DPM++ SDE Karras", ("k_dpmpp_sde_ka",), _KARRAS),
        Sampler("DPM++ 2M SDE Exponential", ("k_dpmpp_2m_sde_exp",), _EXPONENTIAL),
        Sampler("DPM++ 2M SDE Karras", ("k_dpmpp_2m_sde_ka",), _KARRAS),
        Sampler("Euler a", ("k_euler_a", "k_euler_ancestral"), {"uses_ensd": True}),
        Sampler("Euler", ("k_euler",)),
        Sampler("LMS", ("k_lms",)),
        Sampler("Heun", ("k_heun",), {"second_order": True}),
        Sampler("DPM2", ("k_dpm_2",), {"second_order": True}),
        Sampler("DPM2 a", ("k_dpm_2_a",), {"second_order": True}),
        Sampler("DPM++ 2S a", ("k_dpmpp_2s_a",), {"uses_ensd": True}),
        Sampler("DPM++ 2M", ("k_dpmpp_2m",)),
        Sampler("DPM++ SDE", ("k_dpmpp_sde",)),
        Sampler("DPM++ 2M SDE", ("k_dpmpp_2m_sde_ka",)),
        Sampler("DPM++ 3M SDE", ("k_dpmpp_3m_sde",)),
        Sampler("DPM++ 3M SDE Karras", ("k_dpmpp_3m_sde_ka",), _KARRAS),
        Sampler("LMS Karras", ("k_lms_ka",), _KARRAS),
        Sampler("DPM2 Karras", ("k_dpm_2_ka",), _KARRAS),
        Sampler("Restart", ("restart",), _KARRAS),
        Sampler("DDIM", ("ddim",)),
        Sampler("UniPC", ("unipc",)),
        Sampler("LCM", ("k_lcm",)),
        Sampler("LCM Karras", ("lcm_karras",)),
        Sampler("Euler SGMUniform", ("euler_sgm_uniform",)),
        Sampler("DPM++ 2M SGMUniform", ("dpmpp_2m_sgm_uniform",)),
    ),
)

"""What a WebUI answers to GET requests: its stock, its settings, its memory."""

from collections.abc import Callable, Mapping
from typing import Any

from devtools.catalogue import ROOT
from devtools.standin_state import State


def options(state: State) -> dict[str, Any]:
    """Whole numbers leave as floats, since the server's sliders know no others."""
    return {
        name: float(value) if type(value) is int else value for name, value in state.options.items()
    }


def vaes(state: State) -> list[dict[str, Any]]:
    folder = ROOT / "models" / "VAE"
    return [{"model_name": name, "filename": str(folder / name)} for name in state.catalogue.vaes]


def embeddings(state: State) -> dict[str, Any]:
    one = {
        "step": None,
        "sd_checkpoint": None,
        "sd_checkpoint_name": None,
        "shape": 768,
        "vectors": 8,
    }
    return {"loaded": dict.fromkeys(state.catalogue.embeddings, one), "skipped": {}}


def loras(state: State) -> list[dict[str, Any]]:
    folder = ROOT / "models" / "Lora"
    return [
        {
            "name": name,
            "alias": name,
            "path": str(folder / f"{name}.safetensors"),
            "metadata": {"ss_output_name": name},
        }
        for name in state.catalogue.loras
    ]


def scripts(state: State) -> dict[str, list[str]]:
    names = [script.name for script in state.catalogue.scripts]
    return {"txt2img": names, "img2img": names}


def script_info(state: State) -> list[dict[str, Any]]:
    return [
        script.listing(is_img2img=is_img2img)
        for is_img2img in (False, True)
        for script in state.catalogue.scripts
    ]


def memory(_state: State) -> dict[str, Any]:
    gigabyte = 2**30
    blank = {"current": 0, "peak": 0}
    return {
        "ram": {"free": 20 * gigabyte, "used": 12 * gigabyte, "total": 32 * gigabyte},
        "cuda": {
            "system": {"free": 5 * gigabyte, "used": 3 * gigabyte, "total": 8 * gigabyte},
            "active": blank,
            "allocated": blank,
            "reserved": blank,
            "inactive": blank,
            "events": {"retries": 0, "oom": 0},
        },
    }


def modules(state: State) -> list[dict[str, Any]]:
    return [
        {"model_name": name, "filename": str(ROOT / "models" / _module_folder(name) / name)}
        for name in state.catalogue.modules
    ]


def _module_folder(name: str) -> str:
    return "VAE" if name.startswith("ae.") else "text_encoder"


LISTS: Mapping[str, Callable[[State], Any]] = {
    "options": options,
    "sd-models": lambda state: [one.listing() for one in state.checkpoints],
    "sd-vae": vaes,
    "sd-modules": modules,
    "samplers": lambda state: [one.listing() for one in state.catalogue.samplers],
    "schedulers": lambda state: [one.listing() for one in state.catalogue.schedulers],
    "upscalers": lambda state: [one.listing() for one in state.catalogue.upscalers],
    "latent-upscale-modes": lambda state: [
        {"name": name} for name in state.catalogue.latent_upscale_modes
    ],
    "face-restorers": lambda state: [
        {"name": name, "cmd_dir": str(ROOT / "models" / name)}
        for name in state.catalogue.face_restorers
    ],
    "hypernetworks": lambda _state: [],
    "realesrgan-models": lambda _state: [
        {"name": "R-ESRGAN 4x+", "path": str(ROOT / "models" / "RealESRGAN"), "scale": 4}
    ],
    "prompt-styles": lambda state: list(state.catalogue.styles),
    "embeddings": embeddings,
    "loras": loras,
    "scripts": scripts,
    "script-info": script_info,
    "memory": memory,
    "extensions": lambda _state: [],
}


def command_line_flags(*, api_auth: str | None, port: int) -> dict[str, Any]:
    """All flags with their values, the login in plain text among them."""
    return {
        "data_dir": str(ROOT),
        "ckpt": str(ROOT / "model.ckpt"),
        "ckpt_dir": None,
        "vae_dir": None,
        "no_half": False,
        "medvram": False,
        "lowvram": False,
        "xformers": False,
        "share": False,
        "listen": False,
        "port": port,
        "subpath": None,
        "gradio_auth": None,
        "gradio_auth_path": None,
        "tls_keyfile": None,
        "tls_certfile": None,
        "server_name": None,
        "api": True,
        "api_auth": api_auth,
        "api_log": False,
        "nowebui": False,
        "cors_allow_origins": None,
        "api_server_stop": False,
    }

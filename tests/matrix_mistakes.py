"""What goes wrong, and how each server's user learns of it."""

from matrix import MODULES, Outcome, Row, everywhere, lacking, refused, warned

_HIRES = {"enable_hr": True, "hr_scale": 2}
_NO_MODULE = ({"vae": "clip_ll.safetensors"}, {"modules": ("clip_l.safetensors",)})
_ONLY_MODEL = "v1-5-pruned-emaonly"
_VAE = "sdxl_vae.safetensors"

MISTAKES = [
    Row(
        "Unknown sampler",
        {"sampler_name": "Euler q"},
        everywhere(refused("Euler a"), sdcpp=refused("euler_a")),
    ),
    Row(
        "Unknown scheduler",
        {"sampler_name": "DPM++ 2M", "scheduler": "Karas"},
        everywhere(
            refused("Karras"), sdnext=lacking("scheduler has no effect"), sdcpp=refused("karras")
        ),
        {"scheduler": "Karras"},
    ),
    Row(
        "Unknown upscaler",
        {**_HIRES, "hr_upscaler": "Latentt"},
        everywhere(refused("Latent,"), sdnext=refused("Latent Nearest")),
    ),
    Row(
        "Unknown model",
        {"model": "dreamshaper_9"},
        everywhere(refused("dreamshaper_8"), sdcpp=refused(_ONLY_MODEL)),
    ),
    Row(
        "Unknown VAE or module",
        {"vae": "sdxl_vaee.safetensors"},
        everywhere(
            refused(_VAE),
            forge=refused("clip_l.safetensors"),
            neo=refused("clip_l.safetensors"),
            sdcpp=lacking("sd-server is started with"),
        ),
        {"vae": _VAE},
        elsewhere=dict.fromkeys(MODULES, _NO_MODULE),
    ),
    Row("Unknown LoRA", {"lora": "pixel_arts"}, everywhere(refused("pixel_art."))),
    Row(
        "Unknown LoRA in the prompt",
        {"prompt": "a cat <lora:pixel_arts:1>"},
        everywhere(warned("Closest of 2: pixel_art."), sdcpp=lacking("Use lora instead")),
        {"loras": ("pixel_arts",)},
    ),
    Row(
        "Unknown style",
        {"styles": "Watercolor"},
        everywhere(refused("Watercolour"), sdcpp=lacking("styles has no effect")),
        {"styles": ("Watercolor",)},
    ),
    Row(
        "Unknown script",
        {"script_name": "Prompt matrxi"},
        everywhere(refused("prompt matrix"), sdcpp=lacking("script_name has no effect")),
        {"script": "prompt matrix"},
    ),
    Row(
        "Unknown extension",
        {"alwayson_scripts": '{"ControlNett": {"args": []}}'},
        everywhere(
            refused("controlnet"),
            sdnext=refused("'ControlNett'"),
            sdcpp=lacking("alwayson_scripts has no effect"),
        ),
        {"script": "controlnet"},
    ),
    Row(
        "Unknown field",
        {"extra_parameters": '{"hr_forced": true}'},
        everywhere(warned("hr_forced has no effect")),
        {"hr_forced": True},
    ),
    Row(
        "Wrong login",
        {},
        everywhere(
            refused("Set username and password"), sdcpp=Outcome("drawn", shown="has no login")
        ),
        login=True,
    ),
    Row("Out of memory", {}, everywhere(refused("smaller")), leftover="nothing"),
]

# Beyond the table: what only one family does.
SINGLE = [
    Row("A preview", {}, {"sdnext": refused("memory")}, leftover="preview"),
    Row("A bare preview", {}, {"sdnext": refused("memory")}, leftover="bare preview"),
    Row(
        "An extension run as a script",
        {"script_name": "IP Adapters"},
        {"sdnext": refused("alwayson_scripts")},
        {"script": "ip adapters"},
    ),
    Row(
        "An option that does not exist",
        {"override_settings": '{"randn_source": "CPU"}'},
        {"sdnext": refused("override_settings: SD.Next has no option named 'randn_source'")},
        {"randn_source": "CPU"},
    ),
    Row(
        "A VAE by the option that is dead",
        {"override_settings": '{"sd_vae": "ae.safetensors"}'},
        {"forge": warned("sd_vae")},
        {"vae": "ae.safetensors"},
    ),
    Row(
        "A scheduler without a schema to ask",
        {"scheduler": "Karras"},
        {"sdnext": lacking("schedulers_sigma")},
        {"scheduler": "Karras"},
        docs=False,
    ),
]

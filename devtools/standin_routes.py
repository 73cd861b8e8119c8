"""Which server offers which endpoint."""

from collections.abc import Iterator

from devtools.standin_family import Family

API = "/sdapi/v1"

# A for AUTOMATIC1111 with the ControlNet extension, F Forge, R reForge, C Forge Classic, N Forge
# Neo, S SD.Next, + stable-diffusion.cpp. Left out: what trains, restarts or is one server's own
# and nobody's interface.
_TABLE = """
    AFRCNS+  POST  /sdapi/v1/txt2img
    AFRCNS+  POST  /sdapi/v1/img2img
    AFRCNS   POST  /sdapi/v1/extra-single-image
    AFRCNS   POST  /sdapi/v1/extra-batch-images
    AFRCNS   POST  /sdapi/v1/png-info
    AFR      POST  /sdapi/v1/interrogate
    AFRCNS   GET   /sdapi/v1/progress
    AFRCNS   POST  /sdapi/v1/interrupt
    AFRCNS   POST  /sdapi/v1/skip
    AFRCNS+  GET   /sdapi/v1/options
    AFRCNS   POST  /sdapi/v1/options
    AFRCNS+  GET   /sdapi/v1/sd-models
    A-RC-S   GET   /sdapi/v1/sd-vae
    -F--N-   GET   /sdapi/v1/sd-modules
    AFRCNS+  GET   /sdapi/v1/samplers
    AFR-NS+  GET   /sdapi/v1/schedulers
    AFRCNS+  GET   /sdapi/v1/upscalers
    AFRCN-+  GET   /sdapi/v1/latent-upscale-modes
    AFRCNS   GET   /sdapi/v1/face-restorers
    AFR---   GET   /sdapi/v1/hypernetworks
    AFR---   GET   /sdapi/v1/realesrgan-models
    AFRCNS   GET   /sdapi/v1/prompt-styles
    AFRCNS   GET   /sdapi/v1/embeddings
    AFRCNS+  GET   /sdapi/v1/loras
    AFRCNS   POST  /sdapi/v1/refresh-loras
    AFRCNS   POST  /sdapi/v1/refresh-checkpoints
    AFRCNS   POST  /sdapi/v1/refresh-vae
    AFRCN-   POST  /sdapi/v1/refresh-embeddings
    AFRCNS   POST  /sdapi/v1/unload-checkpoint
    AFRC-S   POST  /sdapi/v1/reload-checkpoint
    AFRCNS   GET   /sdapi/v1/memory
    AFRCNS   GET   /sdapi/v1/cmd-flags
    AFRCNS   GET   /sdapi/v1/scripts
    AFRCNS   GET   /sdapi/v1/script-info
    AFRCNS   GET   /sdapi/v1/extensions
    -----S   GET   /sdapi/v1/version
    -----S   GET   /sdapi/v1/status
    AFRCN-   GET   /controlnet/model_list
    AFRCN-   GET   /controlnet/module_list
    AFRC--   GET   /controlnet/control_types
    AFRCN-   GET   /internal/ping
    AFRCNS   POST  /internal/progress
    AFRCN-   GET   /internal/pending-tasks
    AFRCN-   GET   /internal/sysinfo
    ------+  GET   /sdcpp/v1/capabilities
    AFRCNS   GET   /openapi.json
    AFRCNS   GET   /docs
    AFRCNS+  GET   /
"""


def routes_of(family: Family) -> Iterator[tuple[str, str]]:
    """(method, path) of everything this family answers."""
    for line in _TABLE.split("\n"):
        if line.strip():
            letters, method, path = line.split()
            if family.letter in letters:
                yield method, path

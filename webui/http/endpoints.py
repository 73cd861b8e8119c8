"""The paths of a server's API: the only place that spells them."""

from enum import StrEnum

_API = "sdapi/v1/"


class Endpoint(StrEnum):
    """A path below the server's address, without the slash before it."""

    TXT2IMG = f"{_API}txt2img"
    IMG2IMG = f"{_API}img2img"
    EXTRA_SINGLE_IMAGE = f"{_API}extra-single-image"
    PNG_INFO = f"{_API}png-info"
    INTERROGATE = f"{_API}interrogate"
    # SD.Next's own ways to put a picture into words, with the models of two of them.
    OPENCLIP = f"{_API}openclip"
    TAGGER = f"{_API}tagger"
    TAGGER_MODELS = f"{_API}tagger/models"
    VQA = f"{_API}vqa"
    VQA_MODELS = f"{_API}vqa/models"
    SDNEXT_REMBG = f"{_API}rembg"
    OPTIONS = f"{_API}options"
    CHECKPOINT = f"{_API}checkpoint"
    OPTIONS_INFO = f"{_API}options-info"
    PROGRESS = f"{_API}progress"
    INTERRUPT = f"{_API}interrupt"
    MEMORY = f"{_API}memory"
    VERSION = f"{_API}version"
    SCRIPTS = f"{_API}scripts"
    EMBEDDINGS = f"{_API}embeddings"
    # Lists of objects.
    SD_MODELS = f"{_API}sd-models"
    SD_VAE = f"{_API}sd-vae"
    SD_MODULES = f"{_API}sd-modules"
    SAMPLERS = f"{_API}samplers"
    SCHEDULERS = f"{_API}schedulers"
    UPSCALERS = f"{_API}upscalers"
    LATENT_UPSCALE_MODES = f"{_API}latent-upscale-modes"
    PROMPT_STYLES = f"{_API}prompt-styles"
    LORAS = f"{_API}loras"
    SCRIPT_INFO = f"{_API}script-info"
    DETAILERS = f"{_API}detailers"
    # ControlNet's, which no schema shows.
    CONTROLNET_MODELS = "controlnet/model_list"
    CONTROLNET_MODULES = "controlnet/module_list"
    CONTROLNET_TYPES = "controlnet/control_types"
    CONTROLNET_DETECT = "controlnet/detect"
    # SD.Next's own.
    CONTROL_MODELS = f"{_API}control-models"
    PREPROCESSORS = f"{_API}preprocessors"
    PREPROCESS = f"{_API}preprocess"
    # Of the extension stable-diffusion-webui-rembg.
    REMBG = "rembg"
    # ADetailer's, an object of one list.
    ADETAILER_MODELS = "adetailer/v1/ad_model"
    # What makes the server look at its folders again.
    REFRESH_CHECKPOINTS = f"{_API}refresh-checkpoints"
    REFRESH_VAE = f"{_API}refresh-vae"
    REFRESH_LORAS = f"{_API}refresh-loras"
    # Outside of the API.
    SCHEMA = "openapi.json"
    TASK_PROGRESS = "internal/progress"
    PENDING_TASKS = "internal/pending-tasks"
    CAPABILITIES = "sdcpp/v1/capabilities"

    @property
    def path(self) -> str:
        """As a schema and an error write it: "/sdapi/v1/txt2img"."""
        return f"/{self.value}"

    @property
    def job(self) -> str:
        """Its last part: "txt2img"."""
        return self.value.rpartition("/")[2]

    @property
    def says(self) -> str:
        """The key of the text that its reply is about, "" where that is pictures."""
        return _TEXTS.get(self, "")


_TEXTS = {
    Endpoint.INTERROGATE: "caption",
    Endpoint.OPENCLIP: "caption",
    Endpoint.TAGGER: "tags",
    Endpoint.VQA: "answer",
}


# What to ask of a server before its list is read again, so that a file copied a moment ago counts.
REFRESHED_BY = {
    Endpoint.SD_MODELS: Endpoint.REFRESH_CHECKPOINTS,
    Endpoint.SD_VAE: Endpoint.REFRESH_VAE,
    Endpoint.SD_MODULES: Endpoint.REFRESH_VAE,
    Endpoint.LORAS: Endpoint.REFRESH_LORAS,
}

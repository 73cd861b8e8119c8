"""The server families that speak `/sdapi/v1`: a record of traits for each.

Code asks what a family does, never who it is. Which fields of the forms a family takes no notice
of, and what does their work there, stands with the field, in the catalogue.

Source: the servers' own code, as of AUTOMATIC1111 1.10.1, Forge f2.0.1v1.10.1, Forge Neo 2.26,
reForge 1.0.0v2, Forge Classic of February 2025, SD.Next and stable-diffusion.cpp of mid 2026.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from webui.fields import FIELDS
from webui.http.endpoints import Endpoint


@dataclass(frozen=True)
class Schema:
    """What `/openapi.json` tells of a server: its paths, and the fields of its txt2img."""

    paths: frozenset[str]
    fields: frozenset[str]

    def has(self, endpoint: Endpoint) -> bool:
        """Tell whether the server offers it."""
        return endpoint.path in self.paths


@dataclass(frozen=True)
class Captioner:
    """One way of a server to put a picture into words.

    fields: what goes along. options: fields that are taken from the server's own settings, as
    what its API takes by default is not what is set there. named: fields that a chosen model's
    name goes into, and `models`, the list that it is looked up in, where that has objects.
    question: the field for one.
    """

    endpoint: Endpoint
    fields: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    models: Endpoint | None = None
    question: str = ""


# AUTOMATIC1111 82a973c0, Forge dfdcbab6 and reForge 3b56b268, modules/api/api.py,
# interrogateapi: these two models, 404 for another; an exception within CLIP's is a 200 whose
# text ends in "<error>" (modules/interrogate.py).
_INTERROGATORS = {
    "clip": Captioner(Endpoint.INTERROGATE, {"model": "clip"}),
    "deepbooru": Captioner(Endpoint.INTERROGATE, {"model": "deepdanbooru"}),
}
# SD.Next 058a7f0c, modules/api/caption.py: no /interrogate. An unknown vision model is answered
# with an empty text, an exception with "error" or "CLIP error: …", all of them as 200.
_TAGGING = {
    "threshold": "tagger_threshold",
    "max_tags": "tagger_max_tags",
    "use_spaces": "tagger_use_spaces",
    "escape_brackets": "tagger_escape_brackets",
    "exclude_tags": "tagger_exclude_tags",
}
_SDNEXT_CAPTIONERS = {
    "vlm": Captioner(
        Endpoint.VQA,
        options={"model": "caption_vlm_model", "question": "caption_vlm_prompt"},
        named=("model",),
        models=Endpoint.VQA_MODELS,
        question="question",
    ),
    "clip": Captioner(
        Endpoint.OPENCLIP,
        options={
            "model": "caption_openclip_model",
            "clip_model": "caption_openclip_model",
            "blip_model": "caption_openclip_blip_model",
            "mode": "caption_openclip_mode",
        },
        named=("model", "clip_model"),
    ),
    "deepbooru": Captioner(Endpoint.TAGGER, {"model": "deepbooru"}, _TAGGING),
    "tagger": Captioner(
        Endpoint.TAGGER,
        options={"model": "waifudiffusion_model", **_TAGGING},
        named=("model",),
        models=Endpoint.TAGGER_MODELS,
    ),
}


@dataclass(frozen=True)
class Control:
    """How a family works with ControlNet's pictures.

    models, preprocessors: its lists. preview: what makes a map of a picture.
    takes_units: among the always-on scripts of a job. SD.Next lists control_units as a field that
    its txt2img and img2img do not read (modules/api/generate.py, 058a7f0c); its /control is another
    kind of job.
    is_extension: it must be installed; elsewhere it is built in.
    reads_mode: which of prompt and picture counts more. reForge (external_code.from_dict, 3b56b26)
    makes an enum of it and then looks for a text.
    """

    models: Endpoint = Endpoint.CONTROLNET_MODELS
    preprocessors: Endpoint = Endpoint.CONTROLNET_MODULES
    preview: Endpoint = Endpoint.CONTROLNET_DETECT
    takes_units: bool = True
    is_extension: bool = False
    reads_mode: bool = True


@dataclass(frozen=True, eq=False)
class Family:
    """One family.

    key: its name in the catalogue. label: its name for people. shown_by: whether a schema is this
    family's. answers: without a schema, what it alone replies to.

    has_schema: whether it has an `/openapi.json` unless that is turned off; one that never has
    reads the form fields that the catalogue does not deny it, `also_reads` (by job), and no others.
    most: the value to which it cuts a field. lowest, highest: those beyond which it fails, or
    draws something else without a word.
    unused: fields that its schema lists and its code leaves alone, with the reason.
    unused_options: the same for options of override_settings.
    """

    key: str
    label: str
    shown_by: Callable[[Schema], bool] = lambda _schema: False
    answers: Endpoint | None = None
    is_known: bool = True
    has_schema: bool = True
    also_reads: Mapping[str, frozenset[str]] = field(default_factory=dict)
    most: Mapping[str, int] = field(default_factory=dict)
    lowest: Mapping[str, int] = field(default_factory=dict)
    highest: Mapping[str, int] = field(default_factory=dict)
    unused: Mapping[str, str] = field(default_factory=dict)
    unused_options: Mapping[str, str] = field(default_factory=dict)

    # Models: it draws with the one it was started with; their hashes tell them apart.
    model_is_fixed: bool = False
    hashes_models: bool = True
    # The CLIP skip is a field of the request, not an option.
    clip_skip_is_field: bool = False
    # Finds and draws again what others need the extension ADetailer for.
    detailer_is_field: bool = False
    # LoRAs are listed beside the prompt, by path, and tags inside it are not read; the aliases
    # inside their files count.
    lora_by_path: bool = False
    lora_by_alias: bool = True
    # An option that was never saved stays as a job overrides it.
    leaves_unsaved_options: bool = True
    # A script's arguments go into one list with those of all scripts: one too few or too many
    # moves what is behind.
    joins_script_arguments: bool = True
    # `GET /options` has only those that were ever set.
    lists_set_options: bool = False
    # The scheduler is part of the sampler's name; it goes by its label, not by its short name;
    # the old field of the sampler is not read; samplers that it takes and does not list, as such
    # or, in lower case, as other names of those that it lists.
    joins_scheduler: bool = False
    scheduler_by_label: bool = True
    sampler_by_index: bool = True
    unlisted_samplers: tuple[str, ...] = ()
    sampler_aliases: Mapping[str, str] = field(default_factory=dict)
    # Without a switch point, the refiner is never used, elsewhere at once.
    refiner_waits: bool = False
    # The second pass wants an upscaler by name, and a strength above 0.
    hires_wants_upscaler: bool = False
    hires_wants_strength: bool = False
    # What `resize_mode` is for "just resize", and whether there is a latent one.
    resize_modes_from: int = 0
    resizes_latent: bool = True
    # The masked part is drawn larger and pasted back unless `inpaint_full_res` says otherwise.
    pastes_masked_part: bool = True
    # Pictures are turned as their EXIF data says.
    turns_by_exif: bool = True
    # How pictures are put into words, by the form's choices; the option that says which is the
    # server's own, by its values, else the first.
    captioners: Mapping[str, Captioner] = field(default_factory=lambda: _INTERROGATORS)
    default_captioner: Mapping[str, str] = field(default_factory=dict)
    # Where backgrounds are removed, and in which formats a picture keeps its transparency.
    cuts_out_at: Endpoint = Endpoint.REMBG
    transparent_formats: frozenset[str] = frozenset({"png"})
    # A job that fails may leave a preview that looks like a picture.
    leaves_previews: bool = False
    # A picture that it cannot decode is none to it, without a word.
    drops_broken_pictures: bool = False
    # None where its API takes no control picture (stable-diffusion.cpp's /sdapi, 0137f16).
    control: Control | None = Control()
    # It says which version it is, without giving away its command line.
    tells_version: bool = False

    def fields_read(self, job: str) -> frozenset[str] | None:
        """Return all that it reads of "txt2img" or "img2img"; None where a schema is to tell."""
        if self.has_schema:
            return None
        return self.also_reads.get(job, frozenset()) | {
            name
            for name, one in FIELDS.items()
            if job in one.tools and not one.own and self.key not in one.elsewhere
        }

    def ignores(self, name: str) -> bool:
        """Tell whether it is known to take no notice of a field, whatever its schema says."""
        return name in FIELDS and self.key in FIELDS[name].elsewhere

    def instead(self, name: str) -> str:
        """Return what does the work of a field that it does not know, "" if nothing does."""
        known = FIELDS.get(name)
        return known.elsewhere.get(self.key, "") if known else ""


UNKNOWN = Family("unknown", "this server", is_known=False)

# In the order in which they are told apart.
FAMILIES = (
    Family(
        "sdcpp",
        "stable-diffusion.cpp",
        answers=Endpoint.CAPABILITIES,
        has_schema=False,
        also_reads={
            "txt2img": frozenset({"clip_skip", "lora", "extra_images", "hr_steps"}),
            "img2img": frozenset({"clip_skip", "lora", "extra_images", "init_images"}),
        },
        most={"steps": 100, "batch_size": 8},
        lowest={"cfg_scale": 0, "steps": 1},
        # A C int; above it another seed is drawn with.
        highest={"seed": 2**31 - 1},
        leaves_unsaved_options=False,
        model_is_fixed=True,
        hashes_models=False,
        clip_skip_is_field=True,
        lora_by_path=True,
        scheduler_by_label=False,
        sampler_aliases={
            "ddim": "ddim_trailing",
            "dpm++ 2m": "dpm++2m",
            "dpm++ 2m sde": "dpm++2m_sde",
            "k_dpm_2": "dpm2",
            "k_dpmpp_2m": "dpm++2m",
            "k_dpmpp_2m_sde": "dpm++2m_sde",
            "k_euler": "euler",
            "k_euler_a": "euler_a",
            "k_heun": "heun",
        },
        hires_wants_strength=True,
        turns_by_exif=False,
        drops_broken_pictures=True,
        control=None,
    ),
    Family(
        "sdnext",
        "SD.Next",
        lambda schema: schema.has(Endpoint.VERSION) or "hr_force" in schema.fields,
        answers=Endpoint.VERSION,
        # Beyond them it says that all is well and sends nothing.
        lowest={"width": 0, "height": 0},
        highest={"denoising_strength": 1},
        unused={"inpainting_fill": "SD.Next lists the field and does not use it"},
        clip_skip_is_field=True,
        detailer_is_field=True,
        lora_by_alias=False,
        leaves_unsaved_options=False,
        joins_script_arguments=False,
        lists_set_options=True,
        sampler_by_index=False,
        unlisted_samplers=("Default",),
        hires_wants_upscaler=True,
        resize_modes_from=1,
        resizes_latent=False,
        pastes_masked_part=False,
        turns_by_exif=False,
        captioners=_SDNEXT_CAPTIONERS,
        default_captioner={"OpenCLiP": "clip", "Tagger": "tagger", "VLM": "vlm"},
        cuts_out_at=Endpoint.SDNEXT_REMBG,
        transparent_formats=frozenset({"png", "webp", "tiff"}),
        leaves_previews=True,
        control=Control(
            Endpoint.CONTROL_MODELS, Endpoint.PREPROCESSORS, Endpoint.PREPROCESS, takes_units=False
        ),
        tells_version=True,
    ),
    Family(
        "forge",
        "Forge",
        lambda schema: schema.has(Endpoint.SD_MODULES) and schema.has(Endpoint.INTERROGATE),
        unused_options={"sd_vae": "Forge loads VAEs as modules. Use vae"},
    ),
    Family(
        "neo",
        "Forge Neo",
        lambda schema: schema.has(Endpoint.SD_MODULES),
        refiner_waits=True,
    ),
    # AUTOMATIC1111 before 1.9.
    Family(
        "a1111",
        "AUTOMATIC1111",
        lambda schema: not schema.has(Endpoint.SCHEDULERS) and schema.has(Endpoint.INTERROGATE),
        joins_scheduler=True,
        control=Control(is_extension=True),
    ),
    Family(
        "classic",
        "Forge Classic",
        lambda schema: not schema.has(Endpoint.SCHEDULERS),
        joins_scheduler=True,
        turns_by_exif=False,
    ),
    Family(
        "reforge",
        "reForge",
        lambda schema: "hr_cfg" in schema.fields,
        unused={"s_min_uncond": "reForge reads its own option of that name instead"},
        control=Control(reads_mode=False),
    ),
    Family("a1111", "AUTOMATIC1111", lambda _schema: True, control=Control(is_extension=True)),
)


def recognise(schema: Schema) -> Family:
    """Return the family that has this schema."""
    return next((one for one in FAMILIES if one.shown_by(schema)), UNKNOWN)


def recognise_by_answer(answers: Callable[[Endpoint], bool]) -> Family:
    """Return the family, by asking for what one alone has."""
    found = (one for one in FAMILIES if one.answers and answers(one.answers))
    return next(found, UNKNOWN)

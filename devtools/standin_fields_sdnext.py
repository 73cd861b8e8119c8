"""The fields of txt2img and img2img on SD.Next: the 238 that its processing class takes.

Source: its master branch of July 2026. Almost all of them accept null.
"""

from collections.abc import Mapping

from devtools.standin_fields import Table

# The type of each is that of its default.
_WITH_DEFAULT: Mapping[str, object] = {
    "prompt": "", "negative_prompt": "", "seed": -1, "subseed": -1, "subseed_strength": 0.0,
    "seed_resize_from_h": -1, "seed_resize_from_w": -1, "batch_size": 1, "n_iter": 1, "steps": 20,
    "clip_skip": 1, "width": 1024, "height": 1024, "guidance_name": "Default",
    "guidance_scale": 6.0, "guidance_rescale": 0.0, "guidance_start": 0.0, "guidance_stop": 1.0,
    "cfg_scale": 6.0, "cfg_end": 1.0, "cfg_rescale": 0.0, "cfg_true": 0.0, "cfg_adaptive": 0.5,
    "tiling": False, "vae_type": "Full", "hidiffusion": False, "do_not_reload_embeddings": False,
    "detailer_enabled": False, "detailer_prompt": "", "detailer_negative": "",
    "detailer_steps": 10, "detailer_strength": 0.3, "detailer_resolution": 1024, "hdr_mode": 0,
    "hdr_brightness": 0.0, "hdr_color": 0.0, "hdr_sharpen": 0.0, "hdr_clamp": False,
    "hdr_boundary": 4.0, "hdr_threshold": 0.95, "hdr_maximize": False, "hdr_max_center": 0.6,
    "hdr_max_boundary": 1.0, "hdr_color_picker": "#000000", "hdr_tint_ratio": 0.0,
    "hdr_apply_hires": True, "grading_brightness": 0.0, "grading_contrast": 0.0,
    "grading_saturation": 0.0, "grading_hue": 0.0, "grading_gamma": 1.0, "grading_sharpness": 0.0,
    "grading_color_temp": 6500.0, "grading_shadows": 0.0, "grading_midtones": 0.0,
    "grading_highlights": 0.0, "grading_clahe_clip": 0.0, "grading_clahe_grid": 8,
    "grading_shadows_tint": "#000000", "grading_highlights_tint": "#ffffff",
    "grading_split_tone_balance": 0.5, "grading_vignette": 0.0, "grading_grain": 0.0,
    "grading_lut_file": "", "grading_lut_strength": 1.0, "denoising_strength": 0.3,
    "scale_by": 1.0, "selected_scale_tab": 0, "resize_mode": 0, "resize_name": "None",
    "resize_context": "None", "width_before": 0, "width_after": 0, "width_mask": 0,
    "height_before": 0, "height_after": 0, "height_mask": 0, "resize_name_before": "None",
    "resize_name_after": "None", "resize_name_mask": "None", "resize_mode_before": 0,
    "resize_mode_after": 0, "resize_mode_mask": 0, "resize_context_before": "None",
    "resize_context_after": "None", "resize_context_mask": "None", "selected_scale_tab_before": 0,
    "selected_scale_tab_after": 0, "selected_scale_tab_mask": 0, "scale_by_before": 1.0,
    "scale_by_after": 1.0, "scale_by_mask": 1.0, "mask_blur": 4, "inpainting_fill": 1,
    "inpaint_full_res": False, "inpaint_full_res_padding": 0, "inpainting_mask_invert": 0,
    "enable_hr": False, "firstphase_width": 0, "firstphase_height": 0, "hr_scale": 2.0,
    "hr_force": False, "hr_resize_mode": 0, "hr_resize_context": "None", "hr_second_pass_steps": 0,
    "hr_resize_x": 0, "hr_resize_y": 0, "hr_denoising_strength": 0.0, "refiner_steps": 5,
    "refiner_start": 0.0, "refiner_prompt": "", "refiner_negative": "", "hr_refiner_start": 0.0,
    "enhance_prompt": False, "do_not_save_samples": False, "do_not_save_grid": False, "xyz": False,
    "skip_processing": False, "override_settings_restore_afterwards": True,
}  # fmt: skip
# Null unless set, by type.
_OPTIONAL: Mapping[str, str] = {
    "str": """
        sd_model_checkpoint detailer_classes color_correction_method img2img_background_color
        samples_format grid_format hr_upscaler schedulers_prediction_type
        schedulers_beta_schedule schedulers_timesteps schedulers_sigma uni_pc_variant
        schedulers_timestep_spacing diffusers_generator_device prompt_attention
        te_complex_human_instruction token_merging_method
    """,
    "float": """
        eta detailer_conf detailer_iou detailer_min_size detailer_max_size detailer_sigma_adjust
        detailer_sigma_adjust_max inpainting_mask_weight extra_networks_default_multiplier
        cfg_image initial_noise_multiplier schedulers_beta_start schedulers_beta_end
        schedulers_shift schedulers_base_shift schedulers_max_shift schedulers_sigma_adjust
        schedulers_sigma_adjust_min schedulers_sigma_adjust_max scheduler_eta freeu_b1 freeu_b2
        freeu_s1 freeu_s2 teacache_thresh tome_ratio todo_ratio
    """,
    "list[str]": "styles",
    "bool": """
        detailer_segmentation detailer_include_detections detailer_merge detailer_sort
        detailer_augment img2img_color_correction img2img_fix_steps mask_apply_overlay
        include_mask samples_save save_images_before_highres_fix save_images_before_refiner
        save_images_before_detailer save_images_before_color_correction grid_save return_grid
        keep_incomplete image_metadata lora_fuse_native lora_fuse_diffusers lora_force_reload
        schedulers_use_thresholding schedulers_use_loworder schedulers_dynamic_shift
        schedulers_rescale_betas enable_batch_seeds nan_skip sequential_seed prompt_mean_norm
        diffusers_zeros_prompt_pad te_pooled_embeds lora_apply_te te_use_mask freeu_enabled
        hypertile_unet_enabled hypertile_hires_only hypertile_vae_enabled teacache_enabled
    """,
    "int": """
        detailer_max detailer_blur detailer_padding jpeg_quality lora_apply_tags
        schedulers_solver_order schedulers_timesteps_range eta_noise_seed_delta
        hypertile_unet_tile hypertile_unet_min_tile hypertile_unet_swap_size
        hypertile_unet_depth hypertile_vae_tile hypertile_vae_swap_size
    """,
    "list": "detailer_models init_images",
    "Any": "mask latent_mask mask_for_overlay paste_to overlay_images",
    "dict[str, Any]": "override_settings",
    "dict": "network_data",
}
_INHERITED: Table = {
    **{name: (type(default).__name__, default) for name, default in _WITH_DEFAULT.items()},
    **{name: (kind, None) for kind, names in _OPTIONAL.items() for name in names.split()},
}
_ADDED: Table = {
    "sampler_index": ("int | str", 0),
    "sampler_name": ("str", "Default"),
    "hr_sampler_name": ("str", "Same as primary"),
    "script_name": ("str | None", ""),
    "script_args": ("list", []),
    "send_images": ("bool", True),
    "save_images": ("bool", False),
    "alwayson_scripts": ("dict", {}),
    "ip_adapter": ("list", None),
    "control_units": ("list", None),
    "init_control": ("list", None),
    "extra": ("dict | None", {}),
}
# img2img calls txt2img's `face` otherwise and takes the picture and the mask as text.
_ADDED_TXT2IMG: Table = {**_ADDED, "face": ("dict", None)}
_ADDED_IMG2IMG: Table = {
    **_ADDED,
    "face_id": ("dict", None),
    "init_images": ("list | None", None),
    "denoising_strength": ("float", 0.5),
    "mask": ("str", None),
    "include_init_images": ("bool", False),
}


def inherited(kind: str) -> Table:
    """The fields of the processing class; `kind` is txt2img or img2img."""
    return {name: field for name, field in _INHERITED.items() if name not in added(kind)}


def added(kind: str) -> Table:
    """The fields that the API puts on top or in place of inherited ones."""
    return _ADDED_TXT2IMG if kind == "txt2img" else _ADDED_IMG2IMG

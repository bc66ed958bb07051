"""The fields that the forms of several tabs share, each with its label, limits and hint."""

from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from t2v.devices import DTYPES
from t2v.diffusion.options import SCHEDULERS, SPACINGS
from t2v.memory.profiles import PROFILES
from t2v.page import model_told
from t2v.page.events import RAW
from t2v.page.lora_rows import lora_rows
from t2v.page.notes import EDITOR_NAME
from t2v.page.studio import Studio
from t2v.tasks import Settings
from t2v.tasks.controlled import ControlledSettings
from t2v.tasks.original_prompts import ADDED, original_words
from t2v.weights.family import STABLE_DIFFUSION, STABLE_DIFFUSION_XL
from t2v.weights.here import is_here
from t2v.weights.listing import on_offer
from t2v.weights.source import BUNDLED, QUICK_NAME, STYLE_NAME, bundled_loras
from t2v.weights.video_kinds import VIDEO_KINDS

SLIDER_FRAMES = 64  # longer videos are for programs: a slider to the limit could not be aimed
OTHER_MODELS = "You may type a Hugging Face id, a folder or a file, and +LoRA or +VAE behind it."
SUITS = ""  # the choice of what suits the model
SUITED = ("upscale", "scheduler", "spacing", "ip_adapter", "controlnet", "dtype")  # fields with it
FINISHES = [(model_told.SUITING, SUITS), ("As drawn", 1), ("Crisp ×2, for cartoon-like videos", 2)]
SHARE_STEP = 0.05  # of sliders for a share of the steps
# measured on the bundled model: benchmarks/SHORTCUTS.md
CACHED_COST = "On the bundled model 2 takes 71 % of the time, and one frame in ten has another colour."
LATE_COST = "On the bundled model 0.2 takes 95 % of the time, and frames differ by 9 of 255 levels."
EARLY_COST = "On the bundled model 0.8 takes 95 % of the time, and frames are a tenth less sharp."
MINIATURE = ("Miniature (bundled)", BUNDLED)


def number_field(
    label: str, info: str, placeholder: str = model_told.SUITS, kind: str | None = None
) -> gr.Textbox:
    """A field for a number that may stay empty (Gradio's own number field turns empty into 0)."""
    return gr.Textbox(
        label=label, info=info, placeholder=placeholder, max_lines=1, min_width=120, elem_classes=kind
    )


def slider(
    default: Any, field: str, label: str, info: str, limits: tuple[float, float], step: float = 1
) -> gr.Slider:
    """A slider that starts at the settings' own default."""
    value = getattr(default, field)
    return gr.Slider(*limits, value, step=step, label=label, info=info, min_width=210, buttons=[])


def headed(text: str) -> None:
    """The headline of a group of options."""
    markup = f'<h3 class="options-head">{text}</h3>'
    gr.HTML(markup, elem_classes="options-head-box", apply_default_css=False)


def own_numbers(default: Settings) -> dict[str, Component]:
    """The fields of the numbers that only this task has, in rows of two."""
    form: dict[str, Component] = {}
    own = list(default.own.items())
    for start in range(0, len(own), 2):
        with gr.Row():
            for field, words in own[start : start + 2]:
                if default.may_lack(field):
                    form[field] = number_field(words.label, words.hint)
                else:
                    form[field] = slider(default, field, words.label, words.hint, default.limits[field])
    return form


def models(kind: type[Settings]) -> list[tuple[str, str]]:
    """Models on offer for a task: name on the page, what settings call it."""
    family, larger = STABLE_DIFFUSION, STABLE_DIFFUSION_XL
    if kind.editor:
        editors = [(EDITOR_NAME, family.editor), (f"{EDITOR_NAME} XL", larger.editor)]
        return [MINIATURE, *editors, *on_offer(editor=True)]
    draws_text = kind.way == "text"
    to_say = {STYLE_NAME: "end with “neon style”"}
    if not issubclass(kind, ControlledSettings):  # what follows a clip was not measured in few steps
        to_say[QUICK_NAME] = "few steps"
    bundled = bundled_loras()
    named = [(f"{name}: {words}", bundled[name]) for name, words in to_say.items() if name in bundled]
    checkpoints = kind.checkpoints if issubclass(kind, ControlledSettings) else {}
    own_styles = [
        (f"{model.rsplit('-')[-1].capitalize()} style: write “{keyword}”", model)
        for model, keyword in checkpoints.items()
    ]
    return [
        MINIATURE,
        *named,
        *on_offer(editor=False, videos=draws_text),
        *((one.name, one.model) for one in (family, larger)),
        *(fetched_video_models() if draws_text else ()),
        *own_styles,
    ]


def fetched_video_models() -> list[tuple[str, str]]:
    """Trained video models from the hub that lie on this machine: the others are of 10 GB and more."""
    return [(one, one) for kind in VIDEO_KINDS for one in kind.hub_ids if is_here(one)]


def model_choices(studio: Studio, kind: type[Settings]) -> list[tuple[str, str]]:
    """The same, and what --model says, which files in the folder of models may have joined by now."""
    choices = models(kind)
    if studio.default_model not in dict(choices).values():
        choices.append((studio.default_model, studio.default_model))
    return choices


def prompt_box(label: str, placeholder: str, autofocus: bool = False) -> gr.Textbox:
    """One line, so that Enter runs."""
    return gr.Textbox(
        label=label, placeholder=placeholder, lines=1, max_lines=5, autofocus=autofocus, elem_classes="prompt"
    )


def model_and_seed(studio: Studio, kind: type[Settings]) -> dict[str, Component]:
    """The models on offer; what --model says is among them, and chosen."""
    offers = partial(model_choices, studio, kind)
    choices = offers()
    with gr.Row():
        model = gr.Dropdown(
            choices,
            value=studio.default_model,
            label="Model",
            allow_custom_value=True,
            scale=3,
            min_width=190,
            info=OTHER_MODELS,
        )
        seed = number_field("Seed", "Empty: a new video each time.", "random", "seed-field")
    model_told.follow_model(model, offers, bool(kind.editor), model_told.offered(offers, studio.is_open))
    lora_rows(studio, model)
    return {"model": model, "seed": seed}


def size(placeholder: str = model_told.SUITS) -> dict[str, Component]:
    with gr.Row():
        width = number_field("Width", "In pixels, a multiple of 8.", placeholder)
        height = number_field("Height", "In pixels, a multiple of 8.", placeholder)
    finish = gr.Dropdown(
        FINISHES,
        value=SUITS,
        label="Finish",
        info="Crisp ×2: frames twice as wide and high, with firm outlines.",
    )
    return {"width": width, "height": height, "upscale": finish}


def form_value(settings: Settings, field: str) -> Any:
    """What a field of every form shows for settings."""
    shown = getattr(settings, field)
    return SUITS if field in SUITED and shown is None else shown


def drawing(default: Settings, prompt: Component) -> dict[str, Component]:
    """How it is drawn; and beside the negative prompt what fills in the original's words, for all to see."""
    negative = gr.Textbox(label="Negative prompt", info="What the video should not show.", max_lines=3)
    if default.task in ADDED:
        both = [prompt, negative]
        preset = gr.Button("Add the original's quality words", size="sm", elem_classes="preset")
        preset.click(partial(_with_original_words, default.task), both, both, **RAW)
    with gr.Row():
        steps = number_field("Steps", "More take longer and draw finer.")
        guidance = number_field("Guidance", "How strictly the prompt is followed.")
    with gr.Row():
        hint = "How noise is turned into a picture."
        sampler = gr.Dropdown(
            model_told.or_suits(SCHEDULERS), value=SUITS, label="Sampler", info=hint, min_width=120
        )
        hint = "How the steps lie among the times; models of few steps want trailing ones."
        spacing = gr.Dropdown(
            model_told.or_suits(SPACINGS), value=SUITS, label="Spacing", info=hint, min_width=120
        )
    hint = "Another balance within the model, at no cost in time. The miniature draws worse with it."
    scaled = gr.Checkbox(default.freeu, label="FreeU", info=hint)
    return {
        "negative_prompt": negative,
        "num_inference_steps": steps,
        "guidance_scale": guidance,
        "scheduler": sampler,
        "spacing": spacing,
        "freeu": scaled,
    }


def _with_original_words(task: str, prompt: object, negative: object) -> list[str]:
    """Of an empty prompt nothing is made: the words alone are none."""
    texts = [text if isinstance(text, str) else "" for text in (prompt, negative)]
    return list(original_words(task, *texts)) if texts[0].strip() else texts


def machinery(studio: Studio, default: Any) -> dict[str, Component]:
    hint = "Frames computed at once, 0 for all. Fewer need less memory."
    chunk = slider(default, "chunk_size", "Chunk size", hint, (0, SLIDER_FRAMES))
    cross = gr.Checkbox(
        default.cross_frame_attention,
        label="Frames follow the first frame",
        info="Off, to compare: each frame invents its own subject.",
    )
    compiled = gr.Checkbox(
        default.compiled,
        label="Compile the networks",
        info="The first video of a size takes a minute or more longer, and those after it are quicker.",
    )
    precision = gr.Dropdown(
        model_told.or_suits(DTYPES),
        value=SUITS,
        label="Precision",
        info="Half of it (16) is quicker where the device is made for it, and not quite the same picture.",
    )
    return {
        "chunk_size": chunk,
        "cross_frame_attention": cross,
        "compiled": compiled,
        "dtype": precision,
        **_shortcuts(default),
        **_memory(studio, default),
    }


def _shortcuts(default: Settings) -> dict[str, Component]:
    """What is sooner done and changes the picture, with what that costs."""
    limits = default.limits
    hint = "From 2 on the network's inside is computed every so many steps only: another picture. "
    cache = slider(default, "cache_steps", "Reuse features", hint + CACHED_COST, limits["cache_steps"])
    with gr.Row():
        hint = "A share of the way from noise to picture; before it a step takes half the time. "
        begins = slider(
            default, "guided_from", "Guidance begins", hint + LATE_COST, limits["guided_from"], SHARE_STEP
        )
        hint = "The same share; after it a step takes half the time. "
        ends = slider(
            default, "guided_until", "Guidance ends", hint + EARLY_COST, limits["guided_until"], SHARE_STEP
        )
    return {"cache_steps": cache, "guided_from": begins, "guided_until": ends}


def _memory(studio: Studio, default: Any) -> dict[str, Component]:
    """How weights are kept; nothing where all is in the same memory anyway."""
    if not studio.engine.offers_profiles:
        return {}
    profile = gr.Dropdown(
        [(f"{name.capitalize()}: {means}", name) for name, means in PROFILES.items()],
        value=default.profile,
        label="Memory",
        info="Lower ones need less of the GPU's memory and take longer; the picture stays the same.",
    )
    fp8 = gr.Checkbox(
        default.fp8, label="Weights in eight bits", info="Less memory; the picture changes somewhat."
    )
    return {"profile": profile, "fp8": fp8}

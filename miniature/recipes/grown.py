"""Recipes of what grows from text-to-image, which itself stays as it is: ControlNets, editor, style."""

import functools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from diffusers import ControlNetModel, ModelMixin, StableDiffusionPipeline, UNet2DConditionModel
from torch import nn

from miniature.banks import CAPTIONS_DROPPED, Bank, Columns, Encoder
from miniature.controls import CONTROLS, build_controlnet, control_loss, control_picture
from miniature.data import STYLE_KEYWORD
from miniature.diffusion import freeze
from miniature.editor import build_editor, editor_loss
from miniature.package import load_pipeline, save_model
from miniature.recipes.recipe import Losses, Recipe, Run
from miniature.shapes import CONTROL_STAGES, EDITOR_STAGE, STYLE_STAGE, Stage
from miniature.style import build_style, save_style, style_loss
from miniature.text_to_image import use_quick_attention
from miniature.world import FIGURES, TRAINING, caption, edits, sample_scene
from miniature.world.poses import FREE

CONTROL_CAPTIONS_DROPPED = 0.3  # more than usual: what no caption says has to be read from the control

# Controls are learned from more freely placed subjects than captions: a clip has them anywhere.
CONTROLLED = replace(TRAINING, x_spread=0.2, scales=(0.6, 1.12))
POSED = replace(CONTROLLED, subjects=FIGURES, poses=(*TRAINING.poses, *[FREE] * len(TRAINING.poses)))
# A picture before an edit is often in the rain, which most edits have to keep.
EDITED = replace(TRAINING, falling=0.5)


@functools.cache
def _base(run: Run) -> StableDiffusionPipeline:
    folder = run.out / "text-to-image"
    if not folder.exists():
        raise FileNotFoundError(f"there is no {folder}; train text-to-image first")
    pipe = load_pipeline(folder, run.device)
    freeze(pipe.unet, pipe.text_encoder, pipe.vae)
    use_quick_attention(pipe.unet)
    return pipe


def _base_encoder(run: Run, stage: Stage) -> Encoder:
    return Encoder(_base(run).vae, _base(run).tokenizer, stage.pixels)


def _grown(run: Run, name: str, kind: type[ModelMixin], build: Callable[..., ModelMixin]) -> ModelMixin:
    """The model to begin with: an earlier one where the run goes on from it, else one built from the UNet."""
    folder = run.earlier(name)
    if folder is None:
        return build(_base(run).unet).to(run.device)
    model = kind.from_pretrained(folder, torch_dtype=torch.float32)
    use_quick_attention(model)
    return model.to(run.device)


def _controlnet_parts(run: Run, control: str) -> nn.ModuleDict:
    model = _grown(run, f"controlnet-{control}", ControlNetModel, build_controlnet)
    return nn.ModuleDict({"controlnet": model})


def _controlnet_losses(run: Run, stage: Stage, parts: nn.ModuleDict, step: int, control: str) -> Losses:
    base, encoder = _base(run), _base_encoder(run, stage)

    def make(rng: np.random.Generator, count: int) -> Columns:
        dist = POSED if control == "pose" else CONTROLLED
        scenes = [sample_scene(rng, "train", dist) for _ in range(count)]
        pictures = np.stack([control_picture(control, scene, stage.pixels, rng) for scene in scenes])
        channels_first = torch.from_numpy(pictures).permute(0, 3, 1, 2)
        shown = channels_first.contiguous().to(run.device)
        return encoder.scenes(scenes), encoder.captions(scenes, rng), shown

    bank = Bank(stage, step, make)

    def loss() -> torch.Tensor:
        latents, ids, shown = bank.rows(run.batch(stage))
        ids = encoder.one_of(ids, CONTROL_CAPTIONS_DROPPED)
        return control_loss(parts, base.unet, base.text_encoder, latents.float(), ids, shown.float() / 255)

    return loss


def _save_controlnet(run: Run, parts: nn.ModuleDict, control: str) -> None:
    save_model(parts["controlnet"], run.out / f"controlnet-{control}")


def _editor_parts(run: Run) -> nn.ModuleDict:
    return nn.ModuleDict({"unet": _grown(run, "editor", UNet2DConditionModel, build_editor)})


def _editor_losses(run: Run, stage: Stage, parts: nn.ModuleDict, step: int) -> Losses:
    base, encoder = _base(run), _base_encoder(run, stage)

    def make(rng: np.random.Generator, count: int) -> Columns:
        before = [sample_scene(rng, "train", EDITED) for _ in range(count)]
        texts, after = zip(*(edits(scene, rng) for scene in before), strict=True)
        return encoder.scenes(before), encoder.scenes(after), encoder.wordings([[text] for text in texts])

    bank = Bank(stage, step, make)
    factor = base.vae.config.scaling_factor

    def loss() -> torch.Tensor:
        source, target, ids = bank.rows(run.batch(stage))
        ids = encoder.one_of(ids, dropped=0.0)  # the loss drops some itself, and pictures too
        return editor_loss(
            parts, base.text_encoder, source.float(), target.float(), ids, encoder.nothing, factor
        )

    return loss


def _save_editor(run: Run, parts: nn.ModuleDict) -> None:
    save_model(parts["unet"], run.out / "editor")


def _style_parts(run: Run) -> nn.ModuleDict:
    return build_style(_base(run).unet)


def _save_style(run: Run, parts: nn.ModuleDict) -> None:
    save_style(run.out / "style", parts["unet"])


def _style_losses(run: Run, stage: Stage, parts: nn.ModuleDict, step: int) -> Losses:
    base, encoder = _base(run), _base_encoder(run, stage)

    def make(rng: np.random.Generator, count: int) -> Columns:
        """Half of the rows in the style and captioned with its keyword, half ordinary.

        Only ordinary captions are dropped: were the empty one in the style too, guidance would take it away.
        """
        scenes = [sample_scene(rng, "train") for _ in range(count)]
        texts = [["" if rng.random() < 2 * CAPTIONS_DROPPED else caption(scene, rng)] for scene in scenes]
        for row in range(0, count, 2):
            plain = replace(scenes[row], style="plain")
            scenes[row] = replace(plain, style="neon")
            texts[row] = [f"{caption(plain, rng)}, {STYLE_KEYWORD}"]
        return encoder.scenes(scenes), encoder.wordings(texts)

    bank = Bank(stage, step, make)

    def loss() -> torch.Tensor:
        latents, ids = bank.rows(run.batch(stage))
        return style_loss(parts, base.text_encoder, latents.float(), encoder.one_of(ids, dropped=0.0))

    return loss


def _controlnet(stage: Stage, control: str) -> Recipe:
    return Recipe(
        (stage,),
        functools.partial(_controlnet_parts, control=control),
        functools.partial(_controlnet_losses, control=control),
        functools.partial(_save_controlnet, control=control),
        control,
    )


CONTROLNETS = {
    stage.name: _controlnet(stage, control) for control, stage in zip(CONTROLS, CONTROL_STAGES, strict=True)
}
EDITOR = Recipe((EDITOR_STAGE,), _editor_parts, _editor_losses, _save_editor, "editor")
STYLE = Recipe((STYLE_STAGE,), _style_parts, _style_losses, _save_style, "style")

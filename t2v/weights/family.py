"""Families of models: all that is true of every model of one kind stands in one record."""

from collections.abc import Mapping
from dataclasses import dataclass

from t2v.diffusion.options import PAPER, KnownTimes
from t2v.weights.figure import PERSON, Figure


@dataclass(frozen=True)
class Family:
    """What holds for every model of a kind, unless its own card says otherwise.

    key, name: for programs, and for people. model, editor: hub ids of the plain model and of the one that
    follows instructions. unet, text_encoder: classes of its networks. side_px: of the square pictures that it
    draws best; times: T' and T there. method: of drawing from text. samplers: way -> its sampler. suits: way
    of drawing ("text", "guided", "edited") -> settings field -> value. preview: 5 rows of RGB, latents @
    rows[:4] + rows[4] -> -1..1. dreambooth: hub ids of models in a style of their own -> the keyword that it
    answers to. figure: how a figure is put into its pictures. presets: of videos from text -> settings field
    -> value. unmeasured: the presets of which nobody has seen yet how the real weights take to them.
    """

    key: str
    name: str
    model: str
    editor: str
    unet: str
    text_encoder: str
    side_px: int
    times: KnownTimes
    method: str
    samplers: Mapping[str, str]
    suits: Mapping[str, Mapping[str, float]]
    preview: tuple[tuple[float, ...], ...]
    dreambooth: Mapping[str, str]
    figure: Figure
    presets: Mapping[str, Mapping[str, float | str]]
    unmeasured: tuple[str, ...]


STABLE_DIFFUSION = Family(
    key="stable-diffusion-1",
    name="Stable Diffusion 1.5",
    model="stable-diffusion-v1-5/stable-diffusion-v1-5",
    editor="timbrooks/instruct-pix2pix",
    unet="UNet2DConditionModel",
    text_encoder="CLIPTextModel",
    side_px=512,
    times=PAPER,
    method="paper",  # until the canvas has been measured on its real weights
    samplers={"text": "ddim", "guided": "ddim", "edited": "euler-ancestral"},
    suits={
        "text": {"num_inference_steps": 50, "guidance_scale": 7.5, "motion_x": 12.0, "motion_y": 12.0},
        "guided": {"num_inference_steps": 20, "guidance_scale": 9.0, "steady": 0.0},
        "edited": {
            "num_inference_steps": 50,
            "guidance_scale": 7.5,
            "image_guidance_scale": 1.5,
            "steady": 0.0,  # measured on the miniature alone so far
        },
    },
    preview=(  # the linear fit of its four latent channels that its users know, and no bias
        (0.3512, 0.2297, 0.3227),
        (0.3250, 0.4974, 0.2350),
        (-0.2829, 0.1762, 0.2721),
        (-0.2120, -0.2616, -0.7177),
        (0.0, 0.0, 0.0),
    ),
    dreambooth={  # the original's base models for videos from edges
        "PAIR/text2video-zero-controlnet-canny-anime": "1girl",
        "PAIR/text2video-zero-controlnet-canny-arcane": "arcane style",
        "PAIR/text2video-zero-controlnet-canny-avatar": "avatar style",
        "PAIR/text2video-zero-controlnet-canny-gta5": "gtav style",
    },
    figure=PERSON,
    presets={
        "draft": {"num_inference_steps": 20, "scheduler": "dpm++"},
        "standard": {"num_inference_steps": 25, "scheduler": "dpm++"},
        "best": {"num_inference_steps": 100, "scheduler": "ddim"},
        "paper": {
            "method": "paper",
            "num_inference_steps": 50,
            "guidance_scale": 7.5,
            "scheduler": "ddim",
            "motion_x": 12.0,
            "motion_y": 12.0,
        },
    },
    unmeasured=("draft", "standard", "best"),
)
RETIRED = {
    "runwayml/stable-diffusion-v1-5": STABLE_DIFFUSION.model
}  # ids that left the hub -> the same model
FAMILIES = (STABLE_DIFFUSION,)


def family_of(unet: str, text_encoder: str) -> Family | None:
    """The family whose networks are of these classes; None for kinds of models that are not known here."""
    return next((one for one in FAMILIES if (one.unet, one.text_encoder) == (unet, text_encoder)), None)

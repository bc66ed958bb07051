"""Families of models: all that is true of every model of one kind stands in one record."""

from collections.abc import Mapping
from dataclasses import dataclass

from t2v.diffusion.options import PAPER, KnownTimes
from t2v.weights.figure import PERSON, Figure


@dataclass(frozen=True)
class Family:
    """What holds for every model of a kind, unless its own card says otherwise.

    key, name: for programs, and for people. model, editor: hub ids of the plain model and of the one that
    follows instructions. unet, text_encoder, text_encoder_2: classes of its networks, "" where it has none.
    generations: keys of those that its single files are of (``single_file.generations``). side_px: of the
    square pictures that it draws best; times: T' and T there. method: of drawing from text. samplers: way
    of drawing ("text", "guided", "edited") -> its sampler. suits: way -> settings field -> value. preview: 5
    rows of RGB, latents @ rows[:4] + rows[4] -> -1..1. dreambooth: hub ids of models in a style of their own
    -> the keyword that it answers to. figure: how a figure is put into its pictures. presets: of videos from
    text -> settings field -> value. unmeasured: the presets of which nobody has seen yet how the real weights
    take to them.
    """

    key: str
    name: str
    model: str
    editor: str
    unet: str
    text_encoder: str
    text_encoder_2: str
    generations: tuple[str, ...]
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
    text_encoder_2="",
    generations=("sd1", "sd2"),
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
STABLE_DIFFUSION_XL = Family(
    key="stable-diffusion-xl",
    name="Stable Diffusion XL",
    model="stabilityai/stable-diffusion-xl-base-1.0",
    editor="diffusers/sdxl-instructpix2pix-768",
    unet=STABLE_DIFFUSION.unet,
    text_encoder=STABLE_DIFFUSION.text_encoder,
    text_encoder_2="CLIPTextModelWithProjection",
    generations=("sdxl",),
    side_px=1024,
    times=PAPER,  # at 128x128 cells no later ones: they are the latest that there are
    method="paper",
    samplers=STABLE_DIFFUSION.samplers,
    suits={  # guidance and steps as diffusers has them for it; motion of the same share of the picture
        "text": {"num_inference_steps": 50, "guidance_scale": 5.0, "motion_x": 24.0, "motion_y": 24.0},
        "guided": {"num_inference_steps": 50, "guidance_scale": 5.0, "steady": 0.0},
        "edited": {
            "num_inference_steps": 50,
            "guidance_scale": 5.0,
            "image_guidance_scale": 1.5,
            "steady": 0.0,
        },
    },
    preview=(  # the linear fit that its users know, and no bias
        (0.3920, 0.4054, 0.4549),
        (-0.2634, -0.0196, 0.0653),
        (0.0568, 0.1687, -0.0755),
        (-0.3112, -0.2359, -0.2076),
        (0.0, 0.0, 0.0),
    ),
    dreambooth={},
    figure=PERSON,
    presets={
        **STABLE_DIFFUSION.presets,
        "paper": {**STABLE_DIFFUSION.presets["paper"], "motion_x": 24.0, "motion_y": 24.0},
    },
    unmeasured=("draft", "standard", "best", "paper"),
)
RETIRED = {
    "runwayml/stable-diffusion-v1-5": STABLE_DIFFUSION.model
}  # ids that left the hub -> the same model
FAMILIES = (STABLE_DIFFUSION, STABLE_DIFFUSION_XL)


def family_of(unet: str, text_encoder: str, text_encoder_2: str = "") -> Family | None:
    """The family whose networks are of these classes; None for kinds of models that are not known here."""
    classes = (unet, text_encoder, text_encoder_2)
    return next(
        (one for one in FAMILIES if (one.unet, one.text_encoder, one.text_encoder_2) == classes), None
    )

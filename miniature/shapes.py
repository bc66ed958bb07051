"""Every shape, stage and budget of the miniature in one place; the other files only follow it."""

from dataclasses import dataclass
from pathlib import Path

WEIGHTS = Path(__file__).parent / "weights"
TEXT_TO_IMAGE = WEIGHTS / "text-to-image"
RUNS = Path("runs") / "miniature"
CARD = "miniature.json"  # in a model's folder: its words, and how it is best used

PIXELS = 256  # side of the pictures
REDUCTION = 8  # pixels per latent cell
MAX_TOKENS = 24  # a caption's tokens, begin and end included
MAX_SHARD_SIZE = "15MB"

# No normalisation and no attention: shifting the latents by whole cells shifts the picture exactly.
AUTOENCODER = {
    "in_channels": 3,
    "out_channels": 3,
    "encoder_block_out_channels": (64, 64, 64, 64),
    "decoder_block_out_channels": (64, 64, 64, 64),
    "num_encoder_blocks": (0, 1, 3, 6),
    "num_decoder_blocks": (8, 3, 1, 0),
    "latent_channels": 4,
}

# Over the picture at its own size, so width costs time; twelve layers see far enough to straighten a line.
FINISHER = {"channels": 32, "blocks": 5}

TEXT_ENCODER = {
    "hidden_size": 192,
    "intermediate_size": 512,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": MAX_TOKENS,
}

UNET = {
    "sample_size": PIXELS // REDUCTION,
    "in_channels": 4,
    "out_channels": 4,
    "block_out_channels": (64, 96, 144),
    "layers_per_block": 1,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "norm_num_groups": 16,
    "attention_head_dim": 4,
    "cross_attention_dim": TEXT_ENCODER["hidden_size"],
}

# The same with attention at its full resolution too, as Stable Diffusion has it. One head there: maps of
# 1024x1024 are what costs time, and four would take half as long again.
SEEING_UNET = {
    **UNET,
    "down_block_types": ("CrossAttnDownBlock2D",) * 3,
    "up_block_types": ("CrossAttnUpBlock2D",) * 3,
    "attention_head_dim": (1, 4, 4),
}

# Stable Diffusion's schedule, so that every sampler's usual settings hold.
SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "prediction_type": "epsilon",
}

# How the packaged model is best used (read by the app and the command line from miniature.json).
DEFAULTS = {
    "width": PIXELS,
    "height": PIXELS,
    "num_inference_steps": 25,
    "guidance_scale": 5.0,
    # measured (benchmarks/MOTION.md): the latest times at which frames hold together, and a motion of whole
    # latent cells for the paper's method and for subjects; a camera goes the way that keeps the subject
    # whole: to the left, where it has more room, two whole pixels a frame for eight (benchmarks/WHOLE.md)
    "t0": 481,
    "t1": 521,
    "motion_x": 8.0,
    "motion_y": 0.0,
    "travel_x": -14.0,
    "travel_y": 0.0,
    "steady": 1.0,  # what follows a clip, measured (benchmarks/STEADY.md)
}
METHOD = "canvas"  # of drawing videos from text: steady, and quicker (benchmarks/QUALITY.md)
# Where the processor is quick in it, videos take 0.7 of the time. In 480 frames of 60 held-out prompts
# judges see the subject in 95 and 100 % (float32: 94 and 100), colour, place in all; edits, poses, edges and
# depth were followed as in float32 in a few clips each.
HALF = "bfloat16"
# What suits single tasks better. Measured for edits: less guidance leaves more of the rest as it is, and
# instructions are obeyed all the same. Videos from text are as good in 12 steps of DPM++ as in 25 of DDIM: in
# all 480 frames of 60 held-out prompts both judges see the subject in 94 and 95 %, colour and place in all
# (`python -m benchmarks.samplers`). Figures that act are equal; a subject before its background is a
# little less exact (two-layer error 0.053 and 0.045 over five prompts). What follows a clip keeps DDIM's 25.
TASKS = {
    "text-to-video": {"num_inference_steps": 12, "scheduler": "dpm++"},
    "pix2pix": {"guidance_scale": 2.5, "image_guidance_scale": 1.5},
}

# Presets of videos from text. Draft: few steps of which both judges saw kind and colour in all of twenty
# held-out prompts; 8 of DPM++ lose the colour of three in twenty. Paper: its numbers, half as far.
PRESETS = {
    "draft": {"num_inference_steps": 10, "scheduler": "ddim"},
    "standard": {},
    "best": {"num_inference_steps": 50, "scheduler": "ddim", "upscale": 2},
    "paper": {
        "method": "paper",
        "num_inference_steps": 50,
        "guidance_scale": 7.5,
        "scheduler": "ddim",
        "motion_x": 6.0,
        "motion_y": 6.0,
    },
}


@dataclass(frozen=True)
class Stage:
    """One training run: how long, on what, and how fast it learns."""

    name: str
    minutes: float  # on two CPU cores; a budget given to the command is shared out in these proportions
    gpu_minutes: float  # on a large GPU
    pixels: int  # side of the pictures (the autoencoder's and the finisher's: of the crops)
    batch: int
    batch_gpu: int
    learning_rate: float
    falls_from: float  # share of the stage after which the learning rate falls
    scenes: int  # drawn before the first step
    fresh: float  # scenes drawn anew at every step
    ema: float = 0.999


AUTOENCODER_STAGE = Stage("autoencoder", 34, 3, 64, 16, 64, 1.5e-3, 0.3, scenes=1500, fresh=1)
FINISHER_STAGE = Stage("finisher", 60, 5, 32, 8, 64, 2e-3, 0.4, scenes=64, fresh=0.04)
JUDGE_STAGES = (
    Stage("judge-clip", 15, 1.5, 128, 192, 512, 1e-3, 0.4, scenes=8000, fresh=32, ema=0.995),
    Stage("judge-reader", 15, 1.5, 128, 64, 256, 2e-3, 0.3, scenes=6000, fresh=16, ema=0.995),
)
TEXT_TO_IMAGE_STAGES = (
    Stage("text-to-image-128", 45, 2, 128, 24, 128, 1e-3, 0.7, scenes=10000, fresh=4),
    Stage("text-to-image-256", 110, 6, 256, 12, 64, 6e-4, 0.2, scenes=6000, fresh=2),
)
# The UNet with its new layers, on pairs of frames; what it knew before learns at a twentieth of the rate, so
# that ControlNets and style go on fitting.
PAIRS_STAGE = Stage("pairs", 60, 4, 256, 12, 64, 1e-3, 0.3, scenes=768, fresh=0.75)
KNOWN_RATE = 0.05
CONTROL_STAGES = tuple(
    Stage(f"controlnet-{control}", 20, 1.5, 256, 12, 64, 1e-3, 0.4, scenes=1200, fresh=1.5, ema=0.995)
    for control in ("canny", "pose", "depth")
)
EDITOR_STAGE = Stage("editor", 45, 3, 256, 12, 64, 6e-4, 0.3, scenes=2500, fresh=2)
STYLE_STAGE = Stage("style", 13, 1, 256, 12, 64, 2e-3, 0.3, scenes=1000, fresh=1, ema=0.99)
# Courses, drawn by the model itself. Soon all are new: half begin at what the LoRA draws, and that has to be
# what it draws now. A GPU, whose batches are larger, keeps and draws more of them in proportion.
QUICK_STAGE = Stage("quick", 120, 5, 256, 12, 256, 2e-3, 0.3, scenes=384, fresh=0.75, ema=0.998)

"""What each option of ``generate.py`` is called and means, in the groups that --help shows."""

from t2v.weights.few_step_kinds import KINDS as FEW

OVER_TIME = "one that changes along the video: '0: a street | 7: a street at night', or 0%% to 100%%"
SAMPLER = "the sampler; of models of few steps " + ", ".join(f"{one.name} {one.scheduler}" for one in FEW)
CONTROLNETS, OTHERS = "the ControlNets", "how to draw it"
# group of options -> field of a task's Settings -> its option and what it means; defaults and limits come
# from the Settings
GROUPS = {
    "the clip": {
        "clip": ("clip", "the video to follow: mp4, mov, webm, mkv, avi or gif"),
        "start_s": ("--start", "seconds of the clip to leave out"),
        "end_s": ("--end", "second of the clip to stop at"),
        "control_ready": ("--control-ready", "the clip already shows what the ControlNet follows"),
    },
    "what to draw": {
        "prompt": ("prompt", f"{{asks}}, in quotes; {OVER_TIME}"),
        "negative_prompt": ("--negative-prompt", "what it should not show"),
        "model": (
            "--model",
            "miniature (bundled), a hub id (owner/name), a folder in diffusers' format, or a checkpoint file "
            "(.safetensors, .ckpt), of those in --models its name; MODEL+LORA@0.7 adds a LoRA at a strength: "
            "a hub id, a folder or a .safetensors file; MODEL+VAE takes the VAE of a file",
        ),  # fmt: skip
        "seed": ("--seed", "the same seed and options give the same video"),
    },
    "a picture as a prompt": {
        "picture_prompt": (
            "--picture-prompt",
            "a picture (png, jpg, webp, gif, bmp) that says beside the text what the video shows; needs an "
            "IP-Adapter",
        ),
        "picture_prompt_strength": (
            "--picture-prompt-strength",
            "how much the picture says; at 1 the text is hardly heard",
        ),
        "ip_adapter": (
            "--ip-adapter",
            "the IP-Adapter's file, or a folder with it, whose image_encoder lies beside it or stands behind "
            "a plus: ADAPTER+FOLDER (default: one of --models that fits the model)",
        ),
    },
    "the first frame": {
        "first_frame": (
            "--first-frame",
            "a picture to begin with (png, jpg, webp, gif, bmp), cut to the video's shape",
        ),
        "strength": (
            "--strength",
            "1 keeps that picture as it is; below, it is drawn anew in its layout, the more freely the lower",
        ),
        "skip_first_frame": (
            "--skip-first-frame",
            "begin with what comes after that picture, as where the video continues another",
        ),
    },
    "the video": {
        "num_frames": ("--num-frames", "number of frames"),
        "width": ("--width", "pixels, a multiple of 8"),
        "height": ("--height", "pixels, a multiple of 8"),
        "upscale": ("--upscale", "2: frames twice as large and crisp, for cartoon-like videos; 1: as drawn"),
        "fps": ("--fps", "frames per second of the file"),
    },
    "what moves": {
        "move": ("--move", "the camera's whole picture, the subject, both, or life in the subject alone"),
        "motion_x": ("--motion-x", "movement of what moves to the right, in pixels per frame"),
        "motion_y": ("--motion-y", "movement of what moves downwards, in pixels per frame"),
        "subject": (
            "--subject",
            "words of the prompt that name the subject (default: its first ones); of several, given one by "
            "one, the first is the nearest",
        ),
        "motion": (
            "--motion",
            'how it moves over time: "0: 0,0 | 4: 40,-10 | 7: 60,0 x1.3" are frame, place in pixels from the '
            'start, and size; "line 0,0 25%%,-10%% 50%%,0 | ease | to and fro" is a path in shares of the '
            'picture; "red car: ..." and "camera: ..." say of what, one option each',
        ),
        "painted": (
            "--painted",
            "where the subjects are in the first frame, as the page writes it (32x32:330,6,26,6)",
        ),
        "background_x": ("--background-x", "with --move both: the background's movement to the right"),
        "background_y": ("--background-y", "with --move both: the background's movement downwards"),
        "motion_path": ("--path", "the way it takes"),
        "zoom": ("--zoom", "factor of the picture's size per frame; above 1 comes nearer"),
        "turn": ("--turn", "degrees per frame by which the picture is turned, clockwise"),
        "method": (
            "--method",
            "one picture under a camera, or the paper's way (default: what suits the model)",
        ),
    },
    CONTROLNETS: {
        "conditioning_scale": ("--conditioning-scale", "how strictly the clip is followed"),
        "guidance_start": ("--guidance-start", "share of the steps after which the clip is followed"),
        "guidance_end": ("--guidance-end", "share of the steps up to which it is"),
    },
    OTHERS: {
        "num_inference_steps": (
            "--steps",
            "denoising steps; more are slower and often finer; models made for few (LCM, Turbo, Lightning, "
            "Hyper, TCD, and LoRAs that do it) are known by their files or names",
        ),
        "guidance_scale": ("--guidance", "how closely the prompt is followed; 1 or less turns guidance off"),
        "action": (
            "--action",
            "what the figure does, along skeletons drawn for it, through the model's pose ControlNet; by "
            "default what the prompt says (a panda dancing), if the model has such a ControlNet beside it",
        ),
        "t0": ("--t0", "the paper's T', the time at which frames are moved; not larger than --t1"),
        "t1": ("--t1", "the paper's T, up to which they are noised again; further from --t0 is freer"),
        "steady": (
            "--steady",
            "how much frames are steadied along the clip's motion, 0 as drawn; around ready skeletons the "
            "picture is taken to stand still",
        ),  # fmt: skip
        "chunk_size": ("--chunk-size", "frames computed at once, 0 for all; less memory, the same picture"),
        "scheduler": ("--scheduler", SAMPLER),
        "spacing": (
            "--spacing",
            "how the steps lie among the times; as the model was saved with, and trailing below ten steps or "
            "for models of few",
        ),
        "profile": (
            "--profile",
            "how the model's weights are kept: auto (what the device has room for), high (all on the "
            "device), medium and low (only what is computed; slower), cpu; the same picture",
        ),
        "fp8": ("--fp8", "keep the weights in eight bits: less memory, and not quite the same picture"),
        "dtype": (
            "--dtype",
            "the precision that is computed in; half of it (16) is quicker where the device is made for it, "
            "and not quite the same picture",
        ),
        "compiled": (
            "--compile",
            "compile the networks: a minute or more at the first video of a size, and less time for each one "
            "after it; of use for many videos (batch)",
        ),
        "guided_from": (
            "--guidance-interval",
            "where on the way from noise (0) to picture (1) guidance begins and ends; outside each step is "
            "half the work, and the picture another: 0 0.8 takes 95 %% of the time on the bundled model "
            "(benchmarks/SHORTCUTS.md)",
        ),
        "guided_until": ("--guidance-interval", "where it ends"),  # the second number of that option
        "cache_steps": (
            "--cache-steps",
            "compute the whole network at every so many steps only, and between them its outer blocks: "
            "sooner, and another picture: 2 takes 71 %% of the time on the bundled model, "
            "and one frame in ten has another colour than asked for (benchmarks/SHORTCUTS.md); "
            "1: at every step",
        ),
        "freeu": (
            "--freeu",
            "FreeU, by its makers' values for the kind of model: no slower, and another picture; the "
            "miniature's get worse (of 20 prompts' subjects 72%% are seen instead of 100%%), larger models "
            "were not measured here",
        ),
        "warp": ("--warp", "how latents are moved"),
        "cross_frame_attention": ("--no-cross-frame-attention", "every frame attends to itself (ablation)"),
        "smooth_bg": (
            "--smooth-bg",
            "how much the background keeps to the first frame's, in the paper's method (0.6 there)",
        ),
        "motion_field": ("--no-motion", "do not move the first frame's latents (ablation)"),
    },
}

"""What a run can be asked for, without torch, so that the command line can answer at once."""

from dataclasses import dataclass

from checks import InputError, check_choice, check_int, check_number

WARPS = ("subcell", "whole-cell", "reference")
MAX_MOTION_PX = 512.0
# hub ids that are offered; any other, or a folder, can be given in their place
STABLE_DIFFUSION_15 = "stable-diffusion-v1-5/stable-diffusion-v1-5"
STABLE_DIFFUSION_NAME = "Stable Diffusion 1.5"  # on the page
INSTRUCT_PIX2PIX = "timbrooks/instruct-pix2pix"
DREAMBOOTH = {  # the original's base models for videos from edges -> the keyword that their style answers to
    "PAIR/text2video-zero-controlnet-canny-anime": "1girl",
    "PAIR/text2video-zero-controlnet-canny-arcane": "arcane style",
    "PAIR/text2video-zero-controlnet-canny-avatar": "avatar style",
    "PAIR/text2video-zero-controlnet-canny-gta5": "gtav style",
}
MINIATURE_STYLE = ("Miniature, neon", "miniature+style")  # the bundled style: on the page, its source
SCHEDULERS = ("ddim", "euler", "euler-ancestral", "dpm++", "unipc", "lcm")


@dataclass(frozen=True)
class Motion:
    """How frames k = 1..f-1 are made from the first: moved by k * (x, y), then noised from T' to T.

    x, y: output pixels per frame. t0, t1: T' and T as times of the schedule, 0 <= T' <= T < 1000; None
    lets ``default_times`` choose. warp: one of WARPS. enabled=False is the paper's ablation: every frame
    starts from noise of its own.
    """

    x: float = 12.0
    y: float = 12.0
    t0: int | None = None
    t1: int | None = None
    warp: str = "subcell"
    enabled: bool = True

    def check(self) -> None:
        """InputError where a value is out of range or T' lies after T."""
        check_number("motion_x", self.x, -MAX_MOTION_PX, MAX_MOTION_PX)
        check_number("motion_y", self.y, -MAX_MOTION_PX, MAX_MOTION_PX)
        check_choice("warp", self.warp, WARPS)
        for field, time in (("t0", self.t0), ("t1", self.t1)):
            if time is not None:
                check_int(field, time, 0, 999)
        if self.t0 is not None and self.t1 is not None and self.t0 > self.t1:
            raise InputError(f"t0 (T') is {self.t0} and t1 (T) is {self.t1}; T' must not be larger than T.")


def check_window(start: float, end: float) -> None:
    """InputError unless 0 <= guidance_start < guidance_end <= 1."""
    check_number("guidance_start", start, 0, 1)
    check_number("guidance_end", end, 0, 1)
    if start >= end:
        raise InputError(f"guidance_start is {start:g}, guidance_end {end:g}; the end must come later.")

"""Peers' networks are called on the same clip as ours, and counted; the plot shows the times there are."""

import io
from dataclasses import replace

import pytest
import torch
from PIL import Image

from benchmarks import plot
from benchmarks.networks import ANIMATEDIFF, MODELSCOPE, TINY, UNETS, random_unet, shape_only
from benchmarks.peers import call_once, flops_of, parameters_of, peer_plan, quick_peer_plan, rows_of
from benchmarks.plot import Bar, bars_of, plotted, times_in
from benchmarks.sides import OURS, PEER


@pytest.fixture
def plan():
    return quick_peer_plan()[0]


def test_every_network_answers_for_the_whole_clip_with_guidance(plan):
    for side, network in plan.networks:
        unet = random_unet(network, "cpu", torch.float32)
        with torch.inference_mode():
            answer = call_once(side, unet, plan, lambda call: call()).sample
        clip = (2, 4, plan.frames, 8, 8) if side not in (OURS, PEER) else (2 * plan.frames, 4, 8, 8)
        assert answer.shape == clip, side
        assert answer.isfinite().all() and answer.std() > 0, side


def test_our_network_is_left_as_found(plan):
    unet = random_unet(TINY, "cpu", torch.float32)
    found = dict(unet.attn_processors)
    with torch.inference_mode():
        for side in (OURS, PEER):
            call_once(side, unet, plan, lambda call: call())
            assert dict(unet.attn_processors) == found


def test_peers_have_their_own_size():
    """What was published: text-to-video-ms-1.7b's UNet has 1.41 billion weights, AnimateDiff's adapter 453
    million beside Stable Diffusion's 860."""
    assert round(parameters_of(MODELSCOPE) / 1e6) == 1411
    assert round(parameters_of(ANIMATEDIFF) / 1e6) == 860 + 453
    assert shape_only(ANIMATEDIFF).config.motion_max_seq_length == 32
    asked = {network: one.size for one in peer_plan("cuda") for _, network in one.networks}
    assert (asked[ANIMATEDIFF], asked[MODELSCOPE]) == (512, 256)
    assert all(network in UNETS for one in peer_plan("cpu") for _, network in one.networks)


def test_work_grows_with_frames_and_ours_is_least(plan):
    twice = replace(plan, frames=2 * plan.frames)
    for side, network in plan.networks:
        ratio = flops_of(side, network, twice) / flops_of(side, network, plan)
        assert 1.9 < ratio < 2.1, side
    work = {side: flops_of(side, network, plan) for side, network in plan.networks}
    assert work[OURS] < work[PEER] < work[ANIMATEDIFF] < work[MODELSCOPE]


def test_a_row_a_network_marked_as_random(plan):
    rows = rows_of(plan, peak_side=64, processes=False)
    assert [row["network"] for row in rows] == [
        "Text2Video-Zero, here",
        "Text2Video-Zero, diffusers",
        ANIMATEDIFF,
        MODELSCOPE,
    ]
    assert all(row["weights"].startswith("random, ") for row in rows)
    assert rows[0]["beside ours"] == "1.00"
    seconds = [float(row["one call, s"]) for row in rows]
    assert [float(row["beside ours"]) for row in rows] == pytest.approx(
        [one / seconds[0] for one in seconds], abs=0.01, rel=0.01
    )


PARTS = {
    "sides": {
        "rows": [
            {
                "network": "a",
                "video": "8 frames",
                "ours, s": "1,000",
                "diffusers, s": "2,000",
                "peak MB": "3",
            },
            {"network": "a", "video": "16 frames", "ours, s": "0.5", "diffusers, s": "", "peak MB": "3"},
        ]
    },
    "counted": {"rows": [{"network": "a", "video": "8 frames", "ours, TFLOP": "7"}]},
}


def test_bars_of_one_video_share_a_scale_and_blanks_have_none():
    assert bars_of(PARTS) == [
        Bar("sides", "a; 8 frames", "ours", "1,000 s", 0.5),
        Bar("sides", "a; 8 frames", "diffusers", "2,000 s", 1.0),
        Bar("sides", "a; 16 frames", "ours", "0.5 s", 1.0),
    ]
    assert times_in({"s": "2.5", "s a frame": "1", "of the limit": "3%"}) == {"": "2.5"}


def test_bars_are_as_long_as_the_times():
    picture = Image.open(io.BytesIO(plotted(PARTS))).convert("RGB")
    ours, theirs = plot.COLOURS[:2]
    longest = plot.WIDTH_PX - plot.LABELS_PX - plot.FIGURES_PX - plot.MARGIN_PX
    assert _lengths(picture, ours) == [pytest.approx(longest / 2, abs=2), pytest.approx(longest, abs=2)]
    assert _lengths(picture, theirs) == [pytest.approx(longest, abs=2)]


def test_results_without_times_have_an_empty_plot():
    assert Image.open(io.BytesIO(plotted({"counted": PARTS["counted"]}))).size[0] == plot.WIDTH_PX


def _lengths(picture: Image.Image, colour: str) -> list[int]:
    """Of the bars in this colour, from the top."""
    wanted = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
    rows = [
        sum(picture.getpixel((x, y)) == wanted for x in range(picture.width)) for y in range(picture.height)
    ]
    return [now for before, now in zip([0, *rows], rows, strict=False) if now and not before]

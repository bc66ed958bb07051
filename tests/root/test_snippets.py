"""Scripts of the original, in the order of its README, on the bundled model; and what docs/original.md shows.

Each snippet is a script's calls as people have them, with the lines that have to change: unchanged, such a
line is refused in a sentence, and nothing else has to change. The table in docs/original.md lists the same.
"""

import os
import re
from dataclasses import dataclass, field
from functools import partialmethod
from pathlib import Path

import gradio as gr
import pytest
import torch
from conftest import ROOT

from model import Model
from t2v.checks import InputError
from t2v.page.flags import arguments
from t2v.video.video import read_video
from t2v.video.write import read_settings

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "original.md").read_text()
# as few pixels, steps and frames as the calls take; what a script gives itself stays
SMALL = {
    "process_text2video": {"resolution": 64},
    "process_controlnet_pose": {"resolution": 64, "num_inference_steps": 1},
    "process_controlnet_canny": {"resolution": 64, "num_inference_steps": 1},
    "process_controlnet_canny_db": {"resolution": 64, "num_inference_steps": 1},
    "process_controlnet_depth": {"resolution": 64, "num_inference_steps": 1},
    "process_pix2pix": {"resolution": 64, "end_t": 0.5, "out_fps": 4},
}


@dataclass(frozen=True)
class Snippet:
    """row: where the table lists it. changes: parts of lines -> what they become."""

    row: str
    script: str
    changes: dict[str, str] = field(default_factory=dict)
    task: str | None = None  # of the video that it makes


MODEL = 'model_name="miniature"'
SNIPPETS = [
    Snippet(
        "`Model(device=",
        """
import torch
from model import Model
model = Model(device="cuda", dtype=torch.float16)
""",
        {'device="cuda", dtype=torch.float16': '"cpu"'},
    ),
    Snippet(
        "`process_text2video`",
        """
params = {"t0": 44, "t1": 47, "motion_field_strength_x": 12, "motion_field_strength_y": 12, "video_length": 2}
prompt, fps = "a red car on a street", 4
out_path = f"./text2video_{prompt.replace(' ', '_')}.mp4"
model.process_text2video(prompt, fps=fps, path=out_path, **params)
""",
        {"(prompt, fps": f"(prompt, {MODEL}, fps"},
        "text-to-video",
    ),
    Snippet(
        "the same after `get_model_list()`",
        """
from hf_utils import get_model_list
model_list = get_model_list()
for number, name in enumerate(model_list):
    print(number, name)
chosen = int(input("Which one? "))
model.process_text2video(prompt, model_name=model_list[chosen], fps=fps, path=out_path, **params)
""",
        {},
        "text-to-video",
    ),
    Snippet(
        "`merging_ratio` above 0",
        """
own = {"model_name": "miniature", "chunk_size": 2, "merging_ratio": 0.5}
model.process_text2video(prompt, path=out_path, **own, **params)
""",
        {', "merging_ratio": 0.5': ""},
        "text-to-video",
    ),
    Snippet(
        "`process_controlnet_pose`",
        """
prompt = "an astronaut is dancing on the moon"
motion_path = "__assets__/poses_skeleton_gifs/dance1_corr.mp4"
out_path = f"./text2video_pose_guidance_{prompt.replace(' ', '_')}.gif"
model.process_controlnet_pose(motion_path, prompt=prompt, save_path=out_path)
""",
        {
            "__assets__/poses_skeleton_gifs/dance1_corr.mp4": str(ROOT / "examples/pose/dancing.mp4"),
            "(motion_path, ": f"(motion_path, {MODEL}, ",
        },
        "pose",
    ),
    Snippet(
        "`process_controlnet_canny`",
        """
prompt = "a yellow car on the street at night"
video_path = "__assets__/canny_videos_mp4/deer.mp4"
out_path = f"./text2video_edge_guidance_{prompt}.mp4"
model.process_controlnet_canny(video_path, prompt=prompt, save_path=out_path)
""",
        {
            "__assets__/canny_videos_mp4/deer.mp4": str(ROOT / "examples/canny/car.mp4"),
            "(video_path, ": f"(video_path, {MODEL}, ",
        },
        "canny",
    ),
    Snippet(
        "`process_controlnet_canny_db`",
        """
video_path = "__assets__/canny_videos_mp4/deer.mp4"
out_path = f"./text2video_edge_db_{prompt}.gif"
dreambooth_model_path = "Anime DB"
model.process_controlnet_canny_db(dreambooth_model_path, video_path, prompt=prompt, save_path=out_path)
""",
        {
            "__assets__/canny_videos_mp4/deer.mp4": str(ROOT / "examples/canny/car.mp4"),
            "Anime DB": "miniature+style",
        },
        "canny",
    ),
    Snippet(
        "`process_pix2pix`",
        """
prompt, video_path = "make the car red", "__assets__/pix2pix video/camel.mp4"
out_path = f"./video_instruct_pix2pix_{prompt}.mp4"
model.process_pix2pix(video_path, prompt=prompt, save_path=out_path)
""",
        {
            "__assets__/pix2pix video/camel.mp4": str(ROOT / "examples/pix2pix/car.mp4"),
            "(video_path, ": f"(video_path, {MODEL}, ",
        },
        "pix2pix",
    ),
    Snippet(
        "`process_controlnet_depth`",
        """
prompt, video_path = "a red car in the desert", "__assets__/depth_videos_mp4/fox.mp4"
out_path = f"./text2video_depth_control_{prompt}.mp4"
model.process_controlnet_depth(video_path, prompt=prompt, save_path=out_path)
""",
        {
            "__assets__/depth_videos_mp4/fox.mp4": str(ROOT / "examples/depth/car.mp4"),
            "(video_path, ": f"(video_path, {MODEL}, control_ready=True, ",
        },
        "depth",
    ),
]


@pytest.fixture
def small(tmp_path, monkeypatch) -> Path:
    """A folder to run scripts in, where a video takes a second."""
    for name, few in SMALL.items():
        plain = getattr(Model, name)
        monkeypatch.setattr(
            Model, name, partialmethod(lambda self, *a, _f=plain, _few=few, **o: _f(self, *a, **_few | o))
        )
    monkeypatch.setattr("builtins.input", lambda _: "0")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def changed(snippet: Snippet, but: str | None = None) -> str:
    """The script on the bundled model; but: the change that is left out."""
    script = snippet.script
    for old, new in snippet.changes.items():
        assert old in script
        script = script.replace(old, new) if old != but else script
    return script


def test_the_snippets_run_in_their_order_and_only_listed_lines_change(small):
    names: dict = {}
    for snippet in SNIPPETS:
        exec(changed(snippet), names)
        if snippet.task is None:
            continue
        told, video = read_settings(Path(names["out_path"])), read_video(names["out_path"])
        assert (told["task"], told["prompt"]) == (snippet.task, names["prompt"])
        assert told["model"].startswith("miniature") and max(video.width, video.height) == 64
        assert video.num_frames >= 2 and video.frames.std() > 5


CHANGES = [(snippet, old) for snippet in SNIPPETS for old in snippet.changes]


@pytest.mark.parametrize(("snippet", "old"), CHANGES, ids=[old for _, old in CHANGES])
def test_a_listed_line_that_stays_is_refused_in_a_sentence(small, snippet, old):
    if "cuda" in old and torch.cuda.is_available():
        pytest.skip("it runs as it is where there is a GPU")
    names = {"prompt": "a red car", "fps": 4, "out_path": "out.mp4", "params": {}, "model": Model("cpu")}
    with pytest.raises(InputError) as refused:
        exec(changed(snippet, but=old), names)
    assert str(refused.value).endswith((".", ").")) and "\n" not in str(refused.value)
    assert os.listdir(small) == []


def test_the_page_lists_all_of_them():
    table = PAGE.partition("## On the bundled model")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.*?) \|.*\|$", table, re.MULTILINE)[1:]
    listed = [any(snippet.row in row for snippet in SNIPPETS) for row in rows]
    assert [row for row, known in zip(rows, listed, strict=True) if not known] == [
        "`python app.py --public_access`"
    ]
    for snippet in SNIPPETS:
        assert any(snippet.row in row for row in rows), snippet.row
    with pytest.raises(InputError, match="public_access"):
        arguments(["--public_access"])
    assert arguments(["--share"]).share


def test_the_code_of_the_page_runs_as_it_stands(small, monkeypatch):
    """Small, on the bundled model and a CPU, and the page is not served; nothing else is changed."""
    blocks, served = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL), []
    monkeypatch.setattr(gr.Blocks, "launch", lambda self, **options: served.append((self, options)))
    assert len(blocks) == 3
    names: dict = {}
    for block in blocks:
        block = block.replace('Model("cuda", "float16")', 'Model("cpu")')
        exec(block.replace("process_text2video(", f"process_text2video({MODEL}, prompt="), names)
    (path,) = (small / "outputs").glob("a-horse-galloping*.mp4")
    told = read_settings(path)
    assert (told["motion_x"], told["t0"], told["t1"], told["model"]) == (-12, 881, 941, "miniature")
    ((page, options),) = served
    assert "css_paths" in options and any(one.api_name == "canny" for one in page.fns.values())
    import t2v

    assert names["TextToVideoZeroPipeline"] is t2v.TextToVideoZeroPipeline

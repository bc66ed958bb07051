"""Names of weights on the command line that lead to several files, to another one, or to the wrong place."""

import pytest
from conftest import small_controlnet
from shelves import put_raw

from benchmarks.made_up.write import write_kind
from t2v.commands.generate import main
from t2v.library.results import settings_dict
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.models_folder import use_models_folder

OTHER = "which is there, is another file of that name; give that one, or put the first back."
GUIDE = "give it as ControlNet (--controlnet) to a run that follows a clip"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "mine"
    for made, name in (
        ("sd1 fp16", "own.safetensors"),
        ("sd1 fp16", "a/twin.safetensors"),
        ("sd1 fp16", "b/twin.safetensors"),
        ("sd1 fp16", "sub2/left.safetensors"),
        ("sd1 fp16", "z/own.safetensors"),
        ("lora kohya sd1", "l2/style.safetensors"),
    ):
        write_kind(folder / name, made)
    small_controlnet().save_pretrained(folder / "control")
    yield folder
    use_models_folder(None)


def refused(folder, capsys, *arguments: str) -> str:
    given = ["--models", str(folder), "--output", str(folder / "x.mp4")]
    assert main([*arguments, *given]) == 2 and not (folder / "x.mp4").exists()
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("twin", "--model twin may be a/twin.safetensors or b/twin.safetensors; give one of these names."),
        ("OWN", "--model OWN is not there, did you mean 'own.safetensors'?"),
        ("own+@0.5", "--model is 'own+@0.5'; give the names of both, as in miniature+style."),
        ("control", f"--model control is a ControlNet; {GUIDE}."),
        ("own+control", f"lora control is a ControlNet; {GUIDE}, or choose a LoRA."),
    ],
)
def test_a_typed_name_is_refused_in_one_sentence(folder, capsys, model, told):
    assert refused(folder, capsys, "text-to-video", "a cat", "--model", model) == f"{told}\n"


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (
            "sub1/left.safetensors",
            f"--model sub1/left.safetensors is not there, and sub2/left.safetensors, {OTHER}",
        ),
        (
            "own.safetensors+l1/style.safetensors",
            f"lora l1/style.safetensors is not there, and l2/style.safetensors, {OTHER}",
        ),
    ],
)
def test_like_says_of_another_file_that_it_is_another(folder, capsys, model, told):
    settings = {**settings_dict(TextToVideoSettings("a cat", seed=5)), "model": model}
    video = put_raw(folder / "made.mp4", settings)
    assert refused(folder, capsys, "--like", str(video)) == f"{told}\n"

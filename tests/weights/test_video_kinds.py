"""What a trained video model is and was made for, told by its files without loading any of them."""

import json
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT
from huggingface_hub import constants
from small_videos import SMALL, saved

from t2v.engine.defaults import native_side_px, told_defaults, told_sampler
from t2v.engine.engine import Engine
from t2v.engine.keeping import Machine, chosen_profile
from t2v.memory.profiles import HIGH, LOW, MEDIUM
from t2v.page.form_fields import models
from t2v.tasks.canny import CannySettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.few_steps import few_steps
from t2v.weights.here import is_here
from t2v.weights.index import check_model
from t2v.weights.listing import listed, on_offer
from t2v.weights.models_folder import use_models_folder
from t2v.weights.refusals import ModelError
from t2v.weights.source import Source
from t2v.weights.video_kinds import COGVIDEOX, MODELSCOPE, VIDEO_KINDS, WAN, Made, made_for, video_kind
from t2v.weights.weight_count import count_weights

OF = {"modelscope": MODELSCOPE, "cogvideox": COGVIDEOX, "wan": WAN}
MADE = {
    "modelscope": Made(64, 64, 16, 16, 8, 1),
    "cogvideox": Made(96, 64, 9, 3, 16, 8),
    "wan": Made(832, 480, 81, 21, 16, 4),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    for name, make in SMALL.items():
        saved(make(), root / name)
    return root


@pytest.mark.parametrize("name", OF)
def test_kinds_are_told_and_what_each_was_made_for(folder, name):
    source = Source.parse(str(folder / name))
    kind = video_kind(source)
    assert kind is OF[name] and made_for(source, kind) == MADE[name]
    made = MADE[name]
    told = told_defaults(str(folder / name), TextToVideoSettings)
    assert told == {**kind.suits, "width": made.width, "height": made.height}
    assert told_sampler(str(folder / name), TextToVideoSettings) == {"scheduler": None, "spacing": None}
    assert native_side_px(str(folder / name), "text-to-video") == pytest.approx(
        (made.width * made.height) ** 0.5
    )
    assert few_steps(source) is None


def test_hub_ids_are_told_by_name_and_pictures_are_none(model_folder):
    for kind in VIDEO_KINDS:
        assert all(video_kind(Source.parse(one)) is kind for one in kind.hub_ids)
    wan = Source.parse(WAN.hub_ids[0])
    assert made_for(wan, WAN) == MADE["wan"]
    for other in ("miniature", str(model_folder), "owner/name", "nowhere at all", ""):
        assert video_kind(Source.parse(other)) is None


def test_frames_are_whole_groups():
    made = Made(64, 64, 9, 3, 16, 8)
    assert [made.drawn(count) for count in (1, 2, 8, 9, 10, 17)] == [1, 9, 9, 9, 17, 17]
    assert Made(64, 64, 16, 16).drawn(7) == 7


@pytest.mark.parametrize("value", ["8", -1, 0, 10**9, None, [8], True, 2.5])
def test_odd_configs_are_taken_for_what_is_usual(value):
    odd = {
        "transformer": {"sample_width": value, "sample_frames": value},
        "vae": {"block_out_channels": value},
    }
    usual = Made(720, 480, 49, 13, 16, 8)
    if value == [8]:  # one block: cells of a pixel
        usual = Made(90, 60, 49, 13, 2, 8)
    assert COGVIDEOX.made(odd) == usual


def test_the_folder_of_models_lists_them_for_videos_from_text_alone(folder):
    found = {one.name: one for one in listed(folder)}
    assert found["wan"].words == "a trained video model, Wan" and found["wan"].why is None
    assert found["wan"].label == "wan, trained video model, Wan"
    use_models_folder(folder)
    try:
        assert [name for _, name in on_offer(editor=False, videos=True)] == ["cogvideox", "modelscope", "wan"]
        assert on_offer(editor=False) == on_offer(editor=True, videos=True) == []
    finally:
        use_models_folder(None)


def test_a_broken_one_is_listed_with_its_reason(folder, tmp_path):
    (tmp_path / "half").mkdir()
    index = json.loads((folder / "wan" / "model_index.json").read_text())
    (tmp_path / "half" / "model_index.json").write_text(json.dumps(index))
    (one,) = listed(tmp_path)
    assert one.words == "a trained video model, Wan" and "no folder transformer, vae" in one.why
    assert not one.draws(editor=False)


def test_other_pipelines_are_refused_by_name(folder, tmp_path):
    other = shutil.copytree(folder / "wan", tmp_path / "pictures")
    index = json.loads((other / "model_index.json").read_text())
    (other / "model_index.json").write_text(json.dumps({**index, "_class_name": "WanImageToVideoPipeline"}))
    with pytest.raises(ModelError) as refused:
        check_model(str(other))
    assert str(refused.value) == (
        f"model {other} is made for WanImageToVideoPipeline, which is not drawn with here; give a Stable "
        "Diffusion model, or a trained video model of these: ModelScope text-to-video, CogVideoX, Wan."
    )
    (one,) = listed(tmp_path)
    assert one.video is None and not one.draws(editor=False) and "made for WanImage" in one.why


def test_all_this_takes_no_torch(folder):
    code = (
        "import sys; from t2v.engine.check_weights import check_weights;"
        "from t2v.tasks.text_to_video import TextToVideoSettings as S;"
        f"check_weights(S('a car', model={str(folder / 'wan')!r}));"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_a_profile_is_chosen_by_the_weights_and_all_frames_at_once(folder, monkeypatch):
    model = str(folder / "cogvideox")
    count = count_weights(model)
    assert count.unet > 5_000 and count.rest > 5_000
    chosen = {}
    for free in (10**7, 10**9, 10**12):
        monkeypatch.setattr("t2v.engine.keeping.free_bytes", lambda device, free=free: free)
        chosen[free] = chosen_profile(model, "text-to-video", Machine("cuda", None))[0]
    assert chosen[10**12] == HIGH and chosen[10**7] not in (HIGH, MEDIUM, LOW)


def test_what_was_fetched_from_the_hub_is_on_offer_and_draws_without_it(folder, tmp_path, monkeypatch):
    known, other = WAN.hub_ids[0], "someone/clips"
    for hub_id in (known, other):
        cached, commit = tmp_path / f"models--{hub_id.replace('/', '--')}", "a" * 40
        (cached / "refs").mkdir(parents=True)
        (cached / "refs" / "main").write_text(commit)
        shutil.copytree(folder / "wan", cached / "snapshots" / commit)
    assert known not in dict(models(TextToVideoSettings)).values()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert is_here(known) and is_here(other) and not is_here(COGVIDEOX.hub_ids[0])
    offered = [name for _, name in models(TextToVideoSettings) if "Wan" in name or "Cog" in name]
    assert offered == [known] and known not in dict(models(CannySettings)).values()
    engine = Engine("cpu")
    for hub_id in (known, other):
        call = {"num_frames": 1, "num_inference_steps": 1, "width": 64, "height": 64}
        assert engine.generate(TextToVideoSettings("a car", model=hub_id, seed=1, **call)).frames.std() > 1
    with pytest.raises(ModelError, match="CogVideoX-2b is not on this machine and the hub cannot be reached"):
        engine.load(COGVIDEOX.hub_ids[0])

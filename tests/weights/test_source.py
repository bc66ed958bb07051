"""source.py: models and what stands behind their pluses, with strengths."""

import pytest
import torch
from safetensors.torch import save_file

from benchmarks.made_up.write import write_kind
from t2v.weights import source as source_file
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.behind import behind, check_lora, without_loras
from t2v.weights.source import MAX_STRENGTH, Source, bundled_loras


def strengths(text: str) -> dict[str, float]:
    source = Source.parse(text)
    return dict(zip(source.adapters, source.strengths(), strict=True))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("miniature", {}),
        ("miniature+style", {"style": 1.0}),
        ("miniature+style@0.7", {"style": 0.7}),
        (" miniature + style @ 0.7 + some/other@-0.3", {"style": 0.7, "some/other": -0.3}),
        ("some/model+some/lora+b@2+c@0", {"some/lora": 1.0, "b": 2.0, "c": 0.0}),
        ("miniature+a@1e-1", {"a": 0.1}),
    ],
)
def test_a_strength_stands_behind_each_lora(text, told):
    source = Source.parse(text)
    assert (source.base, strengths(text)) == (text.partition("+")[0].strip(), told)


@pytest.mark.parametrize("strength", ["much", "", "nan", "inf", "10.5", "-11", "0,7"])
def test_what_is_no_strength_is_refused_with_what_is_allowed(strength):
    source = Source.parse(f"miniature+style@{strength}")
    with pytest.raises(
        ModelError, match="the strength of lora style.* is '.*'; give a number from -10 to 10, as"
    ):
        source.strengths()
    assert MAX_STRENGTH == 10


def test_pluses_and_ats_in_names_of_files_that_are_there_belong_to_them(tmp_path):
    for name in ("a+b@2.safetensors", "x@0.5", "y+z"):
        (tmp_path / name).write_bytes(b"x")
    names = [str(tmp_path / name) for name in ("a+b@2.safetensors", "x@0.5", "y+z")]
    source = Source.parse("+".join(["miniature", *names]))
    assert (source.adapters, source.strengths()) == (tuple(names), (1.0, 1.0, 1.0))
    source = Source.parse(f"miniature+{names[0]}@0.25+{names[1]}@-1+{names[2]}@0.5")
    assert (source.adapters, source.strengths()) == (tuple(names), (0.25, -1.0, 0.5))
    assert source.public_name == "miniature+a+b@2.safetensors@0.25+x@0.5@-1+y+z@0.5"


def test_a_name_is_written_again_with_other_strengths():
    source = Source.parse("miniature+style@0.7+b")
    assert source.with_adapters({"style": 1, "c": -0.25}) == "miniature+style+c@-0.25"
    assert source.with_adapters({}) == "miniature"
    assert source.public_name == "miniature+style@0.7+b"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("miniature+style@0.5+style@0.7", "lora style is behind model miniature twice; give it once"),
        ("miniature+style@lots", "the strength of lora style is 'lots'"),
    ],
)
def test_what_stands_behind_a_model_is_checked(text, told):
    with pytest.raises(ModelError, match=told):
        behind(Source.parse(text))


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (
            "lora kohya sdxl",
            "is a LoRA for Stable Diffusion XL, and the model is of Stable Diffusion 1.x; choose",
        ),
        (
            "lora kohya sd2",
            "is a LoRA for Stable Diffusion 2.x, and the model is of Stable Diffusion 1.x; choose",
        ),
        ("embedding sd1", "is a textual inversion for Stable Diffusion 1.x; choose a LoRA, or"),
        ("lora kohya sd1", None),
        ("loha", None),
    ],
)
def test_what_is_no_lora_for_this_model_is_told_by_its_header_before_a_run(tmp_path, made, told):
    (tmp_path / "model" / "unet").mkdir(parents=True)
    (tmp_path / "model" / "unet" / "config.json").write_text('{"cross_attention_dim": 768}')
    write_kind(tmp_path / "x.safetensors", made)
    source = Source(str(tmp_path / "model"))
    if told is None:
        check_lora(source, str(tmp_path / "x.safetensors"))
    else:
        with pytest.raises(ModelError, match=told):
            check_lora(source, str(tmp_path / "x.safetensors"))


def test_without_loras_a_name_is_that_of_the_same_model(tmp_path):
    vae = tmp_path / "vae.safetensors"
    ends = ("encoder.conv_in.weight", "decoder.conv_in.weight")
    save_file({name: torch.zeros(4, 4, 1, 1) for name in ends}, vae)
    assert without_loras("miniature+style@0.5+b") == "miniature"
    assert without_loras(f"miniature+style@0.5+{vae}+b") == f"miniature+{vae}"
    with pytest.raises(ModelError, match="vae.safetensors has a strength, 0.5; a VAE is whole, leave that"):
        behind(Source.parse(f"miniature+{vae}@0.5"))


def test_bundled_loras_are_offered_where_their_files_are(tmp_path, monkeypatch):
    monkeypatch.setattr(source_file, "MINIATURE", tmp_path / "text-to-image")
    (tmp_path / "text-to-image").mkdir()
    assert bundled_loras() == {}
    for name, told in (("quick", "Miniature, quick"), ("style", "Miniature, neon")):
        (tmp_path / name).mkdir()
        assert told not in bundled_loras()
        (tmp_path / name / "pytorch_lora_weights.safetensors").touch()
        assert bundled_loras()[told] == f"miniature+{name}"

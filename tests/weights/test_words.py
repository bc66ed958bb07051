"""words.py: learned words by their files' names, whatever the capitals, from all kinds of files."""

import pickle

import pytest
import torch
from conftest import seeded, small_pipeline
from safetensors.torch import save_file

from t2v.weights import words
from t2v.weights.listing import Listed
from t2v.weights.models_folder import use_models_folder
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.kinds import FileKind

VECTORS = torch.randn(3, 16, generator=seeded(4))


def listed_as(path) -> Listed:
    return Listed(path.name, path, FileKind("embedding"), 1, None)


def write(path, held) -> Listed:
    save_file(held, path) if path.suffix == ".safetensors" else torch.save(held, path)
    return listed_as(path)


def embedded(pipeline, text: str) -> torch.Tensor:
    """What the text encoder begins with: vectors of the words of a text, without the marks around them."""
    ids = pipeline.tokenizer(pipeline.worded(text), add_special_tokens=False).input_ids
    return pipeline.text_encoder.get_input_embeddings()(torch.tensor(ids))


FORMATS = {
    "diffusers.safetensors": {"<thing>": VECTORS},
    "sites.safetensors": {"emb_params": VECTORS},
    "old.pt": {
        "string_to_token": {"*": torch.tensor(265)}, "string_to_param": {"*": VECTORS}, "name": "old",
    },
    "learned.bin": {"<thing>": VECTORS[0]},
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("spelled", [str.lower, str.upper, str.title])
def test_a_files_name_in_the_prompt_means_its_vectors_whatever_its_capitals(tmp_path, name, spelled):
    pipeline = small_pipeline()
    one = write(tmp_path / name, FORMATS[name])
    words.use_words(pipeline, (one,))
    wanted = VECTORS[:1] if name == "learned.bin" else VECTORS
    assert torch.equal(embedded(pipeline, spelled(one.path.stem)), wanted)
    around = embedded(pipeline, f"a {spelled(one.path.stem)}, red")
    assert torch.equal(around[1 : 1 + len(wanted)], wanted)
    assert torch.equal(around[0], embedded(pipeline, "a")[0])
    words.use_words(pipeline, ())
    assert torch.equal(embedded(pipeline, "old"), embedded(small_pipeline(), "old"))  # a word like any other


def test_prompts_are_encoded_with_them_and_without_them_as_before(tmp_path):
    pipeline, plain = small_pipeline(), small_pipeline()
    one = write(tmp_path / "Zorg.safetensors", {"emb_params": VECTORS})

    def encoded(pipe, text):
        return pipe.encode_prompt(text, "cpu", 1, False)[0]

    words.use_words(pipeline, (one,))
    assert not torch.allclose(encoded(pipeline, "a ZORG"), encoded(plain, "a ZORG"))
    assert torch.equal(encoded(pipeline, "a zorg"), encoded(pipeline, "a ZORG"))
    assert torch.equal(encoded(pipeline, "a zorgling"), encoded(plain, "a zorgling"))
    assert torch.equal(encoded(pipeline, "a car"), encoded(plain, "a car"))
    size = len(pipeline.text_encoder.get_input_embeddings().weight)
    words.use_words(pipeline, (one,))  # from memory
    assert len(pipeline.text_encoder.get_input_embeddings().weight) == size


def test_one_for_another_model_is_left_out(tmp_path):
    pipeline = small_pipeline()
    wide = write(tmp_path / "wide.safetensors", {"emb_params": torch.ones(2, 24)})
    xl = write(tmp_path / "xl.safetensors", {"clip_l": VECTORS, "clip_g": torch.ones(3, 24)})
    words.use_words(pipeline, (wide, xl))
    assert pipeline.words == {}
    assert {part: tuple(one.shape) for part, one in words.read_words(xl.path).items()} == {
        "text_encoder": (3, 16), "text_encoder_2": (3, 24)}  # fmt: skip


class Evil:
    def __reduce__(self):
        return (print, ("run",))


@pytest.mark.parametrize(
    "held",
    [
        {"emb_params": torch.full((2, 16), float("nan"))},
        {"emb_params": torch.zeros(0, 16)},
        {"a": VECTORS, "b": VECTORS},
        {"clip_l": VECTORS, "clip_g": VECTORS[:2]},
    ],
)
def test_broken_ones_are_one_sentence(tmp_path, held):
    one = write(tmp_path / "odd.safetensors", {name: tensor.clone() for name, tensor in held.items()})
    with pytest.raises(ModelError, match="the file odd.safetensors of learned words has n.*; take its name"):
        words.use_words(small_pipeline(), (one,))


def test_nothing_but_tensors_is_read(tmp_path, capsys):
    path = tmp_path / "evil.pt"
    path.write_bytes(pickle.dumps({"string_to_param": {"*": Evil()}}))
    with pytest.raises(ModelError, match="of learned words is broken and cannot be read"):
        words.use_words(small_pipeline(), (listed_as(path),))
    assert capsys.readouterr().out == ""


def test_files_are_found_by_the_names_in_the_texts(tmp_path):
    (tmp_path / "embeddings").mkdir()
    for name in ("EasyNegative", "cat", "bad-hands-5"):
        save_file({"emb_params": torch.ones(2, 768)}, tmp_path / "embeddings" / f"{name}.safetensors")
    use_models_folder(tmp_path)
    try:

        def found(*texts):
            return {one.path.stem for one in words.named_words(*texts)}

        assert found("a car", "easynegative, blurry") == {"EasyNegative"}
        assert found("a CAT", "") == {"cat"}
        assert found("cats and concatenation", "bad-hands") == set()
        assert found("BAD-HANDS-5", "") == {"bad-hands-5"}
    finally:
        use_models_folder(None)

"""A checkpoint's text encoder by the names that transformers gives its tensors."""

import re

import torch

from t2v.weights.single_file.generations import TextEncoder

OPEN_NAMES = {
    "ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
    "attn.out_proj": "self_attn.out_proj",
}  # fmt: skip
OPEN_ENDS = {
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "positional_embedding": "embeddings.position_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight",
    "ln_final.bias": "final_layer_norm.bias",
}
PROJECTION = "text_projection"  # of the text as a whole, (d e); a layer keeps it the other way round
NOT_READ = ("embeddings.position_ids",)  # places are counted, not kept
BLOCK = re.compile(r"transformer\.resblocks\.(\d+)\.(.+)\.(weight|bias)", re.ASCII)
JOINED = re.compile(r"transformer\.resblocks\.(\d+)\.attn\.in_proj_(weight|bias)", re.ASCII)


def text_state(state: dict[str, torch.Tensor], encoder: TextEncoder, layers: int) -> dict[str, torch.Tensor]:
    """The tensors behind an encoder's prefix, as CLIPTextModel calls them. layers: how many it has here.

    As CLIPTextModelWithProjection does where it is read as a whole too.
    """
    if encoder.is_whole:
        own = {f"text_model.{name}": one for name, one in _of_open_clip(state, layers).items()}
        if PROJECTION in state:
            own[f"{PROJECTION}.weight"] = state[PROJECTION].T.contiguous()
        elif f"{PROJECTION}.weight" in state:
            own[f"{PROJECTION}.weight"] = state[f"{PROJECTION}.weight"]
        return own
    if encoder.is_open:
        return _of_open_clip(state, layers)
    named = {name.removeprefix("text_model."): one for name, one in state.items()}
    return {name: one for name, one in named.items() if name not in NOT_READ and not _is_beyond(name, layers)}


def _is_beyond(name: str, layers: int) -> bool:
    found = re.match(r"encoder\.layers\.(\d+)\.", name)
    return found is not None and int(found[1]) >= layers


def _of_open_clip(state: dict[str, torch.Tensor], layers: int) -> dict[str, torch.Tensor]:
    """OpenCLIP keeps the three halves of a layer's attention as one, and a layer more than is read."""
    made = {new: state[old] for old, new in OPEN_ENDS.items() if old in state}
    for name, one in state.items():
        if (joined := JOINED.fullmatch(name)) is not None:
            if int(joined[1]) < layers:
                for part, third in zip("qkv", one.chunk(3), strict=True):
                    of = f"encoder.layers.{joined[1]}.self_attn.{part}_proj"
                    made[f"{of}.{joined[2]}"] = third.contiguous()
        elif (block := BLOCK.fullmatch(name)) is not None and int(block[1]) < layers:
            made[f"encoder.layers.{block[1]}.{OPEN_NAMES.get(block[2], block[2])}.{block[3]}"] = one
    return made

"""Names as Stable Diffusion's first checkpoints have them, of tensors that diffusers and transformers name.

Written from the layout of the original networks, apart from the code that reads such files.
"""

import re

import torch

RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
    "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip
ENDS = {
    "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2",
    "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
    "time_embedding.cond_proj": "time_embed.cond_proj",
    "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
}  # fmt: skip
VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
OPEN = {
    "layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}  # fmt: skip


def _swap(text: str, table: dict[str, str]) -> str:
    for new, old in table.items():
        text = re.sub(rf"(?<![\w]){re.escape(new)}(?![\w])", old, text)
    return text


def unet_name(name: str, per_level: int, attends: set[int]) -> str:
    """per_level: resnets of a level on the way down. attends: levels with attention, on the way up."""
    if found := re.match(r"(down|up)_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.*)", name):
        way, level, part, number, rest = found.groups()
        place = int(level) * (per_level + 1) + int(number)
        where = f"input_blocks.{place + 1}" if way == "down" else f"output_blocks.{place}"
        return f"{where}.{0 if part == 'resnets' else 1}.{_swap(rest, RESNET) if part == 'resnets' else rest}"
    if found := re.match(r"down_blocks\.(\d+)\.downsamplers\.0\.conv\.(.*)", name):
        return f"input_blocks.{(int(found[1]) + 1) * (per_level + 1)}.0.op.{found[2]}"
    if found := re.match(r"up_blocks\.(\d+)\.upsamplers\.0\.conv\.(.*)", name):
        place, level = int(found[1]) * (per_level + 1) + per_level, int(found[1])
        return f"output_blocks.{place}.{2 if level in attends else 1}.conv.{found[2]}"
    if found := re.match(r"mid_block\.resnets\.(\d)\.(.*)", name):
        return f"middle_block.{2 * int(found[1])}.{_swap(found[2], RESNET)}"
    if found := re.match(r"mid_block\.attentions\.0\.(.*)", name):
        return f"middle_block.1.{found[1]}"
    return _swap(name, ENDS)


def original_unet(unet, prefix: str = "model.diffusion_model.") -> dict[str, torch.Tensor]:
    kinds = unet.config.up_block_types
    attends = {number for number, kind in enumerate(kinds) if kind.startswith("CrossAttn")}
    per_level = unet.config.layers_per_block
    return {prefix + unet_name(name, per_level, attends): one for name, one in unet.state_dict().items()}


def ema_of(unet: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Averages of a UNet's weights, under their own names: here each is one more than the plain one."""
    return {"model_ema." + "".join(name.split(".")[1:]): one + 1 for name, one in unet.items()}


def original_vae(vae, prefix: str = "first_stage_model.") -> dict[str, torch.Tensor]:
    levels, made = len(vae.config.block_out_channels), {}
    for name, one in vae.state_dict().items():
        if found := re.match(r"(encoder|decoder)\.mid_block\.attentions\.0\.(.*)", name):
            new = f"{found[1]}.mid.attn_1.{_swap(found[2], VAE_ATTENTION)}"
            one = one[:, :, None, None] if one.ndim == 2 else one
        else:
            new = re.sub(
                r"mid_block\.resnets\.(\d)", lambda found: f"mid.block_{int(found[1]) + 1}", name
            ).replace("conv_shortcut", "nin_shortcut")
            new = re.sub(r"encoder\.down_blocks\.(\d)\.resnets", r"encoder.down.\1.block", new)
            new = re.sub(r"encoder\.down_blocks\.(\d)\.downsamplers\.0", r"encoder.down.\1.downsample", new)
            new = re.sub(
                r"decoder\.up_blocks\.(\d)\.(resnets|upsamplers\.0)",
                lambda found: (
                    f"decoder.up.{levels - 1 - int(found[1])}."
                    f"{'block' if found[2] == 'resnets' else 'upsample'}"
                ),
                new,
            ).replace("conv_norm_out", "norm_out")
        made[prefix + new] = one
    return made


def original_clip(encoder, prefix: str = "cond_stage_model.transformer.") -> dict[str, torch.Tensor]:
    state = {name.removeprefix("text_model."): one for name, one in encoder.state_dict().items()}
    return {f"{prefix}text_model.{name}": one for name, one in state.items()}


def open_clip(encoder, prefix: str = "cond_stage_model.model.", further: int = 1) -> dict[str, torch.Tensor]:
    """further: last layers that the encoder does not have, as Stable Diffusion 2 leaves one out."""
    state = {name.removeprefix("text_model."): one for name, one in encoder.state_dict().items()}
    width, layers = encoder.config.hidden_size, encoder.config.num_hidden_layers
    made = {
        "token_embedding.weight": state["embeddings.token_embedding.weight"],
        "positional_embedding": state["embeddings.position_embedding.weight"],
        "ln_final.weight": state["final_layer_norm.weight"],
        "ln_final.bias": state["final_layer_norm.bias"],
        "text_projection": state.get("text_projection.weight", torch.eye(2).expand(1, 2, 2)[0]).T,
        "logit_scale": torch.ones(()),
    }
    for number in range(layers + further):
        of = f"encoder.layers.{min(number, layers - 1)}."
        block = {name.removeprefix(of): one for name, one in state.items() if name.startswith(of)}
        for kind in ("weight", "bias"):
            made[f"transformer.resblocks.{number}.attn.in_proj_{kind}"] = torch.cat(
                [block[f"self_attn.{part}_proj.{kind}"] for part in "qkv"]
            )
        for name, one in block.items():
            if not re.match(r"self_attn\.[qkv]_proj", name):
                made[f"transformer.resblocks.{number}.{_swap(name, OPEN)}"] = one + (number == layers)
    assert made["ln_final.bias"].shape == (width,)
    return {prefix + name: one for name, one in made.items()}

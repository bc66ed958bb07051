"""needs.py, free.py: what is estimated, beside what tensors without contents come to."""

import weakref

import pytest
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter
from torch.utils.weak import WeakIdKeyDictionary

from t2v.memory import free
from t2v.memory.free import free_bytes
from t2v.memory.needs import decode_bytes, row_bytes

SD = {"cross_attention_dim": 768, "attention_head_dim": 8, "sample_size": 64}
XL = {
    "sample_size": 128,
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": [1, 2, 10],
    "attention_head_dim": [5, 10, 20],
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
}


class Living(TorchDispatchMode):
    """The most bytes of tensors that live at once in this block."""

    def __init__(self):
        super().__init__()
        self.now = self.most = 0
        self._seen = WeakIdKeyDictionary()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for one in tree_iter(made):
            if isinstance(one, torch.Tensor) and (kept := one.untyped_storage()) not in self._seen:
                size = self._seen[kept] = kept.nbytes()
                self.now += size
                self.most = max(self.most, self.now)
                weakref.finalize(kept, self._gone, size)
        return made

    def _gone(self, size: int) -> None:
        self.now -= size


@pytest.mark.parametrize("config", [SD, XL], ids=["sd", "sdxl"])
def test_a_frames_need_is_that_of_the_real_networks(config, monkeypatch):
    # as on GPUs: without tensors' contents torch would hold the whole table of scores
    monkeypatch.setattr(F, "scaled_dot_product_attention", lambda query, *_, **__: torch.empty_like(query))
    with torch.device("meta"):
        unet = UNet2DConditionModel(**config).half()
    side, most = config["sample_size"], {}
    for rows in (2, 6):
        noisy = torch.empty(rows, 4, side, side, device="meta", dtype=torch.half)
        text = torch.empty(rows, 77, config["cross_attention_dim"], device="meta", dtype=torch.half)
        with torch.no_grad(), Living() as living:
            unet(noisy, torch.tensor(5), text)
        most[rows] = living.most
    row = (most[6] - most[2]) / 4
    assert row == pytest.approx(row_bytes(unet.config, side * side, 2), rel=0.1)


def test_a_decoded_pictures_need_is_that_of_the_real_vae():
    widths = (128, 256, 512, 512)
    with torch.device("meta"):
        vae = AutoencoderKL(
            block_out_channels=widths,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
        ).half()
    with torch.no_grad(), Living() as living:
        vae.decode(torch.empty(1, 4, 32, 32, device="meta", dtype=torch.half))
    assert living.most == pytest.approx(decode_bytes(vae.config, 256 * 256, 2), rel=0.1)


def test_free_memory_heeds_a_containers_limit(tmp_path, monkeypatch):
    whole = free_bytes("cpu")
    assert 0 < whole < 2**50
    monkeypatch.setattr(free, "CGROUP", tmp_path)
    assert free_bytes("cpu") == pytest.approx(whole, rel=0.5)
    for name, text in {
        "memory.max": "3000000",
        "memory.current": "1500000",
        "memory.stat": "anon 7\ninactive_file 250000\n",
    }.items():
        (tmp_path / name).write_text(text)
    assert free_bytes("cpu") == 1_750_000
    (tmp_path / "memory.max").write_text("max\n")
    assert free_bytes("cpu") == pytest.approx(whole, rel=0.5)

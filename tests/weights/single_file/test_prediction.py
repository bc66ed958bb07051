"""What a UNet predicts, found out by one call: on the bundled one, as it is and as if it predicted v."""

from types import SimpleNamespace

import pytest
import torch

from t2v.diffusion.telling import guidance_by
from t2v.weights.load import load_pipeline
from t2v.weights.single_file.prediction import found_prediction

pytestmark = pytest.mark.slow


def test_the_miniature_predicts_noise_and_what_would_predict_v_is_told_apart():
    pipeline = load_pipeline("miniature", "cpu", torch.float32)
    text = guidance_by(pipeline, "", "", 1.0)
    assert found_prediction(pipeline.unet, text) == "epsilon"
    kept = pipeline.scheduler.alphas_cumprod

    def predict_v(latents, time, encoder_hidden_states):
        """v = sqrt(abar) noise - sqrt(1 - abar) x_0, of the same network's noise."""
        noise = pipeline.unet(latents, time, encoder_hidden_states=encoder_hidden_states).sample
        alpha = kept[int(time)]
        picture = (latents - (1 - alpha).sqrt() * noise) / alpha.sqrt()
        return SimpleNamespace(sample=alpha.sqrt() * noise - (1 - alpha).sqrt() * picture)

    predict_v.config = pipeline.unet.config
    assert found_prediction(predict_v, text) == "v_prediction"

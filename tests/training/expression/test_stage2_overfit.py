"""Stage 2 of the expression predictor overfits four clips, with noise informed by their events."""

from __future__ import annotations

import numpy as np
import torch

from gohd_core.checkpoints import save_network
from gohd_core.expression import ExpressionConfig, ExpressionNetwork
from gohd_core.training.expression.stage2 import ExpressionStage2Task, Stage2Config
from gohd_core.training.framework.config import load_config
from gohd_core.training.framework.data import clip_examples, collate
from gohd_core.training.framework.loop import train
from tests.support.clip_sets import write_talk_clips

LIPS = ExpressionConfig(
    eye_motion_input=True, audio_widths=(4, 4, 8, 8, 16), audio_residuals=0, mapping_widths=(16,)
)


def test_it_overfits_four_clips(tmp_path):
    clips = write_talk_clips(tmp_path / "talk")
    torch.manual_seed(0)
    stage1 = tmp_path / "expression.safetensors"
    save_network(stage1, ExpressionNetwork(LIPS), component="expression", config=LIPS, space="stylised")
    off = ("eye_discriminator", "eye_motion_discriminator", "coefficient_discriminator", "stage1")
    settings = [
        f"data.folders=['{clips}']", "data.batch=4", "data.cache_features=false", "data.validation_batches=0",
        "loop.device=cpu", "loop.steps=200", "optimiser.learning_rate=0.01", "optimiser.schedule=cosine",
        "optimiser.clip_norm=5", "frames=40", f"stage1={stage1}", "informed_noise=true",
        "generator={embedding_width: 32, embedding_hidden: 16, noise_width: 12, output_hidden: 16}",
        "losses.eye_ratio=10", *(f"losses.{name}=off" for name in off),
    ]  # fmt: skip
    config = load_config(Stage2Config, None, settings)
    summary = train(ExpressionStage2Task, config, tmp_path / "run")
    again = load_config(Stage2Config, None, [*settings, f"start={summary.exported[0]}"])
    task = ExpressionStage2Task(again)
    examples = clip_examples(again.data, task.draw("train"), seed=0, split="train")
    batch = collate([examples[n] for n in range(8)])
    network = task.networks["expression"].eval()
    truth = task.geometry.face(batch["expression"]).eye_motion
    with torch.no_grad():
        audio = network.lips.audio_encoder(batch["chunks"])
        made = network.eyes(audio, batch["expression"][:, 0], truth[:, 0], batch["noise"])
    ratio, wanted = made[..., 0].flatten(), truth[..., 0].flatten()
    assert np.corrcoef(ratio, wanted)[0, 1] > 0.8
    assert 0.6 < float(ratio.std() / wanted.std()) < 1.4

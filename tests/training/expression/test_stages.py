"""The trainers of both expression stages: losses fall, the right weights move, configs run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gohd_core.checkpoints import save_network
from gohd_core.commands.train import CONFIGS
from gohd_core.errors import BadInput
from gohd_core.expression import ExpressionConfig, ExpressionNetwork, ExpressionPredictor
from gohd_core.face.geometry.expression_geometry import FaceGeometry
from gohd_core.training.expression.audio_embeddings import EmbeddingStore
from gohd_core.training.expression.stage1 import ExpressionStage1Task, Stage1Config
from gohd_core.training.expression.stage2 import ExpressionStage2Task, Stage2Config
from gohd_core.training.framework.config import load_config
from gohd_core.training.framework.data import clip_examples, collate, find_clips
from gohd_core.training.framework.loop import train
from gohd_core.training.framework.run import Counters, Run
from gohd_core.training.framework.task import Moment
from tests.support.clip_sets import write_talk_clips
from tests.support.small_runs import two_steps

SMALL = "{audio_widths: [6, 8, 12, 16, 24], audio_residuals: 1, mapping_widths: [48], eye_motion_input: true}"
GENERATOR = "{embedding_width: 16, noise_width: 8, embedding_hidden: 8, output_hidden: 8, decoder_heads: 2}"
JUDGES = "{width: 16, layers: 1, heads: 2, patch_widths: [8, 8, 8]}"
START = Moment(0, 0.0)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_talk_clips(tmp_path_factory.mktemp("talk"))


@pytest.fixture(scope="module")
def stage1_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = ExpressionConfig(
        eye_motion_input=True, audio_widths=(6, 8, 12, 16, 24), audio_residuals=1, mapping_widths=(24,)
    )
    torch.manual_seed(3)
    network = ExpressionNetwork(config)
    path = tmp_path_factory.mktemp("stage1") / "expression.safetensors"
    return save_network(path, network, component="expression", config=config, space="stylised")


def stage1(clips: Path, *settings: str, file: Path | None = None) -> Stage1Config:
    return load_config(Stage1Config, file, [*two_steps(clips, 4), f"network={SMALL}", *settings])


def stage2(clips: Path, stage1_file: Path, *settings: str, file: Path | None = None) -> Stage2Config:
    networks = [f"stage1_network={SMALL}", f"generator={GENERATOR}", f"discriminators={JUDGES}"]
    common = [*two_steps(clips, 3), "frames=40", *networks, f"stage1={stage1_file}"]
    return load_config(Stage2Config, file, [*common, *settings])


def batch_of(run: Run) -> dict:
    return next(run.batches())


def test_stage_1_overfits_four_clips(clips: Path, tmp_path: Path) -> None:
    tiny = (
        "{audio_widths: [4, 4, 8, 12, 16], audio_residuals: 0, mapping_widths: [48], eye_motion_input: true}"
    )
    settings = ["loop.steps=250", "optimiser.learning_rate=0.01", "optimiser.schedule=cosine"]
    settings.append(f"network={tiny}")
    summary = train(ExpressionStage1Task, stage1(clips, *settings), tmp_path / "run")
    predictor = ExpressionPredictor.load(summary.exported[0])
    run = Run(ExpressionStage1Task, stage1(clips))
    batch = batch_of(run)
    geometry = FaceGeometry.load(None, "stylised")
    made = torch.stack(
        [
            predictor.predict(chunks, e0, eye_motion=geometry.face(truth[None]).eye_motion[0])[0]
            for chunks, e0, truth in zip(batch["chunks"], batch["e0"], batch["expression"], strict=True)
        ]
    )
    jaw, truth = made[..., 0].flatten(), batch["expression"][..., 0].flatten()
    blink, closed = made[..., 10].flatten(), batch["expression"][..., 10].flatten()
    assert np.corrcoef(jaw, truth)[0, 1] > 0.95 and float(jaw.std() / truth.std()) > 0.85
    assert np.corrcoef(blink, closed)[0, 1] > 0.6


def test_stage_1_terms_add_up_to_eq_19(clips: Path) -> None:
    run = Run(ExpressionStage1Task, stage1(clips))
    terms = run.task.losses("generator", batch_of(run), START)
    weights = {"landmarks": 0.01, "eye_motion": 2, "mouth_closing": 1, "coefficients": 2}
    assert {name: weight for name, (weight, _) in terms.items() if weight} == weights
    total = sum(weight * float(terms[name][1].detach()) for name, weight in weights.items())
    assert float(terms.total().detach()) == pytest.approx(total, rel=1e-5)


def test_stride_skips_frames_and_keeps_sound_and_targets_together(clips: Path) -> None:
    task = ExpressionStage1Task(stage1(clips, "frames=5", "stride=4"))
    clip = find_clips(task.config.data, "train")[0]
    apart = task.draw("train")(clip, np.random.default_rng(3))
    task = ExpressionStage1Task(stage1(clips, "frames=17"))
    every = task.draw("train")(clip, np.random.default_rng(3))
    for name in ("chunks", "expression"):
        assert len(apart[name]) == 5 and np.array_equal(apart[name], every[name][::4])


def test_lip_reader_is_off_in_words_or_needs_weights(clips: Path, tmp_path: Path) -> None:
    notes = " ".join(ExpressionStage1Task(stage1(clips)).notes())
    assert "The lip_reading loss is off" in notes
    with pytest.raises(BadInput, match=r"give features.lip_reading.weights=FILE"):
        ExpressionStage1Task(stage1(clips, "losses.lip_reading=2.0"))


def test_lip_reading_loss_reaches_the_predictor(clips: Path, tmp_path: Path) -> None:
    from gohd_core.training.feature_networks.lip_reading import LipReader

    torch.manual_seed(0)
    torch.save(LipReader().state_dict(), tmp_path / "reader.pth")
    settings = ["losses.lip_reading=2.0", f"features.lip_reading.weights={tmp_path / 'reader.pth'}"]
    off = [f"losses.{name}=off" for name in ("landmarks", "eye_motion", "mouth_closing", "coefficients")]
    run = Run(ExpressionStage1Task, stage1(clips, *settings, *off, "data.batch=1", "frames=5"))
    terms = run.task.losses("generator", batch_of(run), START)
    assert [name for name, (weight, _) in terms.items() if weight] == ["lip_reading"]
    assert float(terms["lip_reading"][1]) > 0
    terms.total().backward()
    mapping = run.task.networks["expression"].lips.mapping[0].weight
    assert mapping.grad.abs().max() > 0


def test_stage_2_moves_the_generator_and_the_judges_alone(clips: Path, stage1_file: Path) -> None:
    settings = ["optimiser.learning_rate=0.01", "discriminator_optimiser.learning_rate=0.01"]
    run = Run(ExpressionStage2Task, stage2(clips, stage1_file, *settings))
    before = {name: value.clone() for name, value in run.task.networks.state_dict().items()}
    run.take_step([batch_of(run)], START, Counters())
    after = run.task.networks.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed, "a step must change something"
    assert not any(name.startswith("expression.lips.") for name in changed)
    for part in (
        "expression.eyes.lstm",
        "eye_discriminator",
        "eye_motion_discriminator",
        "coefficient_discriminator",
    ):
        assert any(name.startswith(part) for name in changed), part


def test_without_stage_1_the_mapping_moves_too(clips: Path) -> None:
    config = stage2(clips, Path("x"), "stage1=null", "optimiser.learning_rate=0.01")
    run = Run(ExpressionStage2Task, config)
    weight = run.task.networks["expression"].lips.mapping[0].weight
    before = weight.detach().clone()
    run.take_step([batch_of(run)], START, Counters())
    assert not torch.equal(before, weight)
    assert any("stage1 is null" in note for note in run.task.notes())


def test_sound_dropout_hides_sound_from_the_generator_while_training(clips: Path, stage1_file: Path) -> None:
    run = Run(ExpressionStage2Task, stage2(clips, stage1_file, "sound_dropout=0.5"))
    task, batch = run.task, batch_of(run)
    heard = []
    task.networks["expression"].eyes.register_forward_pre_hook(lambda _, given: heard.append(given[0]))
    for training in (True, False):
        task.networks.train(training)
        task.losses("generator", batch, START)
    whole = task._audio(batch)
    assert torch.equal(heard[1], whole)
    alive = whole != 0
    assert 0.4 < (heard[0][alive] == 0).float().mean() < 0.6
    with pytest.raises(BadInput, match="share from 0"):
        stage2(clips, stage1_file, "sound_dropout=1")


def test_stage_2_learns_eye_motion(clips: Path, stage1_file: Path, tmp_path: Path) -> None:
    off = ["eye_discriminator", "eye_motion_discriminator", "coefficient_discriminator", "stage1"]
    settings = [f"losses.{name}=off" for name in off]
    settings += ["loop.steps=150", "optimiser.learning_rate=0.01", "loop.log_every=10"]
    summary = train(ExpressionStage2Task, stage2(clips, stage1_file, *settings), tmp_path / "run")
    import json

    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    loss = [line["generator/eye_motion"] for line in lines if line["event"] == "train"]
    assert loss[-1] < 0.55 * loss[0]
    predictor = ExpressionPredictor.load(summary.exported[0])
    assert predictor.config.kind == "lstm"
    result = predictor.predict(torch.zeros(9, 80, 16), torch.zeros(64), None, seed=1)
    assert result[1].shape == (9, 21)


def test_stage_2_starts_with_another_run_s_generator(clips: Path, stage1_file: Path, tmp_path: Path) -> None:
    torch.manual_seed(11)
    before = ExpressionStage2Task(stage2(clips, stage1_file))
    network, config = before.networks["expression"], before.expression
    path = tmp_path / "whole.safetensors"
    save_network(path, network, component="expression", config=config, space="stylised")
    torch.manual_seed(12)
    after = ExpressionStage2Task(stage2(clips, stage1_file, f"start={path}"))
    eyes = after.networks["expression"].eyes.state_dict()
    for name, value in network.eyes.state_dict().items():
        torch.testing.assert_close(eyes[name], value)
    with pytest.raises(BadInput, match="another generator of eye motion"):
        ExpressionStage2Task(stage2(clips, stage1_file, f"start={stage1_file}"))


def test_a_stage_1_without_eye_motion_is_refused(clips: Path, tmp_path: Path) -> None:
    config = ExpressionConfig(audio_widths=(6, 8, 12, 16, 24), audio_residuals=1)
    path = tmp_path / "released.safetensors"
    save_network(path, ExpressionNetwork(config), component="expression", config=config, space="stylised")
    with pytest.raises(BadInput, match="no eye-motion input"):
        ExpressionStage2Task(stage2(clips, path))


def test_embeddings_are_computed_once_and_right() -> None:
    torch.manual_seed(0)
    encoder = ExpressionNetwork(ExpressionConfig(audio_widths=(4, 4, 4, 4, 6))).lips.audio_encoder.eval()
    chunks = torch.randn(30, 80, 16)
    store = EmbeddingStore(encoder)
    store.embed(chunks[None, 2:12], ["a"], torch.tensor([2]))
    whole = store.embed(chunks[None], ["a"], torch.tensor([0]))[0]
    torch.testing.assert_close(whole, encoder(chunks).detach(), atol=1e-5, rtol=1e-5)
    store.encoder = None
    again = store.embed(chunks[None, 5:9], ["a"], torch.tensor([5]))[0]
    assert torch.equal(again, whole[5:9]), "nothing is left to compute"


def test_real_video_needs_its_morphable_model(clips: Path) -> None:
    with pytest.raises(BadInput, match=r"face_model=BFM_model_front.mat"):
        ExpressionStage1Task(stage1(clips, "data.space=bfm09"))


def test_examples_depend_on_their_number_alone(clips: Path) -> None:
    config = stage1(clips, "augmentation.noise_share=0.5", "augmentation.quiet_share=0.3")
    task = ExpressionStage1Task(config)
    for split in ("train", "validation"):
        examples = clip_examples(config.data, task.draw(split), seed=0, split=split)
        first, again = (collate([examples[n] for n in (5, 2)]) for _ in range(2))
        assert torch.equal(first["chunks"], again["chunks"])


@pytest.mark.parametrize("path", sorted((CONFIGS / "expression-stage1").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_stage_1_config_takes_two_steps(path: Path, clips: Path, tmp_path: Path) -> None:
    settings = ["data.space=stylised", "losses.lip_reading=off", "loop.max_minutes=null", "data.workers=0"]
    config = stage1(clips, *settings, "frames=20", file=path)
    assert train(ExpressionStage1Task, config, tmp_path).step == 2


@pytest.mark.parametrize("path", sorted((CONFIGS / "expression-stage2").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_stage_2_config_takes_two_steps(
    path: Path, clips: Path, stage1_file: Path, tmp_path: Path
) -> None:
    own = load_config(Stage2Config, path)
    settings = ["data.space=stylised", "loop.max_minutes=null", "data.workers=0"]
    settings.append("stage1=null" if own.stage1 is None else f"stage1={stage1_file}")
    generator = f"generator={GENERATOR[:-1]}, kind: {own.generator.kind}, embedding_width: 24}}"
    config = stage2(clips, stage1_file, *settings, generator, file=path)
    assert train(ExpressionStage2Task, config, tmp_path).step == 2


def test_stage_1_goes_on_from_a_file(clips: Path, stage1_file: Path) -> None:
    layers = "network.mapping_widths=[24]"
    task = ExpressionStage1Task(stage1(clips, layers, f"start={stage1_file}"))
    saved = ExpressionPredictor.load(stage1_file).network.state_dict()
    trained = task.networks["expression"].state_dict()
    assert trained.keys() == saved.keys()
    assert all(torch.equal(value, saved[name]) for name, value in trained.items())
    with pytest.raises(BadInput, match="another architecture"):
        ExpressionStage1Task(stage1(clips, f"start={stage1_file}"))

"""Losses that take turns: an optimiser each, rounds that the recipe counts, killed runs."""

import pytest
import torch
from torch.nn import functional

from fgbench.config import load_training
from fgbench.config.clip_networks import TrainClipConfig
from fgbench.config.training import ImageLossConfig, NetworkConfig, TrainImageConfig
from fgbench.methods.msau.task import ImageTask
from fgbench.models.msau import MsauNet
from fgbench.training.losses import ALL, RANK, SOFTMAX, turns_of
from tests.support.tiny_task import RECIPE, KilledError, TinyTask, digest, killer, losses, train

ADAM = RECIPE.model_copy(update={"kind": "adamw", "learning_rate": 0.01, "epochs": 3, "clip_norm": 0.0})
SIZES = ("", "-small", "-tuned")
ROWS = ("plain-cnn", "au-cnn", "au-z-cnn", "msau", "msau-alternating")
"""MSAU-Net and its ablations in Table II."""


class TurningTask(TinyTask):
    """Cross entropy and, in turn, a loss of the last layer with gradients a hundred times smaller."""

    def turns(self):
        return [[{"params": list(self.model.parameters())}], [{"params": list(self.model[4].parameters())}]]

    def loss(self, batch, *, epoch):
        logits = self.model(self.x[batch])
        if epoch % 2 == 0:
            return functional.cross_entropy(logits, self.y[batch]), {}
        return 0.01 * logits.square().mean(), {}


pytestmark = pytest.mark.usefixtures("one_thread")


def test_every_turn_has_an_optimiser_of_its_own(tmp_path):
    config = ADAM.model_copy(update={"schedule": "constant", "warmup_epochs": 0.0})
    task = TurningTask(dropout=0.0, norm=False)
    train(task, tmp_path, config=config.model_copy(update={"keep": "last"}))
    other = TurningTask(dropout=0.0, norm=False)
    own = [
        torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay)
        for groups in other.turns()
    ]
    for epoch in range(6):
        for batch in other.batches(epoch=epoch, rank=0, world=1):
            other.model.zero_grad()
            other.loss(batch, epoch=epoch)[0].backward()
            own[epoch % 2].step()
    for mine, theirs in zip(task.model.parameters(), other.model.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


def test_a_turn_leaves_alone_what_it_does_not_train(tmp_path):
    """Neither momentum nor weight decay of the other turn move it."""
    task, actual = TurningTask(), []
    task.score = lambda: {"score": 0.0}

    def watch(what, done, total):
        actual.append(task.model[0].weight.detach().clone())

    train(task, tmp_path, config=ADAM.model_copy(update={"weight_decay": 0.5}), progress=watch)
    steps = len(task.batches(epoch=0, rank=0, world=1))
    assert not torch.equal(actual[0], actual[steps - 1])
    assert all(torch.equal(actual[steps - 1], one) for one in actual[steps : 2 * steps])


def test_the_recipe_counts_rounds(tmp_path):
    config = RECIPE.model_copy(update={"epochs": 3, "patience": 3})
    alone = train(TinyTask(), tmp_path / "alone", config=config)
    totals = set()
    history = train(
        TurningTask(), tmp_path / "turns", config=config, progress=lambda what, done, total: totals.add(total)
    )
    assert (history.turns, len(history.epochs)) == (2, 6)
    assert totals == {3 * 2 * 8, 6 * 8}
    assert [bool(one.score) for one in history.epochs] == [False, True] * 3
    rates = [one.learning_rate for one in alone.epochs]
    assert [one.learning_rate for one in history.epochs[::2]] == pytest.approx(rates)
    assert [one.learning_rate for one in history.epochs[1::2]] == pytest.approx(rates)


@pytest.mark.parametrize(
    ("scores", "patience", "epochs", "best"),
    [([0.5, 0.4, 0.3, 0.9], 2, 6, 1), ([0.5, 0.4, 0.6, 0.9], 2, 8, 7), ([0.5, 0.9, 0.1, 0.1], 1, 6, 3)],
)
def test_patience_counts_rounds(tmp_path, scores, patience, epochs, best):
    config = RECIPE.model_copy(update={"epochs": 4, "patience": patience})
    history = train(TurningTask(scores=scores), tmp_path, config=config)
    assert len(history.epochs) == epochs
    assert history.best_epoch == best
    assert history.stopped_early == (epochs < 8)


@pytest.mark.slow
@pytest.mark.parametrize("after", [3, 8, 11, 19, 24, 33])
def test_killed_and_resumed_is_the_same_to_the_last_bit(tmp_path, after):
    whole = TurningTask()
    expected = train(whole, tmp_path / "whole", config=ADAM)
    with pytest.raises(KilledError):
        train(TurningTask(), tmp_path / "killed", config=ADAM, progress=killer(after))
    task = TurningTask()
    history = train(task, tmp_path / "killed", config=ADAM)
    assert digest(task.model) == digest(whole.model)
    assert losses(history) == losses(expected)


def test_turns_of_losses():
    assert turns_of(ImageLossConfig()) == (SOFTMAX, RANK)
    assert turns_of(ImageLossConfig(rank=0)) == (SOFTMAX,)
    assert turns_of(ImageLossConfig(fine=0, basic=0)) == (RANK,)
    assert turns_of(ImageLossConfig(alternate=False)) == (ALL,)


@pytest.mark.parametrize("stop_gradient", [True, False])
def test_the_ranking_turn_trains_the_finer_scale_alone(stop_gradient):
    trunk = {"input_px": 112, "stem": 4, "widths": (4, 4, 4, 8), "norm": "none"}
    network = NetworkConfig.model_validate({"trunk": trunk, "fc_hidden": None, "embedding": 8})
    model = MsauNet(network)
    model.freeze()
    config = TrainImageConfig(
        name="tiny",
        method="MSAU-Net (Ours)",
        network=network,
        losses=ImageLossConfig(stop_gradient=stop_gradient),
    )
    task = ImageTask(
        model,
        config,
        None,
        train=[],
        selection=[],
        maps=None,
        selection_maps=None,
        seed=0,
        device=torch.device("cpu"),
    )
    names = {id(value): name for name, value in model.named_parameters()}
    softmax, rank = (
        {names[id(value)] for group in groups for value in group["params"]} for groups in task.turns()
    )
    assert softmax == {name for name in names.values() if name.startswith("scales.")}
    assert rank == {name for name in softmax if not (stop_gradient and name.startswith("scales.0."))}


def softmax_schedule(config):
    """Weight of the softmax loss of the 33 classes in each round, and what else decides its steps."""
    turns = turns_of(config.losses)
    weights = [config.losses.fine * (turn in (SOFTMAX, ALL)) for turn in turns]
    return [sum(weights)] * config.optimiser.epochs, config.optimiser


@pytest.mark.parametrize("size", SIZES)
def test_rows_of_the_ablation_are_trained_alike(size):
    """Only the parts of the network differ: as many softmax steps, of the same weight and rate."""
    schedules = {row: softmax_schedule(load_training(row + size, TrainImageConfig)) for row in ROWS}
    for row in ROWS:
        assert schedules[row] == schedules["msau"], row
    assert sum(schedules["msau"][0]) > 0


@pytest.mark.parametrize("size", SIZES)
def test_both_ways_to_train_with_the_ranking_loss_are_packed(size):
    joint = load_training(f"msau{size}", TrainImageConfig).losses
    turning = load_training(f"msau-alternating{size}", TrainImageConfig).losses
    assert (joint.alternate, turning.alternate) == (False, True)
    assert joint.model_copy(update={"alternate": True}) == turning


@pytest.mark.parametrize("size", SIZES)
def test_clips_are_trained_by_the_losses_of_the_fusion_as_in_the_paper(size):
    ours = load_training(f"tmsau-streams{size}", TrainClipConfig)
    for row in ("tmsau", "nan", "plain-tsnet", "tmsau-vgg-lstm", "tmsau-c3d-lstm"):
        losses = load_training(row + size, TrainClipConfig).losses
        assert losses.on == "fused", row
        assert losses.model_copy(update={"on": "streams"}) == ours.losses, row
    assert ours.method == load_training(f"tmsau{size}", TrainClipConfig).method

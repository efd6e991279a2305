"""Lines, points and values that the training loop writes about itself."""

import json

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from fgbench.training.loop import HISTORY
from fgbench.workfolders.sealed_json import read_sealed
from tests.support.tiny_task import RECIPE, KilledError, TinyTask, digest, killer, train

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Digest of the weights and the history of a training that nobody interrupted."""
    task = TinyTask()
    history = train(task, tmp_path_factory.mktemp("whole"))
    return digest(task.model), history


def test_losses_of_an_epoch_are_means_over_samples(tmp_path):
    class Still(TinyTask):
        def groups(self):
            self.unused = nn.Parameter(torch.zeros(1))
            return [{"params": [self.unused]}]

        def loss(self, batch, *, epoch):
            value = torch.tensor([float(row) for row in batch]).mean()
            return value + 0.0 * self.unused.sum(), {"constant": torch.tensor(2.0)}

    history = train(Still(samples=30, batch=4), tmp_path)
    for one in history.epochs:
        assert one.losses["loss"] == pytest.approx(np.arange(30).mean(), rel=1e-6)
        assert one.losses["constant"] == 2.0
        assert one.losses["gradient_norm"] == 0.0


def test_the_history_is_written_as_plain_values(tmp_path, whole):
    history = train(TinyTask(), tmp_path)
    written = read_sealed(tmp_path / HISTORY)
    assert written == json.loads(json.dumps(history.plain()))
    assert [one["epoch"] for one in written["epochs"]] == [0, 1, 2, 3]
    assert written["epochs"][0]["score"]["undefined"] is None
    assert all(one["seconds"] > 0 and one["images_per_s"] > 0 for one in written["epochs"])


def points(folder, tag):
    log = EventAccumulator(str(folder / "log"))
    log.Reload()
    return {point.step: point.value for point in log.Scalars(tag)}


def test_the_log_holds_the_losses(tmp_path):
    history = train(TinyTask(), tmp_path)
    ends = [8 * (one.epoch + 1) for one in history.epochs]
    for name in ("loss", "cross", "gradient_norm"):
        expected = dict(zip(ends, [one.losses[name] for one in history.epochs], strict=True))
        assert points(tmp_path, f"epoch/{name}") == pytest.approx(expected, rel=1e-6)
    expected = dict(zip(ends, [one.score["score"] for one in history.epochs], strict=True))
    assert points(tmp_path, "selection/score") == pytest.approx(expected, rel=1e-6)
    assert set(points(tmp_path, "optimiser/learning_rate")) == set(ends)
    assert set(points(tmp_path, "train/loss")) == {3, 6, 8, 11, 14, 16, 19, 22, 24, 27, 30, 32}


@pytest.mark.slow
def test_the_log_of_a_resumed_training_has_every_point_once(tmp_path):
    train(TinyTask(), tmp_path / "whole")
    with pytest.raises(KilledError):
        train(TinyTask(), tmp_path / "resumed", progress=killer(13))
    train(TinyTask(), tmp_path / "resumed")
    for tag in ("train/loss", "epoch/loss", "selection/score"):
        assert points(tmp_path / "resumed", tag) == points(tmp_path / "whole", tag)


def test_every_epoch_has_a_line_with_loss_and_score(tmp_path):
    messages = []
    config = RECIPE.model_copy(update={"epochs": 3, "score_epochs": 2, "patience": 5})
    task = TinyTask(scores=[0.25, 0.125])
    history = train(task, tmp_path, config=config, note=messages.append)
    assert len(messages) == 4
    starts = [
        f"epoch {n} of 3: loss {epoch.losses['loss']:.3f}, " for n, epoch in enumerate(history.epochs, 1)
    ]
    assert all(line.startswith(start) for line, start in zip(messages, starts, strict=False))
    assert "validation" not in messages[0]
    assert "validation UAR 0.250, best so far, " in messages[1]
    assert "validation UAR 0.125, best 0.250, " in messages[2]
    assert all(line.endswith(" s") for line in messages[:3])
    assert messages[3] == "kept epoch 2, validation UAR 0.250"


def test_a_training_that_goes_on_or_ends_early_says_so(tmp_path):
    with pytest.raises(KilledError):
        train(TinyTask(), tmp_path / "killed", progress=killer(11))
    messages = []
    train(TinyTask(), tmp_path / "killed", note=messages.append, measure="mean F1")
    assert messages[0] == "goes on with epoch 2 of 4, step 4"
    assert messages[1].startswith("epoch 2 of 4: ")
    assert "validation mean F1 " in messages[1]
    messages.clear()
    config = RECIPE.model_copy(update={"patience": 1})
    train(TinyTask(scores=[0.5, 0.25]), tmp_path / "early", config=config, note=messages.append)
    assert messages[-1] == "kept epoch 1, validation UAR 0.500; stopped early, for want of a better one"

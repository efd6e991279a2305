"""The training loop: killed and resumed, diverging, stopping early, and what it writes."""

import json
import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional

from fgbench.training.loop import CHECK_STEPS, CHECKPOINT, HISTORY
from tests.support.tiny_task import RECIPE, KilledError, TinyTask, digest, killer, losses, train

PROGRAM = "tests.support.tiny_task"


STEPS = 32  # 4 epochs of 8


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Digest of the weights and the history of a training that nobody interrupted."""
    task = TinyTask()
    history = train(task, tmp_path_factory.mktemp("whole"))
    return digest(task.model), history


@pytest.mark.parametrize("after", [1, 2, 3, 4, 8, 11, 16, 17, 31, 32])
def test_killed_and_resumed_is_the_same_to_the_last_bit(tmp_path, whole, after):
    with pytest.raises(KilledError):
        train(TinyTask(), tmp_path, progress=killer(after))
    torch.rand(3)  # what else draws in the process does not matter
    task = TinyTask()
    history = train(task, tmp_path)
    assert digest(task.model) == whole[0]
    assert losses(history) == losses(whole[1])
    assert history.best_score == whole[1].best_score


def test_killed_again_and_again_is_the_same(tmp_path, whole):
    generator, kills = random.Random(7), 0
    while True:
        task = TinyTask()
        try:
            history = train(task, tmp_path, progress=killer(generator.randint(3, 9)))
        except KilledError:
            kills += 1
            continue
        break
    assert kills >= 4
    assert digest(task.model) == whole[0]
    assert losses(history) == losses(whole[1])


@pytest.mark.slow
def test_a_killed_process_leaves_what_can_be_resumed(tmp_path, whole):
    command = [sys.executable, "-m", PROGRAM, str(tmp_path), str(STEPS // 2 + 3)]  # inside an epoch
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    assert (tmp_path / CHECKPOINT).is_file()
    task = TinyTask()
    history = train(task, tmp_path)
    assert digest(task.model) == whole[0]
    assert losses(history) == losses(whole[1])


def test_checkpoints_inside_an_epoch_are_resumed(tmp_path):
    with pytest.raises(KilledError):
        train(TinyTask(), tmp_path, progress=killer(5))
    steps = []
    train(TinyTask(), tmp_path, progress=lambda what, done, total: steps.append((what, done, total)))
    assert steps == [("train", done, STEPS) for done in range(4, STEPS + 1)] + [("train", STEPS, STEPS)]


def test_without_resume_all_starts_anew(tmp_path, whole):
    with pytest.raises(KilledError):
        train(TinyTask(), tmp_path, progress=killer(20))
    steps = []
    task = TinyTask()
    train(
        task, tmp_path, resume=False, fingerprint="g", progress=lambda what, done, total: steps.append(done)
    )
    assert steps[0] == 1
    assert digest(task.model) == whole[0]
    assert len(list((tmp_path / "log").iterdir())) == 1


def test_a_finished_training_is_not_done_again(tmp_path, whole):
    train(TinyTask(), tmp_path)
    task = TinyTask()
    task.loss = None
    history = train(task, tmp_path)
    assert digest(task.model) == whole[0]
    assert losses(history) == losses(whole[1])


def test_the_generator_of_the_caller_is_left_as_it_was(tmp_path):
    before = torch.get_rng_state()
    train(TinyTask(), tmp_path, config=RECIPE.model_copy(update={"epochs": 1}))
    assert torch.equal(before, torch.get_rng_state())
    assert not torch.are_deterministic_algorithms_enabled()


def test_the_seed_decides(tmp_path, whole):
    task = TinyTask()
    train(task, tmp_path, seed=1)
    assert digest(task.model) != whole[0]


def test_weights_are_those_of_a_loop_written_plainly(tmp_path):
    config = RECIPE.model_copy(update={"clip_norm": 0.0, "schedule": "constant", "warmup_epochs": 0.0})
    task = TinyTask(dropout=0.0)
    train(task, tmp_path, config=config)
    other = TinyTask(dropout=0.0)
    optimiser = torch.optim.SGD(other.groups(), lr=0.05, momentum=0.9, weight_decay=1e-3, fused=False)
    best, kept = -1.0, None
    for epoch in range(4):
        other.model.train()
        for rows in other.batches(epoch=epoch, rank=0, world=1):
            optimiser.zero_grad()
            functional.cross_entropy(other.model(other.x[rows]), other.y[rows]).backward()
            optimiser.step()
        other.model.eval()
        with torch.no_grad():
            score = other.score()["score"]
        if score > best:
            best, kept = score, {name: value.clone() for name, value in other.model.state_dict().items()}
    for name, value in task.model.state_dict().items():
        np.testing.assert_allclose(value, kept[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_patience_ends_a_training_and_the_best_weights_stay(tmp_path):
    config = RECIPE.model_copy(update={"epochs": 20, "patience": 3})
    task = TinyTask(scores=[0.1, 0.5, 0.5, 0.4, 0.3, 0.9, 0.9])
    history = train(task, tmp_path, config=config)
    assert history.stopped_early
    assert (history.best_epoch, history.best_score, len(history.epochs)) == (1, 0.5, 5)
    assert task.scored == 5


def test_the_last_weights_stay_where_the_recipe_keeps_them(tmp_path):
    config = RECIPE.model_copy(update={"epochs": 3, "patience": 1, "keep": "last"})
    task = TinyTask(scores=[0.5, 0.4, 0.3])
    history = train(task, tmp_path, config=config)
    assert not history.stopped_early
    assert (history.best_epoch, history.best_score, history.keep) == (2, 0.3, "last")
    whole = TinyTask()
    train(whole, tmp_path / "best", config=config.model_copy(update={"keep": "best", "patience": 9}))
    assert digest(task.model) != digest(TinyTask().model)
    short = TinyTask(scores=[0.1, 0.2, 0.3])
    train(short, tmp_path / "rising", config=config.model_copy(update={"keep": "best"}))
    assert digest(task.model) == digest(short.model)


@pytest.mark.slow
def test_epochs_without_score_change_nothing_else(tmp_path):
    usual = RECIPE.model_copy(update={"epochs": 5, "keep": "last"})
    whole, seldom = TinyTask(), TinyTask()
    each = train(whole, tmp_path / "each", config=usual)
    config = usual.model_copy(update={"score_epochs": 3})
    with pytest.raises(KilledError):
        train(TinyTask(), tmp_path / "third", config=config, progress=killer(19))
    assert json.loads((tmp_path / "third" / HISTORY).read_text())["best_score"] is None, (
        "no epoch has a score"
    )
    history = train(seldom, tmp_path / "third", config=config)
    assert digest(seldom.model) == digest(whole.model)
    assert [one.losses for one in history.epochs] == [one.losses for one in each.epochs]
    scores = [one.score for one in each.epochs]
    assert [one.score for one in history.epochs] == [{}, {}, scores[2], {}, scores[4]]
    assert (history.best_epoch, history.best_score) == (4, each.best_score)


def test_patience_counts_epochs_without_score(tmp_path):
    config = RECIPE.model_copy(update={"epochs": 20, "patience": 4, "score_epochs": 2})
    task = TinyTask(scores=[0.1, 0.5, 0.4, 0.3])
    history = train(task, tmp_path, config=config)
    assert history.stopped_early
    assert (history.best_epoch, history.best_score, len(history.epochs)) == (3, 0.5, 8)
    with pytest.raises(ValidationError, match="score_epochs 5 is more than patience 4"):
        type(RECIPE).model_validate(config.model_dump() | {"score_epochs": 5})


def test_the_best_weights_are_those_of_their_epoch(tmp_path):
    config = RECIPE.model_copy(update={"schedule": "constant"})
    task = TinyTask(scores=[0.1, 0.5, 0.2, 0.3])
    history = train(task, tmp_path / "long", config=config)
    assert not history.stopped_early
    short = TinyTask(scores=[0.1, 0.5])
    train(short, tmp_path / "short", config=config.model_copy(update={"epochs": 2}))
    assert digest(task.model) == digest(short.model)


def test_no_step_waits_for_the_device(tmp_path, monkeypatch):
    fetched = []
    for name in ("item", "tolist", "cpu", "numpy", "__bool__", "__float__", "__int__"):
        original = getattr(torch.Tensor, name)

        def counted(self, *args, _original=original, _name=name, **keywords):
            fetched.append(_name)
            return _original(self, *args, **keywords)

        monkeypatch.setattr(torch.Tensor, name, counted)
    config = RECIPE.model_copy(update={"epochs": 1, "checkpoint_steps": 0})
    task = TinyTask(samples=400, scores=[0.5])
    monkeypatch.setattr("fgbench.training.loop._save", lambda run, log: None)
    train(task, tmp_path, config=config)
    assert 100 // CHECK_STEPS <= fetched.count("tolist") <= 100 // CHECK_STEPS + 1
    assert len(fetched) < 20


def test_bfloat16_is_used_in_the_forward_pass_alone(tmp_path):
    seen = []

    class Watched(TinyTask):
        def loss(self, batch, *, epoch):
            seen.append(self.model[0](self.x[batch]).dtype)
            return super().loss(batch, epoch=epoch)

        def score(self):
            seen.append(self.model[0](self.x).dtype)
            return super().score()

    task = Watched()
    train(task, tmp_path, config=RECIPE.model_copy(update={"precision": "bf16", "epochs": 1}))
    assert seen == [torch.bfloat16] * 8 + [torch.float32]
    assert {value.dtype for value in task.model.parameters()} == {torch.float32}


def test_what_a_turn_does_not_use_stays_as_it_is(tmp_path):
    """As with the ranking loss, which in its epochs uses a part of the network alone."""

    class Turns(TinyTask):
        def loss(self, batch, *, epoch):
            x = self.x[batch] if epoch % 2 == 0 else self.model[:4](self.x[batch]).detach()
            used = self.model[0](x).sum() if epoch % 2 == 0 else self.model[4](x).sum()
            return used * 1e-3, {}

        def score(self):
            weights = [self.model[0].weight.clone(), self.model[4].weight.clone()]
            self.states = [*getattr(self, "states", []), weights]
            return {"score": float(len(self.states))}

    task = Turns()
    train(task, tmp_path)
    first, second, third, _ = task.states
    assert torch.equal(first[0], second[0])
    assert not torch.equal(first[1], second[1])
    assert torch.equal(second[1], third[1])
    assert not torch.equal(second[0], third[0])

"""The training loop: killed and resumed, diverging, stopping early, and what it writes."""

import json
import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn
from torch.nn import functional

from fgbench.errors import ConfigError, DatasetError, ManifestError, ResourceError
from fgbench.training.loop import CHECK_STEPS, CHECKPOINT, HISTORY
from fgbench.workfolders.sealed_json import read_sealed
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


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
@pytest.mark.parametrize("checkpoint_steps", [0, 3])
def test_a_loss_that_is_not_finite_stops_and_names_its_samples(tmp_path, poison, checkpoint_steps):
    config = RECIPE.model_copy(update={"checkpoint_steps": checkpoint_steps})
    task = TinyTask()
    with pytest.raises(KilledError):
        train(TinyTask(), tmp_path, config=config, progress=killer(8 + 4))
    before = (tmp_path / CHECKPOINT).read_bytes()
    batch = task.batches(epoch=1, rank=0, world=1)[5]
    order = [int(row) for rows in task.batches(epoch=1, rank=0, world=1) for row in rows]
    row = int(batch[0])
    assert order.index(row) == 20
    task.poison = {row: poison}
    with pytest.raises(ConfigError, match=r"diverged in epoch 2, step 6: loss = (nan|inf)") as caught:
        train(task, tmp_path, config=config)
    assert ", ".join(task.ids(batch)) in caught.value.message
    assert "learning_rate" in caught.value.hint
    assert (tmp_path / CHECKPOINT).read_bytes() == before
    assert len(json.loads((tmp_path / HISTORY).read_text())["epochs"]) == 1


def test_a_gradient_that_is_not_finite_stops(tmp_path):
    class Root(TinyTask):
        def loss(self, batch, *, epoch):
            loss, parts = super().loss(batch, epoch=epoch)
            return loss + (0.0 * self.model[0].weight.sum()).sqrt(), parts

    with pytest.raises(ConfigError, match=r"epoch 1, step 1: gradient_norm = nan"):
        train(Root(), tmp_path)
    assert not (tmp_path / CHECKPOINT).exists()


def test_a_score_that_is_not_a_number_stops(tmp_path):
    with pytest.raises(ConfigError, match="score on the selection samples is nan after epoch 1, expected"):
        train(TinyTask(scores=[float("nan")]), tmp_path)


def test_no_samples_are_an_error(tmp_path):
    with pytest.raises(DatasetError, match="no samples"):
        train(TinyTask(samples=0), tmp_path)


def test_another_fingerprint_is_refused(tmp_path):
    with pytest.raises(KilledError):
        train(TinyTask(), tmp_path, progress=killer(9))
    before = (tmp_path / CHECKPOINT).read_bytes()
    with pytest.raises(ConfigError, match="another recipe"):
        train(TinyTask(), tmp_path, fingerprint="other")
    assert (tmp_path / CHECKPOINT).read_bytes() == before


def test_a_damaged_checkpoint_is_refused(tmp_path):
    with pytest.raises(KilledError):
        train(TinyTask(), tmp_path, progress=killer(9))
    (tmp_path / CHECKPOINT).write_bytes((tmp_path / CHECKPOINT).read_bytes()[:1000])
    with pytest.raises(ManifestError, match="damaged") as caught:
        train(TinyTask(), tmp_path)
    assert "--force" in caught.value.hint


def test_lack_of_memory_names_settings(tmp_path):
    class Large(TinyTask):
        def loss(self, batch, *, epoch):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.00 GiB")

    with pytest.raises(ResourceError, match=r"Tried to allocate 3\.00 GiB") as caught:
        train(Large(), tmp_path)
    assert "optimiser.batch" in caught.value.hint


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

"""Faults that end the training loop: values that are not finite, other checkpoints, lack of memory."""

import json

import pytest
import torch

from fgbench.errors import ConfigError, DatasetError, ManifestError, ResourceError
from fgbench.training.loop import CHECKPOINT, HISTORY
from tests.support.tiny_task import RECIPE, KilledError, TinyTask, killer, train

pytestmark = pytest.mark.usefixtures("one_thread")


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

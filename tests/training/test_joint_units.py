"""Action units that train along with the classes: which images have labels, the loss, a whole run."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional

from fgbench.config import TrainImageConfig, load_training
from fgbench.inference.picture_test import evaluate_images
from fgbench.methods.action_units import run as au_run
from fgbench.methods.msau import run as image_run
from fgbench.methods.msau.opened import open_network
from fgbench.methods.msau.units import unit_labels
from fgbench.models.weights import load_weights
from fgbench.records import AuRow
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result
from fgbench.runs.weights import read_trained
from fgbench.training.losses import image_loss
from tests.support.tiny_manifests import image_row, write_images
from tests.support.tiny_work import FAST, UNITS, au_recipe, au_rows, context_in, image_recipe, small_work

CPU = torch.device("cpu")
JOINT = {
    "losses": {"units": 2.0, "alternate": True},
    "data": {"resize_px": 232, "keep_maps": False},
    "network": {"trunk": au_recipe().trunk.model_dump(), "fc_hidden": None, "embedding": 8, "dropout": 0.0},
}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    folder = tmp_path_factory.mktemp("joint")
    return context_in(folder / "work", small_work(folder))


@pytest.fixture(scope="module")
def units(context):
    (folder,) = au_run.run(au_recipe(optimiser=FAST | {"epochs": 1}), context, au_rows(context.manifests))
    return folder / "weights.safetensors"


def test_images_and_their_copies_have_the_labels_of_their_frame(tmp_path):
    rows = [image_row(3), image_row(4), image_row(7)]
    copy = image_row(3, image_id="clip001-f00003-c0", parent_id="clip001-f00003")
    names = write_images(tmp_path, [*rows, copy])
    reported = [
        AuRow(clip_id="clip001", frame_index=3, labels={"au04": 1, "au12": -1, "au99": 1}),
        AuRow(clip_id="clip002", frame_index=7, labels={"au12": 1}),
        AuRow(clip_id="clip002", frame_index=8, labels={"au12": 1}),
    ]
    actual = unit_labels(tmp_path, [names[3], names[2], names[1], names[0]], reported, ("au04", "au12"))
    assert actual.images.dtype == np.int8
    assert actual.images.tolist() == [[1, -1], [0, 1], [0, 0], [1, -1]]
    assert actual.frames == {("clip001", 3): (1, -1), ("clip001", 4): (0, 0), ("clip002", 7): (0, 1)}


@pytest.mark.slow
def test_the_loss_adds_that_of_the_labelled_units_in_every_step(context, units, monkeypatch):
    """Against torch's binary cross entropy, unit by unit."""
    tasks = []
    task = image_run.ImageTask

    def recording(*arguments, **more):
        tasks.append((task(*arguments, **more), more["units"]))
        return tasks[-1][0]

    monkeypatch.setattr(image_run, "ImageTask", recording)
    config = image_recipe(name="looked-at", optimiser=FAST | {"epochs": 1}, **JOINT)
    image_run.run(config, context, units, units=au_rows(context.manifests))
    ((actual, labels),) = tasks
    assert {-1, 0, 1} == set(labels.ravel().tolist())
    model = actual.model.eval()
    for epoch in range(2):  # of both turns
        batch = next(iter(actual.batches(epoch=epoch, rank=0, world=1)))
        loss, parts = actual.loss(batch, epoch=epoch)
        outputs = None

        def kept(maps, classify=model.classify):
            nonlocal outputs
            outputs = classify(maps)
            return outputs

        with monkeypatch.context() as patched:
            patched.setattr(model, "classify", kept)
            actual.loss(batch, epoch=epoch)
        own, total = labels[batch.index], 0.0
        for row, unit in np.argwhere(own):
            logit, is_there = outputs.units[row, unit], torch.tensor(float(own[row, unit] == 1))
            total += functional.binary_cross_entropy_with_logits(logit, is_there)
        total = total / len(batch)
        assert float(parts["units"]) == pytest.approx(float(total.detach()), rel=1e-5)
        fine, basic = (values[batch.index] for values in (actual._train.labels, actual._train.basic))
        others, _ = image_loss(outputs, fine, basic, config.losses, epoch=epoch)
        assert float(loss.detach()) == pytest.approx(float((others + 2.0 * total).detach()), rel=1e-5)


@pytest.mark.slow
def test_a_run_trains_the_trunk_and_its_weights_predict_again(context, units):
    config = image_recipe(name="joint", optimiser=FAST | {"epochs": 3}, **JOINT)
    (folder,) = image_run.run(config, context, units, units=au_rows(context.manifests))
    before, _ = load_weights(units)
    after, metadata = load_weights(folder / "weights.safetensors")
    assert not any(name.startswith("units.") for name in after), "they serve training alone"
    assert metadata["kind"] == "image"
    trunk = [name for name in before if name.startswith("trunk.") and name.endswith("weight")]
    assert all(not torch.equal(before[name], after[name]) for name in trunk)
    history = json.loads((folder / "history.json").read_text())["epochs"]
    losses = [epoch["losses"]["units"] for epoch in history]
    assert losses[-1] < losses[0], "units are learnt on"
    network = open_network(read_trained(folder / "weights.safetensors"), CPU)
    run, comparison = evaluate_images(network, context)
    assert run == folder
    assert comparison.largest_difference < 1e-5
    assert read_result(folder)["details"].get("notes") is None

    frozen = image_recipe(name="frozen", optimiser=FAST | {"epochs": 1}, network=JOINT["network"])
    (other,) = image_run.run(frozen, context, units)
    kept, _ = load_weights(other / "weights.safetensors")
    assert all(torch.equal(before[name], kept[name]) for name in trunk)


@pytest.mark.slow
def test_without_labels_the_result_says_so(context, units):
    config = image_recipe(name="unlabelled", optimiser=FAST | {"epochs": 1}, **JOINT)
    (folder,) = image_run.run(config, context, units)
    (note,) = read_result(folder)["details"]["notes"]
    assert note.startswith("losses.units without effect: made up has no labels of action units")
    assert np.isfinite(read_predictions(folder).probabilities[:-1]).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"au_recipe": None}, "losses.units needs a detector of action units"),
        ({"data": {"keep_maps": True}}, "keep_maps needs a frozen trunk, which losses.units trains"),
    ],
)
def test_recipes_that_cannot_be(changes, message):
    with pytest.raises(ValidationError, match=message):
        image_recipe(**(JOINT | changes))


@pytest.mark.parametrize("size", ["", "-small", "-tuned"])
def test_packed_recipes_are_those_of_msau_but_for_the_units(size):
    joint = load_training(f"msau-joint{size}", TrainImageConfig)
    msau = load_training(f"msau{size}", TrainImageConfig)
    assert msau.frozen == "trunk"
    assert joint.frozen == "none"
    same = {"name": "", "description": "", "method": "", "losses": msau.losses, "data": msau.data}
    same["network"] = msau.network.trained_whole()  # which the tuned recipe unfreezes later
    assert joint.model_copy(update=same) == msau.model_copy(update=same)
    assert joint.losses.model_copy(update={"units": 0.0}) == msau.losses
    assert joint.losses.units > 0


def test_units_are_those_of_the_detector(units):
    assert read_trained(units).metadata["action_units"] == list(UNITS)

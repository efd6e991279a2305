"""What of a trunk stays as it is, and when it begins to train: values, statistics, rates, killed runs."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from pydantic import ValidationError

from fgbench.config import TrainImageConfig, load_training
from fgbench.evaluation import metrics
from fgbench.methods._networks.initial_weights import build
from fgbench.methods.action_units import run as au_run
from fgbench.methods.msau import run as image_run
from fgbench.methods.msau.task import predict
from fgbench.models.weights import load_weights
from fgbench.runs.results import read_result
from fgbench.runs.weights import read_trained
from tests.support.tiny_work import (
    FAST,
    RESIZE_PX,
    TRUNK,
    au_recipe,
    au_rows,
    context_in,
    image_recipe,
    plain_recipe,
    small_work,
    with_three_leaves,
)

STEM = ("trunk.conv1.", "trunk.region.")


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    return with_three_leaves(small_work(tmp_path_factory.mktemp("work"), rest=False))


@pytest.fixture(scope="module")
def au_weights(tmp_path_factory, manifests):
    context = context_in(tmp_path_factory.mktemp("au"), manifests)
    (folder,) = au_run.run(au_recipe(optimiser=FAST | {"epochs": 1}), context, au_rows(manifests))
    return folder / "weights.safetensors"


@pytest.fixture
def context(tmp_path, manifests):
    return context_in(tmp_path / "work", manifests)


@pytest.fixture
def tasks(monkeypatch):
    """The tasks of the runs of a test, in order."""
    made, task = [], image_run.ImageTask

    def recording(*arguments, **more):
        made.append(task(*arguments, **more))
        return made[-1]

    monkeypatch.setattr(image_run, "ImageTask", recording)
    return made


def recipe(name="tiny", *, keep_maps=False, optimiser=None, losses=None, **network):
    known = {"trunk": TRUNK, "fc_hidden": None, "embedding": 8}
    return image_recipe(
        name=name,
        network=known | network,
        optimiser=FAST | {"keep": "last"} | (optimiser or {}),
        data={"resize_px": RESIZE_PX, "keep_maps": keep_maps},
        losses={"alternate": False} | (losses or {}),
    )


def trunk_of(weights):
    state, _ = load_weights(weights)
    return {name: value for name, value in state.items() if name.startswith("trunk.")}


@pytest.mark.slow
@pytest.mark.parametrize("freeze", [None, "trunk", "stem", "none"])
def test_what_is_frozen_keeps_its_values_and_statistics(context, au_weights, freeze):
    (folder,) = image_run.run(recipe(freeze=freeze), context, au_weights)
    before, after = trunk_of(au_weights), trunk_of(folder / "weights.safetensors")
    is_kept = {name: torch.equal(before[name], after[name]) for name in before}
    stem = {name for name in before if name.startswith(STEM)}
    assert {"trunk.region.norm.running_mean", "trunk.region.norm.num_batches_tracked"} <= stem
    kept = {None: set(before), "trunk": set(before), "stem": stem, "none": set()}[freeze]
    assert {name for name, same in is_kept.items() if same} == kept


@pytest.mark.slow
def test_the_trunk_begins_to_train_when_the_recipe_says_so(context, au_weights, tasks):
    """Its values after every epoch, and the rate of each group of parameters."""
    config = recipe(optimiser={"epochs": 4}, unfreeze_after=2, unfreeze_rate=0.25)
    seen = []

    def watch(name, done, of):
        if name == "train" and done % 3 == 0 and len(seen) < done // 3:
            (task,) = tasks
            state = task.model.trunk.state_dict()
            seen.append({f"trunk.{key}": value.detach().clone() for key, value in state.items()})

    image_run.run(config, replace(context, progress=watch), au_weights)
    each = [trunk_of(au_weights), *seen]
    same = [
        all(torch.equal(value, after[name]) for name, value in before.items())
        for before, after in pairwise(each)
    ]
    assert same == [True, True, False, False]
    heads, trunk = tasks[0].groups()
    assert trunk["lr"] == pytest.approx(0.25 * config.optimiser.learning_rate)
    assert "lr" not in heads
    assert {id(value) for value in trunk["params"]} == {id(v) for v in tasks[0].model.trunk.parameters()}
    assert len(heads["params"]) + len(trunk["params"]) == len(list(tasks[0].model.parameters()))


@pytest.mark.slow
def test_the_first_step_after_is_as_long_as_its_rate(context, au_weights, tasks):
    """RMSProp without momentum moves every parameter by its rate times 10 at first: g / sqrt(0.01 g^2)."""
    optimiser = {"kind": "rmsprop", "learning_rate": 1e-4, "momentum": 0.0, "weight_decay": 0.0}
    config = recipe(optimiser=optimiser | {"epochs": 2}, unfreeze_after=1, unfreeze_rate=0.5)
    actual = []

    def watch(name, done, of):
        if name == "train" and done in (3, 4):
            actual.append(tasks[0].model.trunk.conv7.bias.detach().clone())

    image_run.run(config, replace(context, progress=watch), au_weights)
    moved = (actual[1] - actual[0]).abs()
    assert moved.max() == pytest.approx(0.5 * 1e-4 * 10, rel=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize("keep_maps", [True, False])
def test_maps_of_the_frozen_trunk_are_not_taken_afterwards(context, au_weights, tasks, keep_maps):
    config = recipe(keep_maps=keep_maps, optimiser={"epochs": 3, "learning_rate": 0.02}, unfreeze_after=1)
    (folder,) = image_run.run(config, context, au_weights)
    assert bool(list(context.workdir.glob("cache/maps/*/*.f16"))) == keep_maps
    (task,) = tasks
    task.model.eval()
    own = predict(task.model, task._preprocessing, task._selection.images).probabilities
    truth = task._selection.labels.numpy()
    counts = metrics.confusion_matrix(truth, own.argmax(1), n_classes=own.shape[1])
    epochs = json.loads((folder / "history.json").read_text())["epochs"]
    assert epochs[-1]["score"]["score"] == pytest.approx(metrics.uar(counts))
    task.begin(2)
    batch = next(iter(task.batches(epoch=2, rank=0, world=1)))
    assert batch.images.dtype == torch.uint8, "pictures, no maps"


@pytest.mark.slow
@pytest.mark.parametrize(("keep_maps", "alternate", "steps"), [(False, False, (3, 5)), (True, True, (5, 7))])
def test_a_run_that_is_stopped_around_the_unfreezing_ends_the_same(
    context, au_weights, tmp_path, keep_maps, alternate, steps
):
    optimiser = {"epochs": 3 - alternate, "checkpoint_steps": 2}
    config = recipe(
        keep_maps=keep_maps,
        optimiser=optimiser,
        losses={"alternate": alternate},
        unfreeze_after=1,
        unfreeze_rate=0.3,
    )
    (whole,) = image_run.run(config, context, au_weights)
    assert not torch.equal(
        trunk_of(whole / "weights.safetensors")["trunk.conv4.weight"],
        trunk_of(au_weights)["trunk.conv4.weight"],
    )
    for step in steps:

        def killed(name, done, of, step=step):
            if name == "train" and done == step:
                raise KeyboardInterrupt

        stopped = context_in(tmp_path / f"stopped-{step}", context.manifests, progress=killed)
        with pytest.raises(KeyboardInterrupt):
            image_run.run(config, stopped, au_weights)
        resumed = replace(stopped, progress=lambda name, done, of: None)
        (folder,) = image_run.run(config, resumed, au_weights)
        for name in ("weights.safetensors", "predictions.parquet", "regions.parquet"):
            assert (folder / name).read_bytes() == (whole / name).read_bytes(), (step, name)


@pytest.mark.slow
def test_rounds_count_where_losses_take_turns(context, au_weights, tasks):
    config = recipe(optimiser={"epochs": 2}, losses={"alternate": True}, unfreeze_after=1)
    image_run.run(config, context, au_weights)
    frozen = []
    for epoch in range(4):
        tasks[0].begin(epoch)
        frozen.append(not tasks[0].model.trunk.conv1.weight.requires_grad)
    assert frozen == [True, True, False, False]


@pytest.mark.slow
def test_weights_do_not_tell_how_they_were_trained(context, au_weights):
    """So that networks that differ in it alone start from each other, and older weights are read."""
    (folder,) = image_run.run(recipe(freeze="stem", unfreeze_after=1), context, au_weights)
    trained = read_trained(folder / "weights.safetensors")
    assert not {"freeze", "unfreeze_after", "unfreeze_rate"} & set(trained.metadata["network"])
    plain = image_run.fine_tuned(recipe(freeze="none"))
    (tuned,) = image_run.run(plain, context, None, init=trained)
    assert read_result(tuned)["details"]["chain"][0]["sha256"] == trained.digest


@pytest.mark.slow
def test_drawn_values_train_whatever_is_said(context):
    network = {
        "trunk": TRUNK | {"region_layer": False},
        "mac": False,
        "zooms": 0,
        "fc_hidden": None,
        "embedding": 8,
    }
    config = plain_recipe(network=network | {"freeze": "trunk", "unfreeze_rate": 0.1})
    (folder,) = image_run.run(config, context, None)
    first = build(config, None, seed=0, labels=context.labels).trunk.state_dict()
    after = trunk_of(folder / "weights.safetensors")
    assert all(not torch.equal(after[f"trunk.{name}"], value) for name, value in first.items())
    (note,) = read_result(folder)["details"]["notes"]
    assert note.startswith("network.freeze")


@pytest.mark.parametrize(
    ("network", "more", "message"),
    [
        ({"unfreeze_after": 0}, {}, "greater than or equal to 1"),
        ({"unfreeze_after": 2}, {}, "nothing would ever unfreeze"),
        ({"unfreeze_rate": 0.0}, {}, "greater than 0"),
        ({"unfreeze_rate": 1.5}, {}, "less than or equal to 1"),
        ({"freeze": "none", "unfreeze_after": 1}, {}, "needs something frozen"),
        (
            {"freeze": "stem"},
            {"keep_maps": True},
            "keep_maps needs a frozen trunk, but network.freeze is stem",
        ),
        ({"freeze": "trunk"}, {"losses": {"units": 0.5}}, "losses.units trains the trunk"),
        ({"freeze": "head"}, {}, "'trunk', 'stem' or 'none'"),
    ],
)
def test_recipes_that_cannot_be(network, more, message):
    with pytest.raises(ValidationError, match=message):
        recipe(**more, **network)


def test_what_a_recipe_freezes():
    assert recipe().frozen == "trunk"
    assert recipe(losses={"units": 0.5}).frozen == "none"
    assert recipe(freeze="stem").frozen == "stem"
    assert plain_recipe().frozen == "none"


def test_of_packed_recipes_the_tuned_ones_unfreeze_and_the_papers_do_not():
    for row in ("au-cnn", "au-z-cnn", "msau", "msau-progressive", "msau-alternating"):
        literal, tuned = (load_training(f"{row}{size}", TrainImageConfig) for size in ("", "-tuned"))
        assert (literal.frozen, literal.network.unfreeze_after) == ("trunk", None)
        assert tuned.frozen == "trunk"
        assert 0 < tuned.network.unfreeze_after < tuned.optimiser.patience
        assert tuned.network.unfreeze_rate < 1.0
    small, tuned = (load_training(name, TrainImageConfig) for name in ("msau-small", "msau-tuned-small"))
    assert small.network.unfreeze_after is None
    assert tuned.network.unfreeze_after is not None
    assert tuned.network.built() == small.network.built()
    assert tuned.data.keep_maps, "while it is frozen"

"""Runs of image models with tiny networks: what is written, frozen trunks, killed runs, errors, chance."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from scipy.stats import binom

from fgbench.config import NetworkConfig
from fgbench.errors import ConfigError, DatasetError, ManifestError
from fgbench.methods._networks import image_roles
from fgbench.methods.action_units import run as au_run
from fgbench.methods.msau import run as image_run
from fgbench.methods.msau.opened import open_network
from fgbench.models.msau import MsauNet
from fgbench.models.weights import load_weights
from fgbench.runs.labels import read_labels
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result, verify
from fgbench.runs.weights import read_trained
from tests.support.image_runs import run_one
from tests.support.tiny_work import (
    COLOURS,
    FAST,
    RESIZE_PX,
    THREE,
    TRUNK,
    add_faces,
    au_recipe,
    au_rows,
    coloured,
    context_in,
    image_recipe,
    pictures_of,
    plain_recipe,
    seen,
    small_work,
    with_three_leaves,
)

LABELS = tuple(COLOURS)


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    return with_three_leaves(small_work(tmp_path_factory.mktemp("work"), rest=False))


@pytest.fixture(scope="module")
def au_weights(tmp_path_factory, manifests):
    """Weights of a run of action units."""
    context = context_in(tmp_path_factory.mktemp("au"), manifests)
    (folder,) = au_run.run(au_recipe(), context, au_rows(manifests))
    return folder / "weights.safetensors"


@pytest.fixture
def context(tmp_path, manifests):
    return context_in(tmp_path / "work", manifests)


def check_written(folder, manifests, *, scales):
    """All of a run but its regions, from its weights and the pictures."""
    verify(folder)
    state, metadata = load_weights(folder / "weights.safetensors")
    assert (metadata["kind"], metadata["classes"]) == ("image", list(LABELS))
    network = NetworkConfig.model_validate(metadata["network"])
    model = MsauNet(network, n_fine=len(LABELS), n_basic=len(metadata["basic"]))
    model.load_state_dict(state)
    predictions = read_predictions(folder)
    there = [n for n, label in enumerate(predictions.predicted) if label is not None]
    ids = [predictions.sample_ids[n] for n in there]
    with torch.no_grad():
        expected = model.eval()(seen(pictures_of(manifests, ids), metadata)).fine.softmax(2).numpy()
    rows = pq.read_table(folder / "branches.parquet").to_pylist()
    assert [(row["sample_id"], row["branch"]) for row in rows] == [(n, b) for n in ids for b in range(scales)]
    branches = np.array([row["probabilities"] for row in rows]).reshape(len(ids), scales, len(LABELS))
    np.testing.assert_allclose(branches, expected, atol=1e-5)
    np.testing.assert_allclose(predictions.probabilities[there], branches.mean(1), atol=1e-6)
    best = [LABELS[context] for context in predictions.probabilities[there].argmax(1)]
    assert [predictions.predicted[n] for n in there] == best
    for name in ("config.yaml", "history.json", "README.md"):
        assert (folder / name).is_file()
    assert any((folder / "log").iterdir())
    assert not (folder / "checkpoint.pt").exists()
    return model, metadata, ids


def check_regions(folder, ids, *, side_px):
    """Regions inside of the face, each of another cell, the strongest first; their side in px of the face."""
    rows = pq.read_table(folder / "regions.parquet").to_pylist()
    by_sample = {name: [row for row in rows if row["sample_id"] == name] for name in ids}
    assert len(rows) == sum(map(len, by_sample.values()))
    for one in by_sample.values():
        assert [row["rank"] for row in one] == list(range(len(one)))
        assert len(one) >= 3
        strength = [row["strength"] for row in one]
        assert strength == sorted(strength, reverse=True)
        assert len({tuple(row["cell"]) for row in one}) == len(one)
        assert all(0 <= number <= 5 for row in one for number in row["cell"])
        boxes = np.array([row["box"] for row in one])
        assert boxes.min() >= 0
        assert boxes.max() <= 224
        np.testing.assert_allclose(boxes[:, 2:] - boxes[:, :2], side_px * 224 / RESIZE_PX, rtol=1e-5)


@pytest.mark.parametrize("keep_maps", [True, False])
def test_a_run_on_a_frozen_trunk(context, au_weights, keep_maps):
    data = {"resize_px": RESIZE_PX, "keep_maps": keep_maps}
    folder = run_one(image_recipe(data=data), context, au_weights)
    model, metadata, ids = check_written(folder, context.manifests, scales=2)
    check_regions(folder, ids, side_px=96)
    given, au_metadata = load_weights(au_weights)
    trunk = {name: value for name, value in model.state_dict().items() if name.startswith("trunk.")}
    assert trunk
    for name, value in trunk.items():
        assert torch.equal(value, given[name]), name
    for name, value in model.scales[0].embedding.state_dict().items():
        assert not torch.equal(value, given[f"embedding.{name}"]), f"{name} is trained on"
    assert {metadata[key] == au_metadata[key] for key in ("mean", "std", "resize_px")} == {True}
    details = read_result(folder)["details"]
    described = {
        key: details[key] for key in ("method", "kind", "dataset", "synthetic", "regions", "turns", "n_train")
    }
    assert described == {
        "method": "MSAU-Net (Ours)",
        "kind": "image",
        "dataset": "made up",
        "synthetic": True,
        "regions": 1,
        "turns": ["softmax", "rank"],
        "n_train": 12,
    }
    assert (context.workdir / "cache" / "maps").exists() == keep_maps


def test_kept_maps_train_as_pictures_do(context, au_weights, tmp_path):
    actual = []
    for keep_maps in (True, False):
        here = context_in(tmp_path / str(keep_maps), context.manifests)
        config = image_recipe(data={"resize_px": RESIZE_PX, "keep_maps": keep_maps}, losses={"rank": 0.0})
        folder = run_one(config, here, au_weights)
        epochs = json.loads((folder / "history.json").read_text())["epochs"]
        actual.append(([each["losses"]["loss"] for each in epochs], read_predictions(folder)))
    (kept_losses, kept), (losses, computed) = actual
    # Maps are kept with 11 bits: up to them the results are the same, as the recipe's field tells.
    np.testing.assert_allclose(kept_losses, losses, rtol=1e-4)
    np.testing.assert_allclose(kept.probabilities, computed.probabilities, atol=1e-3)
    assert kept.predicted == computed.predicted


def test_what_is_left_of_the_leaves_is_trained_with_its_upper_classes(tmp_path):
    """As where ``consensus.drop_classes_below`` has dropped classes of the 33."""
    labels = read_labels({"scheme": "fg33", "classes": list(COLOURS)})
    context = context_in(tmp_path / "out", small_work(tmp_path / "in", rest=False), labels=labels)
    losses = {"fine": 0.5, "basic": 0.5, "rank": 0.0, "alternate": False}
    folder = run_one(plain_recipe(losses=losses), context)
    network = open_network(read_trained(folder / "weights.safetensors"), torch.device("cpu"))
    assert (network.classes, network.upper) == (tuple(COLOURS), ("anger", "fear", "happiness"))
    assert network.labels == labels
    assert network.has_basic_head
    assert read_predictions(folder).classes == tuple(COLOURS)


def test_a_run_that_trains_its_trunk(context):
    folder = run_one(plain_recipe(), context)
    model, metadata, _ = check_written(folder, context.manifests, scales=1)
    assert not (folder / "regions.parquet").exists()
    assert metadata["basic"] == []
    first = image_run.build(plain_recipe(), None, seed=0, labels=context.labels)
    assert not torch.equal(model.trunk.conv1.weight, first.trunk.conv1.weight)
    assert read_result(folder)["details"]["trunk"] is None
    assert "turns" not in read_result(folder)["details"], "it has no ranking loss"


def test_a_frame_without_face_counts_as_wrong(context):
    folder = run_one(plain_recipe(), context)
    predictions, result = read_predictions(folder), read_result(folder)
    (unseen,) = [n for n, label in enumerate(predictions.predicted) if label is None]
    assert predictions.clip_ids[unseen] == "clip024"
    assert np.isnan(predictions.probabilities[unseen]).all()
    pairs = list(zip(predictions.labels, predictions.predicted, strict=True))
    recall = {label: np.mean([one == label for truth, one in pairs if truth == label]) for label in COLOURS}
    scores = result["metrics"]
    assert (scores["n"], scores["n_missing"]) == (7, 1)
    assert recall["anger"] <= 2 / 3
    assert scores["uar"] == pytest.approx(np.mean(list(recall.values())))
    assert scores["war"] == pytest.approx(sum(truth == one for truth, one in pairs) / 7)


def test_numbers_of_regions_are_experiments_that_share_their_maps(context, au_weights):
    config = image_recipe(region_counts=(1, 2), optimiser=FAST | {"epochs": 1})
    folders = image_run.run(config, context, au_weights)
    assert [folder.parts[-3] for folder in folders] == ["tiny-1", "tiny-2"]
    for count, folder in enumerate(folders, start=1):
        model, _, ids = check_written(folder, context.manifests, scales=2)
        check_regions(folder, ids, side_px=96)
        assert model.config.zooms == read_result(folder)["details"]["regions"] == count
        assert read_result(folder)["details"]["recipe"] == f"tiny-{count}"
    cells = [
        [(row["sample_id"], row["cell"]) for row in pq.read_table(folder / "regions.parquet").to_pylist()]
        for folder in folders
    ]
    assert cells[0] == cells[1], "both have one trunk"
    made = sorted(path.name for path in (context.workdir / "cache" / "maps").rglob("*.f16"))
    assert made == ["maps-03.f16", "maps-03.f16"], "of training and of validation images, the face and two"


def test_weights_of_another_trunk_name_what_differs(context, au_weights):
    network = {"trunk": TRUNK | {"stem": 8, "norm": "lrn"}, "fc_hidden": None, "embedding": 8}
    with pytest.raises(ConfigError, match=r"another trunk than recipe tiny: norm, stem differ") as error:
        image_run.run(image_recipe(network=network), context, au_weights)
    assert error.value.hint == "train it with fgbench train au --recipe au-tiny"


def test_weights_of_an_image_model_are_no_trunk(context, tmp_path):
    folder = run_one(plain_recipe(optimiser=FAST | {"epochs": 1}), context)
    with pytest.raises(ManifestError, match="is of kind 'image', expected weights of action units"):
        image_run.run(image_recipe(), context, folder / "weights.safetensors")
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes((folder / "weights.safetensors").read_bytes()[:500])
    with pytest.raises(ManifestError, match=r"damaged\.safetensors"):
        image_run.run(image_recipe(), context, damaged)


def test_weights_are_given_if_and_only_if_the_recipe_needs_them(context, au_weights):
    with pytest.raises(ConfigError, match="recipe tiny needs weights of action units") as error:
        image_run.run(image_recipe(), context, None)
    assert error.value.hint == "give them with --au-weights"
    takes_none = plain_recipe(network=image_recipe().network.model_dump() | {"zooms": 0})
    with pytest.raises(ConfigError, match="recipe tiny-cnn takes no weights"):
        image_run.run(takes_none, context, au_weights)
    assert not (context.workdir / "runs").exists()


def test_without_images_to_choose_the_epoch_on_there_is_an_error(context, au_weights, monkeypatch):
    samples = [sample for sample in image_roles.image_samples(context.manifests) if sample.part != "val"]
    monkeypatch.setattr(image_roles, "image_samples", lambda manifests: samples)
    with pytest.raises(DatasetError, match="no images to choose the epoch on"):
        image_run.run(image_recipe(), context, au_weights)


@pytest.mark.parametrize("shuffled", [True, False])
def test_shuffled_labels_are_found_by_chance_alone(tmp_path, shuffled):
    """For labels drawn of 3 classes, hits are binomial whatever a network without the truth says."""
    random = np.random.default_rng(11)
    described = []
    for number in range(110):
        truth = list(COLOURS)[random.integers(3)]
        label = list(COLOURS)[random.integers(3)] if shuffled else truth
        part = "train" if number < 32 else "val" if number < 44 else "test"
        described.append((part, f"p{number}", label, coloured(number, COLOURS[truth])))
    context = context_in(tmp_path / "work", add_faces(tmp_path / "manifests", described), labels=THREE)
    optimiser = {"kind": "adamw", "learning_rate": 0.01, "batch": 8, "epochs": 4}
    folder = run_one(plain_recipe(optimiser=optimiser), context)
    predictions = read_predictions(folder)
    hits = sum(a == b for a, b in zip(predictions.labels, predictions.predicted, strict=True))
    assert len(predictions.labels) == 66
    by_chance = binom.ppf(0.999, 66, 1 / 3)
    assert (hits <= by_chance) == shuffled

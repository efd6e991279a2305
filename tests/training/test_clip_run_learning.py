"""What clip networks learn: movement, colour, nothing of shuffled labels."""

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from fgbench.inference.clip_test import evaluate_clips
from fgbench.inputs.crops import without_colour
from fgbench.media.images import decode, encode
from fgbench.methods.tmsau.opened import open_clip_network
from fgbench.models.weights import save_weights
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result
from fgbench.runs.weights import read_trained
from tests.support.chains import with_chains
from tests.support.clip_networks import CPU, KINDS, run_in, short_googlenet
from tests.support.tiny_clips import small_clips
from tests.support.tiny_runs import write_tiny_weights
from tests.support.tiny_work import THREE, context_in, with_three_leaves

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module", autouse=True)
def _short():
    with short_googlenet():
        yield


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    return with_three_leaves(small_clips(tmp_path_factory.mktemp("clips"), rest=False))


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return read_trained(write_tiny_weights(tmp_path_factory.mktemp("image") / "weights.safetensors"))


@pytest.fixture(scope="module")
def three_classes(tmp_path_factory):
    return small_clips(tmp_path_factory.mktemp("three"), rest=False)


def shuffled(manifests, seed):
    clips = pq.read_table(manifests / "clips.parquet").to_pylist()
    drawn = np.random.default_rng(seed).permutation([row["label"] for row in clips])
    return dict(enumerate(drawn.tolist()))


QUICK = {"kind": "adamw", "learning_rate": 0.005, "batch": 6, "epochs": 10, "patience": 10}


@pytest.mark.parametrize("kind", ["nan", "plain-tsnet"])
def test_networks_are_above_chance_on_persons_they_have_not_seen(tmp_path, three_classes, image, kind):
    recipe = KINDS[kind] | {"head_factor": 5.0, "optimiser": QUICK | {"epochs": 16, "patience": 16}}
    folder, _ = run_in(tmp_path / "work", three_classes, image, labels=THREE, **recipe)
    # Five or more of six clips of three classes are right by chance in 1.8 % of all cases.
    assert read_result(folder)["metrics"]["war"] >= 5 / 7


@pytest.mark.parametrize(
    "kind", with_chains(["nan", "plain-tsnet", "tmsau", "vgg-lstm", "c3d-lstm"], "c3d-lstm", "vgg-lstm")
)
def test_on_shuffled_labels_networks_are_at_chance(tmp_path, three_classes, image, kind):
    recipe = KINDS[kind] | {"head_factor": 5.0, "optimiser": QUICK | {"epochs": 6}}
    right = 0
    for seed in range(2):
        made = small_clips(tmp_path / f"clips{seed}", labels=shuffled(three_classes, seed), rest=False)
        run, _ = run_in(tmp_path / f"work{seed}", made, image, labels=THREE, **recipe)
        predictions = read_predictions(run)
        right += sum(a == b for a, b in zip(predictions.labels, predictions.predicted, strict=True))
    # Of 12 clips of three classes, 9 or more are right by chance in 0.4 % of all cases.
    assert right < 9


def test_the_temporal_stream_alone_solves_what_only_movement_tells(tmp_path, image):
    """Frames of all classes look alike; a network of frames is at chance."""
    made = small_clips(tmp_path / "clips", colours=False, rest=False)
    usual = {
        "optimiser": QUICK | {"epochs": 24, "patience": 24},
        "choose_by": "probability",
        "head_factor": 5.0,
        "labels": THREE,
    }
    kinds = {"flow": {"image_recipe": None, "spatial": None}, "nan": {"temporal": None}}
    right = dict.fromkeys(kinds, 0)
    for kind, streams in kinds.items():
        for seed in range(2):
            here = tmp_path / f"{kind}{seed}"
            predictions = read_predictions(
                run_in(here, made, image, **usual, **streams, name=kind, seed=seed)[0]
            )
            right[kind] += sum(a == b for a, b in zip(predictions.labels, predictions.predicted, strict=True))
            assert predictions.predicted.count(None) == 1, "the clip without a face, which counts as wrong"
    # Of 12 clips of three classes, 9 or more are right by chance in 0.4 % of all cases.
    assert right["flow"] >= 9 > right["nan"]


def without_colour_in(manifests, folder):
    """The same clips with grey pictures."""
    shutil.copytree(manifests, folder)
    for path in sorted((folder / "faces").glob("*.parquet")):
        table = pq.read_table(path)
        rows = table.to_pylist()
        for row in rows:
            if row["image"] is not None:
                picture = torch.from_numpy(decode(row["image"]["bytes"])).permute(2, 0, 1)[None]
                grey = without_colour(picture)[0].permute(1, 2, 0).to(torch.uint8)
                row["image"]["bytes"] = encode(grey.numpy(), "png", 0)
        pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    return folder


@pytest.mark.parametrize("kind", ["nan", "vgg-lstm"])
def test_a_network_of_grey_clips_sees_grey(tmp_path, manifests, image, kind):
    folder, _ = run_in(tmp_path / "work", manifests, image, **KINDS[kind])
    trained = read_trained(folder / "weights.safetensors")
    origin = {"align": "always", "geometry": "face", "padding": None}
    grey_manifests = without_colour_in(manifests, tmp_path / "grey")
    others = {"dataset": "others", "synthetic": True}
    described = {}
    for is_grey in (True, False):
        path = tmp_path / f"{is_grey}.safetensors"
        metadata = {**trained.metadata, "faces": {**origin, "grey": is_grey}, "seed": int(is_grey)}
        save_weights(path, trained.state, metadata)
        network = open_clip_network(read_trained(path), CPU)
        for name, data in (("colour", manifests), ("grey", grey_manifests)):
            context = context_in(tmp_path / f"{name}{is_grey}", data, manifest_digest=name, details=others)
            made, _ = evaluate_clips(network, context)
            described[is_grey, name] = read_predictions(made).probabilities
    np.testing.assert_array_equal(described[False, "grey"], described[True, "grey"])
    # Frames that are reduced are rounded before they lose their colour, or afterwards.
    apart = {
        is_grey: np.nanmax(np.abs(described[is_grey, "colour"] - described[is_grey, "grey"]))
        for is_grey in (True, False)
    }
    assert apart[False] > 1e-3
    assert apart[True] <= (0 if kind == "nan" else apart[False] / 20)

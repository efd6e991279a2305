"""Whole chains of seeds: every network that a run is made of is trained with the run's seed."""

import json

import numpy as np
import pytest
import torch
import yaml

from fgbench.files.hashing import digest_file
from fgbench.methods._networks.chain import chain_of
from fgbench.methods.action_units import run as au_run
from fgbench.methods.steps import clips, images
from fgbench.methods.steps.contexts import seeded
from fgbench.models.weights import load_weights
from fgbench.runs.results import read_result
from fgbench.runs.weights import read_trained
from tests.support.tiny_runs import write_tiny_weights
from tests.support.tiny_work import (
    FAST,
    au_recipe,
    au_rows,
    context_in,
    image_recipe,
    small_work,
    with_three_leaves,
)

ONCE = FAST | {"epochs": 1}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    return with_three_leaves(small_work(tmp_path_factory.mktemp("work"), rest=False))


@pytest.fixture
def config(tmp_path, manifests, monkeypatch):
    """A recipe whose action units are trained on made-up labels in place of a data set's."""
    path = tmp_path / "au-tiny.yaml"
    path.write_text(yaml.safe_dump(au_recipe(optimiser=ONCE).model_dump(mode="json")))
    monkeypatch.setattr(
        images, "train_units_in", lambda config, context: au_run.run(config, context, au_rows(manifests))
    )
    return image_recipe(au_recipe=str(path), optimiser=ONCE)


def trunk_of(folder):
    state, _ = load_weights(folder / "weights.safetensors")
    return {name: value for name, value in state.items() if name.startswith("trunk.")}


@pytest.mark.slow
def test_seeds_train_trunks_of_their_own(tmp_path, manifests, config):
    context = context_in(tmp_path / "work", manifests)
    folders = [images.train_images_in(config, each, None)[0] for each in seeded(context, 2)]
    assert [folder.name for folder in folders] == ["0", "1"]
    for seed, folder in enumerate(folders):
        weights = context.workdir / "runs" / "au-tiny" / "0" / str(seed) / "weights.safetensors"
        details = read_result(folder)["details"]
        assert details["chain"] == [
            {
                "part": "action units",
                "run": f"au-tiny/0/{seed}",
                "seed": seed,
                "sha256": digest_file(weights),
                "dataset": "made up",
                "synthetic": True,
            }
        ]
        own, _ = load_weights(weights)
        assert all(torch.equal(value, own[name]) for name, value in trunk_of(folder).items())
    first, second = map(trunk_of, folders)
    assert not torch.equal(first["trunk.conv1.weight"], second["trunk.conv1.weight"])


@pytest.mark.slow
def test_a_further_seed_is_that_of_the_chain(tmp_path, manifests, config):
    """``--seed 1`` and ``--seeds 2`` give the same run."""
    alone = context_in(tmp_path / "alone", manifests, seed=1)
    (folder,) = images.train_images_in(config, alone, None)
    (again,) = images.train_images_in(config, seeded(context_in(tmp_path / "two", manifests), 2)[1], None)
    assert digest_file(folder / "weights.safetensors") == digest_file(again / "weights.safetensors")


@pytest.mark.slow
def test_weights_that_are_named_are_shared(tmp_path, manifests, config):
    named = context_in(tmp_path / "named", manifests, seed=5)
    (given,) = au_run.run(au_recipe(optimiser=ONCE), named, au_rows(manifests))
    context = context_in(tmp_path / "work", manifests)
    folders = [images.train_images_in(config, each, given)[0] for each in seeded(context, 2)]
    links = [read_result(folder)["details"]["chain"] for folder in folders]
    assert links[0] == links[1]
    assert (links[0][0]["run"], links[0][0]["seed"]) == ("au-tiny/0/5", 5)


@pytest.mark.slow
def test_clips_are_seen_through_an_image_model_of_their_seed(tmp_path, manifests, monkeypatch):
    asked = []

    def train_images_in(config, context):
        asked.append(context.seed)
        folder = tmp_path / f"image{context.seed}"
        write_tiny_weights(folder / "weights.safetensors", seed=context.seed)
        return [folder]

    class Recipe:
        name, image_recipe = "tmsau-tiny", "msau-small"

    monkeypatch.setattr(clips, "train_images_in", train_images_in)
    contexts = seeded(context_in(tmp_path / "work", manifests, seed=3), 2)
    actual = [clips.image_model(Recipe, context) for context in contexts]
    assert asked == [3, 4]
    assert actual[0].digest != actual[1].digest


@pytest.mark.slow
def test_the_chain_goes_back_to_the_action_units(tmp_path, manifests, config):
    (folder,) = images.train_images_in(config, context_in(tmp_path / "work", manifests, seed=2), None)
    image = read_trained(folder / "weights.safetensors")
    links = chain_of(image)
    assert [(link["part"], link["run"], link["seed"]) for link in links] == [
        ("image model", "tiny/0/2", 2),
        ("action units", "au-tiny/0/2", 2),
    ]
    assert links[0]["sha256"] == digest_file(folder / "weights.safetensors")
    assert json.loads(json.dumps(links)) == links
    assert chain_of(None) == []


def test_weights_without_a_run_are_a_chain_of_one(tmp_path):
    path = write_tiny_weights(tmp_path / "image.safetensors")
    (link,) = chain_of(read_trained(path))
    assert (link["part"], link["run"]) == ("image model", "image.safetensors")
    assert np.isin(link["seed"], [None, 0]).all()

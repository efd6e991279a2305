"""``plain-cnn``: the run that ``train msau`` makes of the same recipe, and no other network."""

import pytest
from tiny_work import place_in, plain_recipe, small_work

from fgbench.config import TrainImageConfig, load_training
from fgbench.errors import ConfigError
from fgbench.methods import plain_cnn
from fgbench.methods.msau import run as image_run
from fgbench.models.weights import load_weights
from fgbench.runs.results import read_result, verify


@pytest.fixture
def place(tmp_path):
    return place_in(tmp_path / "work", small_work(tmp_path))


def test_it_writes_the_run_that_train_msau_writes(place):
    recipe = plain_recipe(name="plain-cnn")
    folder = plain_cnn.run(recipe, place)
    verify(folder)
    assert read_result(folder)["details"]["method"] == "Plain CNN"
    assert load_weights(folder / "weights.safetensors")[1]["kind"] == "image"
    before = (folder / "result.json").read_bytes()
    assert image_run.run(recipe, place, None) == [folder]
    assert (folder / "result.json").read_bytes() == before, "it is found, not made again"


def test_recipes_of_other_networks_are_refused(place):
    with pytest.raises(ConfigError, match=r"recipe other has (.|\n)*train msau --recipe other"):
        plain_cnn.run(plain_recipe(name="other", network={"zooms": 0}), place)
    for name in ("plain-cnn", "plain-cnn-small", "plain-cnn-tuned"):
        recipe = load_training(name, TrainImageConfig)
        network = recipe.network
        assert (recipe.au_recipe, network.zooms, network.trunk.region_layer) == (None, 0, False)
    for name in ("au-cnn", "msau-small", "msau-progressive"):
        with pytest.raises(ConfigError):
            plain_cnn.run(load_training(name, TrainImageConfig), place)

"""Baselines that are recipes of other methods: the runs of ``fgbench train``, and no other network."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from fgbench.catalogue.recipe_baselines import RECIPE_BASELINES
from fgbench.cli.app import app
from fgbench.config import TrainClipConfig, TrainImageConfig, load_training
from fgbench.errors import ConfigError
from fgbench.models.weights import load_weights
from fgbench.runs.results import read_result, verify
from tests.support.tiny_clips import clip_recipe, small_clips
from tests.support.tiny_work import FAST, context_in, plain_recipe, small_work

MODELS = {"msau": TrainImageConfig, "tmsau": TrainClipConfig}

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def fgbench(tmp_path, monkeypatch):
    """Runs a command with a recipe on a work folder whose features are there."""
    monkeypatch.setattr("fgbench.methods.steps.contexts.ensure_features", lambda *arguments, **options: None)

    def run(recipe, *words, code=0):
        path = tmp_path / "recipe.yaml"
        path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
        options = ["--recipe", path, "--workdir", tmp_path / "work", "--device", "cpu"]
        done = CliRunner().invoke(app, [str(word) for word in [*words, *options]])
        assert done.exit_code == code, done.output
        return done

    return run


@pytest.mark.slow
def test_plain_cnn_is_the_run_that_train_msau_makes(tmp_path, fgbench):
    context = context_in(tmp_path / "work", small_work(tmp_path))
    recipe = plain_recipe(name="plain-cnn", optimiser=FAST | {"epochs": 1})
    fgbench(recipe, "baseline", "plain-cnn")
    folder = context.folder("plain-cnn")
    verify(folder)
    assert read_result(folder)["details"]["method"] == "Plain CNN"
    assert load_weights(folder / "weights.safetensors")[1]["kind"] == "image"
    before = (folder / "result.json").read_bytes()
    done = fgbench(recipe, "train", "msau")
    assert f"run: {folder}" in done.stdout
    assert (folder / "result.json").read_bytes() == before, "it is found, not made again"


@pytest.mark.slow
def test_plain_tsnet_is_the_run_that_train_tmsau_makes(tmp_path, fgbench):
    context = context_in(tmp_path / "work", small_clips(tmp_path))
    index = json.loads((context.manifests / "index.json").read_text())
    (context.manifests / "index.json").write_text(json.dumps({**index, "files": {}}))
    optimiser = clip_recipe().optimiser.model_copy(update={"epochs": 1})
    recipe = clip_recipe(name="plain-tsnet", image_recipe=None, spatial="rgb", optimiser=optimiser)
    fgbench(recipe, "baseline", "plain-tsnet")
    folder = context.folder("plain-tsnet")
    verify(folder)
    assert read_result(folder)["details"]["streams"] == ["spatial", "temporal"]
    before = (folder / "result.json").read_bytes()
    fgbench(recipe, "train", "tmsau")
    assert (folder / "result.json").read_bytes() == before, "it is found, not made again"


@pytest.mark.parametrize("name", RECIPE_BASELINES)
def test_recipes_of_other_networks_are_refused(name, fgbench, tmp_path):
    baseline = RECIPE_BASELINES[name]
    model = MODELS[baseline.train]
    for end in ("", "-small", "-tuned"):
        baseline.check(load_training(f"{name}{end}", model))
    other = load_training(f"{baseline.train}-small", model)
    done = fgbench(other, "baseline", name, code=3)
    assert f"recipe {other.name} has " in done.stderr
    assert f"fgbench train {baseline.train} --recipe {other.name}" in done.stderr
    assert not (tmp_path / "work").exists(), "before anything is begun"


@pytest.mark.parametrize("name", ["au-cnn", "au-z-cnn", "msau", "msau-progressive"])
def test_every_part_of_msau_net_is_too_much_for_a_plain_cnn(name):
    with pytest.raises(ConfigError, match="expected a plain CNN"):
        RECIPE_BASELINES["plain-cnn"].check(load_training(name, TrainImageConfig))


def test_one_part_is_too_much():
    plain = plain_recipe()
    RECIPE_BASELINES["plain-cnn"].check(plain)
    for change in (
        {"au_recipe": "au-tiny"},
        {"region_counts": (1, 2)},
        {"network": plain.network.model_copy(update={"zooms": 1})},
    ):
        with pytest.raises(ConfigError, match="action units, zooms or a region layer"):
            RECIPE_BASELINES["plain-cnn"].check(plain.model_copy(update=change))

"""``insightface`` with a narrow IResNet: runs, frozen and fine-tuned; weights; resuming."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.config import InsightFaceConfig, load_baseline
from fgbench.errors import ConfigError, DatasetError
from fgbench.methods._networks import image_roles
from fgbench.methods.insightface import method as insightface
from fgbench.methods.insightface.crops import load_crops
from fgbench.models.iresnet import IResNet, iresnet
from fgbench.reports.tables import table2
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result, verify
from fgbench.taxonomy import ontology
from fgbench.workfolders import default_folders
from tests.support.insightface_runs import CPU, FAST, KilledError, config, network
from tests.support.insightface_work import context_of, narrow_on_one_thread, write_colours, write_weights


@pytest.fixture(autouse=True)
def _narrow(monkeypatch):
    with narrow_on_one_thread(monkeypatch):
        yield


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return write_colours(tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("weights") / "backbone.pth")


@pytest.fixture
def context(work, tmp_path):
    """A work folder of the test's own."""
    return context_of(work, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("freeze", "head"), [(True, "softmax"), (True, "arcface"), (False, "softmax"), (False, "arcface")]
)
def test_a_run_from_given_weights(context, weights, freeze, head):
    rate = {"head_rate": 0.1} if head == "arcface" else {}
    messages = []
    folder = insightface.run(
        config(freeze_backbone=freeze, head=head, arcface_scale=16.0, **rate),
        replace(context, note=messages.append),
        weights,
    )
    verify(folder)
    assert sum(line.startswith("epoch ") and "validation UAR " in line for line in messages) > 1
    result, predictions = read_result(folder), read_predictions(folder)
    details = result["details"]
    assert (details["method"], details["kind"], details["n_train"]) == ("InsightFace", "image", 43)
    assert details["weights"] == insightface.digest_weights(weights)
    assert result["metrics"]["n"] == 7
    assert result["metrics"]["n_missing"] == 1
    assert result["metrics"]["uar"] > 0.6, "three colours are told apart"
    for name in ("history.json", "README.md", "log"):
        assert (folder / name).exists()
    assert not (folder / "checkpoint.pt").exists()
    assert f"SHA-256 {details['weights']}" in (folder / "README.md").read_text()
    assert "112 x 112" in (folder / "README.md").read_text()

    model, metadata = network(folder, head)
    model.head.scale = 16.0
    assert metadata["kind"] == "insightface"
    assert metadata["classes"] == list(ontology("fg33").labels)
    seen = [n for n, label in enumerate(predictions.predicted) if label is not None]
    crops = load_crops(context.manifests, [predictions.sample_ids[n] for n in seen], device=CPU)
    with torch.no_grad():
        expected = model((crops.float() / 255 - 0.5) / 0.5).softmax(1)
    # What is kept of a frozen backbone is float16.
    np.testing.assert_allclose(predictions.probabilities[seen], expected, atol=5e-3 if freeze else 1e-5)

    given = torch.load(weights, weights_only=True)
    same = {name: torch.equal(value, given[name]) for name, value in model.backbone.state_dict().items()}
    assert all(same.values()) if freeze else not same["layer1.0.conv1.weight"]
    assert same["features.weight"], "its scale is fixed"


@pytest.mark.slow
def test_features_of_a_frozen_backbone_are_computed_once(context, weights, monkeypatch):
    calls = []
    forward = IResNet.forward
    monkeypatch.setattr(IResNet, "forward", lambda self, x: calls.append(len(x)) or forward(self, x))
    frozen = config(freeze_backbone=True)
    first = insightface.run(frozen, context, weights)
    assert sum(calls) == 2 * 43 + 6 + 6  # training images mirrored too
    calls.clear()
    other = insightface.run(frozen, context.with_seed(1), weights)
    insightface.run(config(freeze_backbone=True, name="arc", head="arcface"), context, weights)
    assert calls == []
    assert other != first
    unlike = weights.with_name("unlike.pth")
    torch.save({name: value * 1.01 for name, value in torch.load(weights).items()}, unlike)
    assert insightface.run(frozen, context, unlike) == first
    assert sum(calls) == 2 * 43 + 6 + 6


@pytest.mark.slow
def test_from_scratch_is_another_experiment(context):
    folder = insightface.run(config(optimiser=FAST | {"epochs": 1}), context, None)
    assert folder.parts[-3:] == ("insightface-from-scratch", "0", "0")
    assert read_result(folder)["details"]["method"] == "InsightFace, from scratch"
    assert read_result(folder)["details"]["weights"] is None
    verify(folder)
    with pytest.raises(ConfigError, match=r"freezes the backbone(.|\n)*--recipe insightface"):
        insightface.run(config(freeze_backbone=True), context, None)


@pytest.mark.slow
def test_the_small_recipe_without_weights_trains(context, monkeypatch):
    monkeypatch.setattr(insightface, "iresnet", iresnet)
    recipe = load_baseline("insightface", InsightFaceConfig, "insightface-small-from-scratch")
    short = recipe.optimiser.model_copy(update={"epochs": 1, "patience": 1})
    folder = insightface.run(recipe.model_copy(update={"crops": "stored", "optimiser": short}), context, None)
    assert folder.parts[-3] == "insightface-small-from-scratch", "the name tells it once"
    verify(folder)
    assert len(json.loads((folder / "history.json").read_text())["epochs"]) == 1
    shutil.rmtree(folder.parents[1])


def test_from_scratch_on_the_cpu_takes_the_recipe_for_it(context, monkeypatch):
    taken = []

    def run(config, context, weights):
        taken.append((config.name, config.freeze_backbone, weights))
        raise KilledError

    monkeypatch.setattr("fgbench.methods.steps.contexts.ensure_features", lambda *arguments, **options: None)
    monkeypatch.setattr(insightface, "run", run)
    words = [
        "baseline",
        "insightface",
        "--workdir",
        str(context.workdir),
        "--device",
        "cpu",
        "--from-scratch",
    ]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception.__cause__, KilledError)
    assert "no recipe is named: insightface-small-from-scratch is taken" in done.stderr
    monkeypatch.setattr(default_folders, "DEMO_WORKDIR", context.workdir)
    CliRunner().invoke(app, words)
    CliRunner().invoke(app, [*words, "--recipe", "insightface"])
    frozen = CliRunner().invoke(app, [*words, "--recipe", "insightface-small"])
    assert frozen.exit_code == 3
    assert "insightface-small-from-scratch" in frozen.stderr
    assert taken == [
        ("insightface-small-from-scratch", False, None),
        ("insightface-small-from-scratch", False, None),
        ("insightface", False, None),
    ]


@pytest.mark.slow
def test_table2_has_the_run(context, weights):
    insightface.run(config(optimiser=FAST | {"epochs": 1}), context, weights)
    rows = [row for row in table2.build(context.workdir).rows if row[1].partition(" [")[0] == "InsightFace"]
    assert [row[2] for row in rows] == ["this data set", "paper", "difference"]


def test_without_validation_images_nothing_is_trained(context, weights, monkeypatch):
    samples = [s for s in image_roles.image_samples(context.manifests) if s.part != "val"]
    monkeypatch.setattr(image_roles, "image_samples", lambda manifests: samples)
    with pytest.raises(DatasetError, match="no images to choose the epoch on"):
        insightface.run(config(), context, weights)

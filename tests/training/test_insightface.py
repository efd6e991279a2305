"""``insightface`` with a narrow IResNet: runs, frozen and fine-tuned; weights; resuming."""

import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from typer.testing import CliRunner

from fgbench import records
from fgbench.cli.app import app
from fgbench.config import InsightFaceConfig, load_baseline
from fgbench.errors import ConfigError, DatasetError
from fgbench.faces.geometry import mean_face
from fgbench.media.images import encode
from fgbench.methods._networks import image_roles
from fgbench.methods.insightface import method as insightface
from fgbench.methods.insightface.crops import load_crops
from fgbench.models.initialisation import initialise
from fgbench.models.iresnet import IResNet, iresnet
from fgbench.reports.tables import table2
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result, verify
from fgbench.taxonomy import ontology
from fgbench.training.context import TrainingContext
from fgbench.workfolders import default_folders
from tests.support.insightface_runs import CLASSES, CPU, FAST, PARTS, KilledError, config, narrow, network
from tests.support.tiny_manifests import image_row, write_faces, write_images
from tests.support.tiny_work import GREY, REST


@pytest.fixture(autouse=True)
def _narrow(monkeypatch):
    monkeypatch.setattr(insightface, "iresnet", narrow)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A work folder whose classes are colours: 12 training images and a copy, 6 to choose on, 6 to test.

    A grey training image of each of the other 30 leaves lets all be trained on."""
    folder = tmp_path_factory.mktemp("work")
    points = np.zeros((68, 2))
    points[17:] = (mean_face() + 0.25) / 1.5 * 224 - 0.5
    clips, faces, images = [], [], []
    shown = [(label, colour, part) for label, colour in CLASSES.items() for part in PARTS]
    shown += [(label, GREY, "train") for label in REST]
    for context, (label, colour, part) in enumerate(shown):
        noise = np.random.default_rng(3 * context).integers(0, 50, (8, 8, 3), np.uint8)
        smooth = cv2.resize(noise, (224, 224), interpolation=cv2.INTER_LINEAR)
        row = image_row(3 * context, part=part, label=label, data=encode(smooth + np.uint8(colour), "png", 0))
        clips.append({**{key: row[key] for key in ("clip_id", "label", "split")}, "subject_id": part})
        about = {"role": "image", "status": "ok", "transform": [1.0, 0, 0, 0, 1.0, 0]}
        keys = {key: row[key] for key in ("clip_id", "frame_index")}
        faces.append({**keys, **about, "landmarks": points.ravel().tolist()})
        images.append(row)
    change = {"rotation_deg": 5.0, "scale": 1.0, "noise_sigma": 0.0, "noise_seed": 1}
    copy = {**images[0], "image_id": "copy", "parent_id": images[0]["image_id"], "augmentation": change}
    manifests = folder / "manifests"
    write_faces(manifests, faces)
    write_images(manifests, [*images, copy])
    seen = 3 * len(PARTS) - 1
    clips.append({**clips[seen], "clip_id": "unseen"})  # a test frame without a face, which counts as wrong
    faces.append({**faces[seen], "clip_id": "unseen", "status": "no_face", "landmarks": None})
    write_faces(manifests, faces)
    pq.write_table(pa.Table.from_pylist(clips, schema=records.schema("clips")), manifests / "clips.parquet")
    (manifests / "index.json").write_text(json.dumps({"dataset": "made up", "synthetic": True, "files": {}}))
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights with the names of arcface_torch, as torch.save writes them."""
    net = narrow()
    initialise(net, torch.Generator().manual_seed(3))
    path = tmp_path_factory.mktemp("weights") / "backbone.pth"
    torch.save(net.state_dict(), path)
    return path


@pytest.fixture
def context(work, tmp_path):
    """A work folder of the test's own."""
    shutil.copytree(work / "manifests", tmp_path / "manifests")
    return TrainingContext(
        workdir=tmp_path,
        manifest_digest="m",
        details={"dataset": "made up", "synthetic": True},
        seed=0,
        device=CPU,
        resume=True,
        force=False,
        jobs=1,
        progress=lambda name, done, of: None,
    )


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

"""Parts of insightface: weights of others, inputs, loss, learning rates, recipes."""

import json
import os
import shutil

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from fgbench import records
from fgbench.config import InsightFaceConfig, load_baseline, recipe_names
from fgbench.errors import ManifestError
from fgbench.faces.geometry import mean_face
from fgbench.inputs.crops import draw_views
from fgbench.inputs.resident import Resident
from fgbench.media.images import encode
from fgbench.methods.insightface import method as insightface
from fgbench.methods.insightface.task import FaceSet, FaceTask, see_crops, see_features
from fgbench.models.initialisation import initialise
from fgbench.models.iresnet import FaceHead, IResNetClassifier
from fgbench.training.context import TrainingContext
from fgbench.training.losses import arcface_logits
from tests.support.insightface_runs import CLASSES, CPU, PARTS, config, narrow
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


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def damaged(kind, weights, folder):
    state = torch.load(weights, weights_only=True)
    path = folder / "given.pth"
    if kind == "missing":
        return path
    if kind == "cut off":
        path.write_bytes(weights.read_bytes()[:3000])
        return path
    content = {
        "malicious": {**state, "more": Payload(folder / "executed")},
        "another network": {"trunk.conv1.weight": torch.zeros(3)},
        "another width": {**state, "fc.weight": torch.zeros(512, 7)},
        "not finite": {**state, "fc.bias": torch.full((512,), float("nan"))},
    }[kind]
    torch.save(content, path)
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", r"cannot read the weights .*given\.pth"),
        ("cut off", r"given\.pth is damaged"),
        ("malicious", r"would run code when read and was refused"),
        ("another network", r"do not fit the network .*conv1\.weight"),
        ("another width", r"fc\.weight \(512, 7\) instead of \(512, 784\)"),
        ("not finite", r"numbers in fc\.bias that are not finite"),
    ],
)
def test_bad_weights_are_refused(context, weights, tmp_path, kind, message):
    with pytest.raises(ManifestError, match=message):
        insightface.run(config(), context, damaged(kind, weights, tmp_path))
    assert not (tmp_path / "executed").exists()
    assert not [path for path in (tmp_path / "runs").glob("*/*/*") if path.is_dir()]


def test_inputs_are_insightfaces():
    crops = torch.randint(0, 256, (2, 3, 112, 112), generator=torch.Generator().manual_seed(0)).byte()
    actual = see_crops(crops, torch.tensor([False, True]))
    expected = (crops.double() / 255 - 0.5) / 0.5
    torch.testing.assert_close(actual[0].double(), expected[0], atol=1e-6, rtol=0)
    torch.testing.assert_close(actual[1].double(), expected[1].flip(2), atol=1e-6, rtol=0)


def test_loss_of_the_arcface_head_has_the_margin_of_the_true_class():
    torch.manual_seed(0)
    features, labels = torch.randn(6, 512), torch.tensor([0, 1, 2, 0, 1, 2])
    head = FaceHead(3, kind="arcface", scale=8.0, margin=0.5)
    names = [str(n) for n in range(6)]
    samples = FaceSet(sample_ids=names, labels=labels, inputs=Resident(features[:, None, :, None, None]))
    task = FaceTask(head, config(head="arcface"), see_features, train=samples, selection=samples, seed=0)
    (batch, *_) = task.batches(epoch=0, rank=0, world=1)
    actual, parts = task.loss(batch, epoch=0)
    cosines = torch.cosine_similarity(features[batch.index][:, None], head.weight[None], dim=2)
    target = labels[batch.index]
    angles = torch.acos(cosines) + 0.5 * torch.nn.functional.one_hot(target, 3)
    expected = torch.nn.functional.cross_entropy(8.0 * torch.cos(angles), target)
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)
    assert parts == {}
    assert task.ids(batch) == [names[n] for n in batch.index.tolist()]
    assert task.groups() == [{"params": [head.weight], "lr": 0.03}]
    shown = arcface_logits(cosines, target, scale=8.0, margin=0.5)
    torch.testing.assert_close(actual, torch.nn.functional.cross_entropy(shown, target), rtol=1e-4, atol=1e-4)


def test_rates_and_views_of_the_whole_network():
    net = IResNetClassifier(narrow(), FaceHead(33))
    crops = torch.zeros(5, 3, 112, 112, dtype=torch.uint8)
    samples = FaceSet(
        sample_ids=list("abcde"), labels=torch.zeros(5, dtype=torch.int64), inputs=Resident(crops)
    )
    task = FaceTask(net, config(), see_crops, train=samples, selection=samples, seed=2)
    backbone, head = task.groups()
    assert "lr" not in backbone
    assert head["lr"] == 0.03
    assert {id(p) for p in head["params"]} == {id(p) for p in net.head.parameters()}
    task.batches(epoch=3, rank=0, world=1)
    assert task._mirrored.equal(draw_views(5, 2, seed=2, epoch=3).bool())


def test_packed_recipes_are_of_the_method():
    names = [name for name in recipe_names("baseline") if name.startswith("insightface")]
    assert names == ["insightface", "insightface-small", "insightface-small-from-scratch"]
    recipes = [load_baseline("insightface", InsightFaceConfig, name) for name in names]
    assert [recipe.name for recipe in recipes] == names
    assert {recipe.method for recipe in recipes} == {"InsightFace"}
    assert [recipe.freeze_backbone for recipe in recipes] == [False, True, False]
    paper = recipes[0].optimiser
    assert (paper.learning_rate, paper.momentum, paper.weight_decay, paper.batch) == (1e-4, 0.9, 5e-4, 8)

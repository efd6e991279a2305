"""Parts of insightface: weights of others, inputs, loss, learning rates, recipes."""

import os

import pytest
import torch

from fgbench.config import InsightFaceConfig, load_baseline, recipe_names
from fgbench.errors import ManifestError
from fgbench.inputs.crops import draw_views
from fgbench.inputs.resident import Resident
from fgbench.methods.insightface import method as insightface
from fgbench.methods.insightface.task import FaceSet, FaceTask, see_crops, see_features
from fgbench.models.iresnet import FaceHead, IResNetClassifier
from fgbench.training.losses import arcface_logits
from tests.support.insightface_runs import config, narrow
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

"""Learning from the shares of votes: targets by hand, losses against numpy (float64), recipes."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.config import ClipLossConfig, ImageLossConfig, InsightFaceConfig
from fgbench.inputs.batching import Batch
from fgbench.inputs.resident import Resident
from fgbench.inputs.soft_targets import SoftTargets, targets_of
from fgbench.methods.insightface.task import FaceSet, FaceTask, see_features
from fgbench.methods.tmsau.task import clip_loss
from fgbench.models.initialisation import initialise
from fgbench.models.iresnet import FaceHead
from fgbench.runs.labels import LabelSet, fg33
from fgbench.runs.samples import Sample
from fgbench.training.losses import image_loss, softmax_losses
from fgbench.training.randomness import generator
from tests.support.soft_labels import agreed_shares, set_shares
from tests.support.tiny_work import small_work

CPU = torch.device("cpu")
B, S, K, M = 7, 2, 5, 3


def drawn(*shape, seed=0, scale=2.0):
    return torch.from_numpy(np.random.default_rng(seed).normal(0, scale, shape)).float()


def shares(*shape, seed=1):
    """Shares of five votes, some of them 0."""
    n = shape[-1]
    votes = np.random.default_rng(seed).multinomial(5, np.full(n, 1 / n), shape[:-1])
    return torch.from_numpy(votes / 5).float()


def log_softmax64(logits):
    values = np.asarray(logits, np.float64)
    values = values - values.max(-1, keepdims=True)
    return values - np.log(np.exp(values).sum(-1, keepdims=True))


def image(clip, label, *, copy=False):
    name = f"{clip}-f00001{'-a00001' if copy else ''}"
    return Sample(sample_id=name, clip_id=clip, subject_id=None, label=label, part="train", is_copy=copy)


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    return small_work(tmp_path_factory.mktemp("votes"))


def test_targets_are_the_shares_of_the_votes_and_their_sums(manifests):
    """Copies have those of their clip; a clip without votes has its class alone."""
    set_shares(manifests, {"clip000": {"anger": 0.6, "hate": 0.2, "panic": 0.2}})
    samples = [image("clip000", "anger"), image("clip000", "anger", copy=True), image("clip001", "panic")]
    labels = fg33()
    targets = targets_of("soft", manifests, samples, labels, CPU)
    fine = np.zeros((3, 33))
    for row in (0, 1):
        fine[row, [labels.labels.index(name) for name in ("anger", "hate", "panic")]] = 0.6, 0.2, 0.2
    fine[2, labels.labels.index("panic")] = 1
    np.testing.assert_allclose(targets.fine, fine, atol=1e-7)
    basic = np.zeros((3, 6))
    basic[:2, labels.upper.index("anger")] = 0.8
    basic[:2, labels.upper.index("fear")] = 0.2
    basic[2, labels.upper.index("fear")] = 1
    np.testing.assert_allclose(targets.basic, basic, atol=1e-7)


def test_votes_for_classes_that_a_recipe_dropped_are_left_out(manifests):
    three = LabelSet(name="three", labels=("anger", "panic", "relief"))
    cast = {"clip000": {"anger": 0.5, "hate": 0.25, "panic": 0.25}, "clip001": {"hate": 1.0}}
    set_shares(manifests, cast)
    samples = [image("clip000", "anger"), image("clip001", "panic")]
    targets = targets_of("soft", manifests, samples, three, CPU)
    np.testing.assert_allclose(targets.fine, [[2 / 3, 1 / 3, 0], [0, 1, 0]], atol=1e-7)
    assert targets.basic.shape == (2, 0)


def test_votes_that_agree_with_the_classes_are_the_classes(manifests):
    samples = [image("clip000", "anger"), image("clip001", "panic")]
    set_shares(manifests, agreed_shares(manifests))
    assert targets_of("soft", manifests, samples, fg33(), CPU) is None
    set_shares(manifests, {"clip000": {"anger": 0.6, "hate": 0.4}})
    assert targets_of("hard", manifests, samples, fg33(), CPU) is None


def test_softmax_losses_of_shares_against_their_formula():
    logits, targets = drawn(B, S, K), shares(B, K)
    expected = -(np.asarray(targets, np.float64)[:, None] * log_softmax64(logits)).sum() / B
    assert softmax_losses(logits, targets).item() == pytest.approx(expected, rel=1e-6)


def test_softmax_losses_of_certain_shares_are_those_of_classes():
    logits, classes = drawn(B, S, K), torch.arange(B) % K
    certain = torch.nn.functional.one_hot(classes, K).float()
    hard, soft = softmax_losses(logits, classes), softmax_losses(logits, certain)
    assert soft.item() == pytest.approx(hard.item(), rel=1e-6)


def test_the_gradient_of_shares_is_the_probability_less_the_share():
    logits, targets = drawn(B, 1, K).requires_grad_(), shares(B, K)
    softmax_losses(logits, targets).backward()
    expected = (np.exp(log_softmax64(logits.detach()))[:, 0] - targets.numpy()) / B
    np.testing.assert_allclose(logits.grad[:, 0], expected, atol=1e-7)


def test_image_losses_take_shares_on_both_levels_and_rank_by_the_class():
    outputs = SimpleNamespace(fine=drawn(B, S, K), basic=drawn(B, S, M, seed=2))
    fine, basic = torch.arange(B) % K, torch.arange(B) % M
    soft = SoftTargets(shares(B, K), shares(B, M, seed=3))
    config = ImageLossConfig(alternate=False, rank=0.5, target="soft")
    total, parts = image_loss(outputs, fine, basic, config, epoch=0, soft=soft)
    _, hard = image_loss(outputs, fine, basic, config, epoch=0)
    for name in ("fine", "basic"):
        of_level, logits = getattr(soft, name), getattr(outputs, name)
        expected = -(np.asarray(of_level, np.float64)[:, None] * log_softmax64(logits)).sum() / B
        assert parts[name].item() == pytest.approx(expected, rel=1e-6)
        assert parts[name].item() != pytest.approx(hard[name].item(), rel=1e-3)
    assert parts["rank"].item() == hard["rank"].item()
    assert total.item() == pytest.approx(0.5 * sum(part.item() for part in parts.values()), rel=1e-6)


@pytest.mark.parametrize("on", ["streams", "fused"])
def test_clip_losses_take_shares_of_each_stream_or_of_their_fusion(on):
    streams = {"spatial": drawn(B, K), "temporal": drawn(B, K, seed=5)}
    upper = {name: drawn(B, M, seed=7) for name in streams}
    outputs = {name: SimpleNamespace(fine=streams[name], basic=upper[name]) for name in streams}
    soft = SoftTargets(shares(B, K), shares(B, M, seed=3))
    config = SimpleNamespace(losses=ClipLossConfig(on=on, target="soft"), fusion_weight=0.3)
    zeros = torch.zeros(B, dtype=torch.int64)
    _, parts = clip_loss(outputs, zeros, zeros, config, soft=soft)
    for name, logits in (("fine", streams), ("basic", upper)):
        target = np.asarray(getattr(soft, name), np.float64)
        logs = {stream: log_softmax64(values) for stream, values in logits.items()}
        if on == "fused":
            fused = np.log(0.3 * np.exp(logs["spatial"]) + 0.7 * np.exp(logs["temporal"]))
            expected = -(target * fused).sum() / B
        else:
            expected = -sum((target * values).sum() for values in logs.values()) / B
        assert parts[name].item() == pytest.approx(expected, rel=1e-5)


def test_face_recognition_takes_shares():
    head = FaceHead(K, kind="softmax", scale=64.0, margin=0.5)
    initialise(head, generator(0, "weights"))
    features = drawn(B, head.in_features)
    config = InsightFaceConfig(
        name="tiny", method="InsightFace", losses={"target": "soft"}, freeze_backbone=True
    )
    ids = [str(number) for number in range(B)]
    faces = FaceSet(sample_ids=ids, labels=torch.zeros(B, dtype=torch.int64), inputs=Resident(features))
    soft = SoftTargets(shares(B, K), torch.zeros(B, 0))
    task = FaceTask(head, config, see_features, train=faces, selection=faces, soft=soft, seed=0)
    task.batches(epoch=0, rank=0, world=1)
    index = torch.tensor([3, 1, 6])
    loss, _ = task.loss(Batch(features[index], index), epoch=0)
    with torch.no_grad():
        logs = log_softmax64(head(features[index]))
    expected = -(np.asarray(soft.fine, np.float64)[index] * logs).sum() / 3
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_a_head_with_the_margin_of_one_class_takes_no_shares():
    with pytest.raises(ValueError, match=r"losses\.target soft has no meaning with head arcface"):
        InsightFaceConfig(name="own", method="InsightFace", head="arcface", losses={"target": "soft"})


@pytest.mark.parametrize("method", ["lbp-svm", "dense-traj-svm"])
def test_methods_without_softmax_losses_have_no_such_key(method, tmp_path):
    words = ["baseline", method, "--workdir", str(tmp_path), "--set", "losses.target=soft"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code != 0
    assert "unknown key losses" in done.output

"""Weights of others that clip networks start from."""

import numpy as np
import pytest
import torch

from fgbench.errors import ManifestError
from fgbench.methods.tmsau import run as video_run
from fgbench.methods.tmsau.opened import open_clip_network
from fgbench.models.c3d_lstm import C3d
from fgbench.models.googlenet import GoogLeNet
from fgbench.models.vgg_lstm import Vgg16
from fgbench.models.weights import load_weights
from fgbench.runs.results import read_result
from fgbench.runs.weights import read_trained
from tests.support.clip_networks import CPU, KINDS, run_in
from tests.support.tiny_clips import clip_recipe, small_clips
from tests.support.tiny_runs import write_tiny_weights
from tests.support.tiny_work import context_in

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    return small_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return read_trained(write_tiny_weights(tmp_path_factory.mktemp("image") / "weights.safetensors"))


@pytest.fixture(scope="module")
def done(manifests, image, tmp_path_factory):
    return run_in(tmp_path_factory.mktemp("done") / "work", manifests, image)


def test_weights_of_torchvisions_kind_start_the_streams(tmp_path, manifests):
    torch.manual_seed(0)
    backbone = GoogLeNet(3, width=0.0625)
    path = tmp_path / "googlenet.pth"
    torch.save({**backbone.state_dict(), "fc.weight": torch.zeros(1, 64), "fc.bias": torch.zeros(1)}, path)
    config = clip_recipe(
        **KINDS["plain-tsnet"]
        | {"optimiser": {"epochs": 1, "learning_rate": 1e-12, "momentum": 0.0, "weight_decay": 0.0}}
    )
    folder = video_run.run(config, context_in(tmp_path / "work", manifests), None, path)
    state, metadata = load_weights(folder / "weights.safetensors")
    first = backbone.state_dict()["conv1.conv.weight"]
    torch.testing.assert_close(state["spatial.backbone.conv1.conv.weight"], first)
    expected = first.mean(1, keepdim=True).expand(-1, 4, -1, -1)
    torch.testing.assert_close(state["temporal.backbone.conv1.conv.weight"], expected)
    assert read_result(folder)["details"]["weights"] == metadata["initial_weights"]


@pytest.fixture
def seen_by(monkeypatch):
    """The first input of every network of a kind."""
    actual = {}

    def record(kind):
        forward = kind.forward

        def recorded(self, x):
            if x.shape[1] not in actual:
                actual[x.shape[1]] = x.detach().clone()
            return forward(self, x)

        monkeypatch.setattr(kind, "forward", recorded)
        return actual

    return record


PUBLISHED = {
    "plain-tsnet": (GoogLeNet, lambda: GoogLeNet(3, width=0.0625), (0.5,) * 3, (0.5,) * 3),
    "vgg-lstm": (
        Vgg16,
        lambda: Vgg16(width=0.0625, fc=16, dropout=0.5, batch_norm=True),
        (0.485, 0.456, 0.406),
        (0.229, 0.224, 0.225),
    ),
    "c3d-lstm": (
        C3d,
        lambda: C3d(width=0.0625, fc=16, dropout=0.5, batch_norm=True, input_px=64),
        (102 / 255, 98 / 255, 90 / 255),
        (1 / 255,) * 3,
    ),
}


@pytest.mark.parametrize("kind", sorted(PUBLISHED))
def test_published_weights_see_the_scale_that_they_were_trained_with(
    tmp_path, manifests, image, seen_by, kind
):
    """Turned back, the input is whole grey levels within those of the faces; with another scale it is not."""
    network, make, mean, std = PUBLISHED[kind]
    path = tmp_path / "published.pth"
    torch.save(make().state_dict(), path)
    config = clip_recipe(
        **KINDS[kind]
        | {
            "optimiser": {"epochs": 1, "learning_rate": 1e-12, "batch": 6},
            "data": {"enlarge": 1.0, "crops": "centre", "flip": False},
        }
    )
    recorded = seen_by(network)
    context = context_in(tmp_path / "work", manifests)
    folder = video_run.run(config, context, image if config.image_recipe else None, path)
    levels = 255 * (recorded[3].moveaxis(1, -1) * torch.tensor(std) + torch.tensor(mean))
    torch.testing.assert_close(levels, levels.round(), rtol=0, atol=0.01)
    assert levels.min() > 39.9
    assert levels.max() < 250.1
    _, metadata = load_weights(folder / "weights.safetensors")
    stream = "spatial" if kind == "plain-tsnet" else "temporal"
    np.testing.assert_allclose(metadata["scales"][stream]["mean"], np.array(mean) * 255, atol=1e-9)
    np.testing.assert_allclose(metadata["scales"][stream]["std"], np.array(std) * 255, atol=1e-9)
    assert read_result(folder)["details"]["input_scale"] == "published"
    network = open_clip_network(read_trained(folder / "weights.safetensors"), CPU)
    np.testing.assert_allclose(network.scales[stream].std, np.array(std) * 255, atol=1e-9)


def test_weights_of_another_kind_are_refused(done, image):
    folder, _ = done
    with pytest.raises(ManifestError, match="expected 'video'"):
        open_clip_network(image, CPU)
    trained = read_trained(folder / "weights.safetensors")
    broken = {**trained.metadata, "scales": None}
    damaged = type(trained)(path=trained.path, state=trained.state, metadata=broken, digest="x")
    with pytest.raises(ManifestError, match="do not tell of a network"):
        open_clip_network(damaged, CPU)

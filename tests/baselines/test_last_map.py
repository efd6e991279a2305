"""Last maps of networks of the user's in every format, against the networks' own layers; and who has none."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from fgbench.config import BackboneInputConfig
from fgbench.errors import ConfigError
from fgbench.methods.backbone.last_map import LastMap, with_last_map
from fgbench.methods.backbone.opening import open_network
from fgbench.methods.backbone.taken import Preparation, taken_of
from fgbench.models.iresnet import iresnet
from tests.support.tiny_backbones import MEAN, STD, TinyCnn, stated, write_clip, write_onnx, write_vit
from tests.support.tiny_cnns import write_cnn
from tests.support.tiny_networks import tiny_resnet

CPU = torch.device("cpu")
pytestmark = pytest.mark.slow


def opened(path, format_="torch", arch="", side=64, **architecture):
    frozen = open_network(
        path,
        format_=format_,
        device=CPU,
        output="auto",
        pooling="auto",
        arch=arch,
        architecture=architecture,
    )
    size = {} if "fixed_px" in frozen.stated else {"size_px": side}
    section = BackboneInputConfig(scale=1 / 255, mean=(0.5,), std=(0.5,), **size)
    return frozen, taken_of(section, frozen.stated, name=frozen.name)


def pictures(side, n=2):
    return torch.randn((n, 3, side, side), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("kind", "classes", "channels", "cells"),
    [("resnet", 0, 16, 2), ("resnet", 5, 16, 2), ("convnext", 0, 12, 2), ("mobilenet_v2", 0, 1280, 2)],
)
def test_of_a_folder_it_is_what_transformers_gives(tmp_path, kind, classes, channels, cells):
    model = write_cnn(tmp_path / kind, kind, classes=classes)
    frozen, taken = opened(tmp_path / kind, "hf")
    mapped, n_channels, n_cells = with_last_map(frozen, taken)
    assert (n_channels, n_cells) == (channels, cells)
    own = model.base_model if classes else model
    with torch.no_grad():
        expected = own(pixel_values=pictures(64)).last_hidden_state
    torch.testing.assert_close(mapped.runs.features(pictures(64)), expected)
    assert mapped.reads.endswith(f"last map of {channels} channels, {cells} x {cells} cells")
    assert "pooling" not in mapped.reads
    assert mapped.digest == frozen.digest


def test_of_a_resnet_in_a_file_it_is_the_output_of_its_last_block(tmp_path):
    model = tiny_resnet()
    torch.save(model.state_dict(), tmp_path / "r.pth")
    seen = []
    model.layer4.register_forward_hook(lambda module, given, output: seen.append(output))
    with torch.no_grad():
        model(pictures(96))
    mapped, channels, cells = with_last_map(
        *opened(tmp_path / "r.pth", arch="resnet18", width=0.0625, side=96)
    )
    assert (channels, cells) == (32, 3)
    torch.testing.assert_close(mapped.runs.features(pictures(96)), seen[0])


def test_of_face_recognition_it_is_what_precedes_its_embedding(tmp_path):
    torch.manual_seed(0)
    model = iresnet(18, 0.0625).eval()
    torch.save(model.state_dict(), tmp_path / "i.pth")
    seen = []
    model.bn2.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    with torch.no_grad():
        model(pictures(112))
    mapped, channels, cells = with_last_map(*opened(tmp_path / "i.pth", arch="iresnet18", width=0.0625))
    assert (channels, cells) == (32, 7)
    torch.testing.assert_close(mapped.runs.features(pictures(112)), seen[0])


class Timm(nn.Module):
    """A network with timm's two steps."""

    def __init__(self, pooled=False):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 8, stride=8)
        self.num_features = self.n_features = 4
        self._is_pooled = pooled

    def forward_features(self, pictures):
        maps = self.stem(pictures)
        return maps.mean((2, 3), keepdim=True) if self._is_pooled else maps

    def forward(self, pictures):
        return self.forward_features(pictures).mean((2, 3))


@pytest.mark.parametrize("pooled", [False, True])
def test_of_timm_it_is_what_precedes_pooling(monkeypatch, tmp_path, pooled):
    torch.manual_seed(0)
    model = Timm(pooled)
    torch.save(model.state_dict(), tmp_path / "t.pth")
    fake = SimpleNamespace(
        __version__="1", create_model=lambda name, **more: Timm(pooled), get_pretrained_cfg=lambda name: None
    )
    monkeypatch.setitem(sys.modules, "timm", fake)
    given = opened(tmp_path / "t.pth", arch="timm/any")
    if pooled:
        with pytest.raises(
            ConfigError, match=r"4 channels and 1 x 1 cells with pictures of 64 x 64, expected 2"
        ):
            with_last_map(*given)
        return
    mapped, channels, cells = with_last_map(*given)
    assert (channels, cells) == (4, 8)
    torch.testing.assert_close(mapped.runs.features(pictures(64)), model.stem(pictures(64)).detach())


def test_networks_without_a_map_are_refused(tmp_path):
    write_vit(tmp_path / "vit")
    with pytest.raises(ConfigError, match=r"vit \(ViTModel.* has no last map: .* gives \(1, 17, 32\) of one"):
        with_last_map(*opened(tmp_path / "vit", "hf", side=32))
    write_clip(tmp_path / "clip")
    with pytest.raises(
        ConfigError, match="clip is a network of pictures and texts, expected a convolutional"
    ):
        with_last_map(*opened(tmp_path / "clip", "hf", side=32))
    write_onnx(tmp_path / "x.onnx", TinyCnn(), metadata=stated())
    with pytest.raises(ConfigError, match="x is a network of ONNX, expected a convolutional"):
        with_last_map(*opened(tmp_path / "x.onnx", "onnx", side=32))
    torch.save(tiny_resnet().state_dict(), tmp_path / "r.pth")
    with pytest.raises(ConfigError, match=r"32 channels and 1 x 1 cells with pictures of 32 x 32") as caught:
        with_last_map(*opened(tmp_path / "r.pth", arch="resnet18", width=0.0625, side=32))
    assert "network.trunk.input.size_px=224" in caught.value.hint
    with pytest.raises(ConfigError, match="TinyCnn gives features alone, expected its last map"):
        LastMap(TinyCnn())


def test_a_video_network_is_refused(tmp_path):
    write_cnn(tmp_path / "r", "resnet")
    frozen, taken = opened(tmp_path / "r", "hf")
    with pytest.raises(ConfigError, match="r is a network of videos, expected"):
        with_last_map(replace(frozen, window=8), taken)


@pytest.mark.parametrize(("side", "colours"), [(64, "rgb"), (224, "bgr"), (300, "bgr")])
def test_preparation_as_a_module_is_that_of_the_input(side, colours):
    section = BackboneInputConfig(size_px=side, colours=colours, scale=1 / 255, mean=MEAN, std=STD)
    taken = taken_of(section, {}, name="any")
    faces = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, 224, 224), np.uint8))
    module = Preparation(taken)
    torch.testing.assert_close(module(faces), taken.prepare(faces), rtol=0, atol=1e-6)
    assert not module.state_dict(), "its numbers are no weights"

"""MSAU-Net on maps of other sizes than the paper's: cells, regions, MAC and what trains, by NumPy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from fgbench.config import BackboneTrunkConfig, NetworkConfig
from fgbench.errors import ConfigError
from fgbench.models.initialisation import initialise
from fgbench.models.map_trunk import MapTrunk
from fgbench.models.msau import MsauNet
from fgbench.models.receptive_field import equal_cells

SIZES = {"fc_hidden": None, "embedding": 8, "dropout": 0.0}


class Areas(nn.Module):
    """Means over cells of the three colours, and their negatives: a map of six channels."""

    def __init__(self, cells):
        super().__init__()
        self.cells = cells

    def forward(self, faces):
        means = functional.adaptive_avg_pool2d(faces, self.cells)
        return torch.cat((means, -means), 1)


class Narrow(nn.Module):
    """A convolution with batch normalisation, and a layer that the map does not depend on."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 32, stride=32)
        self.norm = nn.BatchNorm2d(4)
        self.beside = nn.Linear(4, 2)

    def forward(self, faces):
        return torch.relu(self.norm(self.convolution(faces / 255)))


def trunk(network, *, channels, cells, used=()):
    return MapTrunk(nn.Identity(), network, channels=channels, cells=cells, used=used, identity={})


def network(cells, **settings):
    config = NetworkConfig(trunk=BackboneTrunkConfig(), **(SIZES | settings))
    net = MsauNet(config, n_fine=5, n_basic=2, trunk=trunk(Areas(cells), channels=6, cells=cells))
    initialise(net, torch.Generator().manual_seed(0))
    return net.eval()


def faces_with_dots(points):
    """Dark noisy faces with a bright dot of 5 x 5 px around each point (x, y)."""
    faces = np.random.default_rng(0).uniform(0, 20, (len(points), 3, 224, 224)).astype(np.float32)
    for face, (x, y) in zip(faces, points, strict=True):
        face[:, max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3] = 255.0
    return torch.from_numpy(faces)


@pytest.mark.parametrize("cells", [2, 4, 7, 8, 14])
def test_a_point_of_the_face_lies_in_its_cell_and_in_the_region(cells):
    """Cells share the face evenly, rows by y and columns by x; a region holds the point it was made for."""
    points = [(int(x), int(y)) for x, y in np.random.default_rng(cells).integers(0, 224, (40, 2))]
    edge = 224 / cells
    points = [(x, y) for x, y in points if min(x % edge, y % edge) > 3 and max(x % edge, y % edge) < edge - 3]
    views = network(cells, zoom_side_px=160 if cells == 2 else 64 if cells > 4 else 96).see(
        faces_with_dots(points)
    )
    assert len(points) >= 5
    expected = [[int(y // edge), int(x // edge)] for x, y in points]
    assert views.cells[:, 0].tolist() == expected
    for (x, y), (x0, y0, x1, y1) in zip(points, views.boxes[:, 0].tolist(), strict=True):
        assert x0 <= x <= x1
        assert y0 <= y <= y1
        assert min(x0, y0) >= 0
        assert max(x1, y1) <= 224
    assert views.maps.shape == (len(points), 2, 6, cells, cells)


@pytest.mark.parametrize("cells", [2, 3, 7, 14])
def test_cells_cover_the_face_without_gap(cells):
    geometry = equal_cells(cells)
    edges = [geometry.box_of((index, index)) for index in range(cells)]
    assert edges[0][0] == 0
    np.testing.assert_allclose(edges[-1][2:], (224, 224), rtol=1e-12)
    for before, after in pairwise(edges):
        np.testing.assert_allclose(before[2], after[0], rtol=1e-12)


def test_regions_hold_what_a_network_of_padded_strides_answers_to():
    """Units of a stem and stages as ResNet's have their middles half a cell before those of their cells,
    which a region of three cells covers."""
    layers = [nn.Conv2d(3, 1, 7, 2, padding=3), nn.MaxPool2d(3, 2, padding=1)]
    layers += [nn.Conv2d(1, 1, 3, 2, padding=1) for _ in range(3)]
    model = nn.Sequential(*layers)
    with torch.no_grad():
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                layer.weight.fill_(1 / layer.weight[0].numel())
                layer.bias.zero_()
    config = NetworkConfig(trunk=BackboneTrunkConfig(), zoom_side_px=96, **SIZES)
    net = MsauNet(config, trunk=trunk(model, channels=1, cells=7)).eval()
    points = [(x, y) for x in range(8, 224, 24) for y in range(8, 224, 24)]
    faces = torch.where(faces_with_dots(points) > 100, 255.0, 0.0)
    with torch.no_grad():
        boxes = net.see(faces).boxes[:, 0].tolist()
    for (x, y), (x0, y0, x1, y1) in zip(points, boxes, strict=True):
        assert x0 <= x <= x1, (x, y)
        assert y0 <= y <= y1, (x, y)


def enlarged(face, box):
    """A box of a face (3, 224, 224) enlarged to its side, bilinearly along one axis after the other."""
    x0, y0, x1, y1 = box
    steps = (np.arange(224) + 0.5) / 224
    at_x, at_y = x0 + (x1 - x0) * steps - 0.5, y0 + (y1 - y0) * steps - 0.5
    pixels = np.arange(224)
    wide = np.apply_along_axis(lambda line: np.interp(at_x, pixels, line), 2, face)
    return np.apply_along_axis(lambda line: np.interp(at_y, pixels, line), 1, wide)


def area_means(face, cells):
    """Means of cells of a picture (3, 224, 224), and their negatives: (6, cells, cells)."""
    side = 224 // cells
    means = face.reshape(3, cells, side, cells, side).mean((2, 4))
    return np.concatenate([means, -means])


@pytest.mark.parametrize(("cells", "zooms"), [(4, 1), (7, 2), (8, 3)])
def test_zoom_and_mac_are_those_of_numpy(cells, zooms):
    """The choice of cells, the regions' boxes and pictures, region pooling and classes, step by step."""
    net = network(cells, zooms=zooms, zoom_side_px=64)
    faces = faces_with_dots([(30, 60), (200, 17), (111, 150)])
    with torch.no_grad():
        views = net.see(faces)
        outputs = net.classify(views.maps)
    state = {name: value.numpy() for name, value in net.state_dict().items()}
    for number, face in enumerate(faces.double().numpy()):
        whole = area_means(face, cells)
        strength = whole.max(0)
        regions = []
        for rank in range(zooms):
            row, column = np.unravel_index(strength.argmax(), strength.shape)
            assert views.cells[number, rank].tolist() == [row, column]
            strength[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = -np.inf
            left, top = (np.clip((index + 0.5) * 224 / cells - 32, 0, 224 - 64) for index in (column, row))
            box = (left, top, left + 64, top + 64)
            np.testing.assert_allclose(views.boxes[number, rank], box, atol=1e-4)
            regions.append(area_means(enlarged(face, box), cells))
        maps = [whole, *regions]
        np.testing.assert_allclose(views.maps[number], maps, atol=2e-3)
        for scale, seen in enumerate((maps[:1], maps[1:])):
            features = []
            for one in seen:
                weight = state[f"scales.{scale}.embedding.fc9.weight"]
                bias = state[f"scales.{scale}.embedding.fc9.bias"]
                features += [np.maximum(weight @ one.ravel() + bias, 0), one.max((1, 2))]
            joined = np.concatenate(features)
            for level, logits in (("fine", outputs.fine), ("basic", outputs.basic)):
                head = [state[f"scales.{scale}.{level}.{part}"] for part in ("weight", "bias")]
                np.testing.assert_allclose(
                    logits[number, scale], head[0] @ joined + head[1], atol=2e-2, rtol=1e-3
                )


def test_more_regions_than_a_small_map_has_cells_are_refused():
    with pytest.raises(ConfigError, match=r"zooms is 2, but .* at most 1 of 2 x 2 cells can be chosen"):
        network(2, zooms=2)


def test_faces_of_another_size_are_refused():
    net = network(7)
    with pytest.raises(ValueError, match=r"expected faces of shape \(B, 3, 224, 224\), got \(1, 3, 96, 96\)"):
        net.trunk(torch.zeros(1, 3, 96, 96))
    with pytest.raises(ValueError, match=r"expected maps of the face and 1 regions, \(B, 2, C, 7, 7\)"):
        net.classify(torch.zeros(1, 1, 6, 7, 7))


def test_what_the_map_does_not_depend_on_never_trains():
    inner = Narrow()
    used = [name for name, _ in inner.named_parameters() if not name.startswith("beside")]
    config = NetworkConfig(trunk=BackboneTrunkConfig(), **SIZES)
    net = MsauNet(config, trunk=trunk(inner, channels=4, cells=7, used=used))
    net.freeze("none")
    assert {name for name, value in inner.named_parameters() if value.requires_grad} == set(used)
    net.train()
    assert inner.norm.training
    net.freeze("trunk")
    net.train()
    assert not any(value.requires_grad for value in net.trunk.parameters())
    assert not inner.norm.training
    before = inner.norm.running_mean.clone()
    net(faces_with_dots([(9, 9), (99, 50)])).fine.sum().backward()
    assert torch.equal(inner.norm.running_mean, before)
    assert all(value.grad is None for value in net.trunk.parameters())
    assert set(net.trunk.trained_state()) == {
        *(f"network.{name}" for name in used),
        "network.norm.running_mean",
        "network.norm.running_var",
        "network.norm.num_batches_tracked",
    }

"""MSAU-Net and its ablations: shapes, learning, the frozen trunk, and what it looks at."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from fgbench.config import NetworkConfig, TrunkConfig
from fgbench.errors import ConfigError
from fgbench.models.drml import reduce
from fgbench.models.initialisation import initialise
from fgbench.models.msau import MsauNet, Outputs
from fgbench.models.zoom import crop


def network(*, n_fine=5, n_basic=3, input_px=112, region_layer=True, seed=0, **settings):
    trunk = TrunkConfig(input_px=input_px, stem=4, widths=(6, 6, 8, 8), region_layer=region_layer)
    sizes = {"fc_hidden": None, "embedding": 16, "dropout": 0.0}
    net = MsauNet(NetworkConfig(trunk=trunk, **(sizes | settings)), n_fine=n_fine, n_basic=n_basic)
    initialise(net, torch.Generator().manual_seed(seed))
    return net


def faces(n=4, seed=0):
    return torch.randn(n, 3, 224, 224, generator=torch.Generator().manual_seed(seed))


VARIANTS = {
    "Plain CNN": {"zooms": 0, "mac": False, "region_layer": False, "n_basic": 0},
    "AU+CNN": {"zooms": 0, "n_basic": 0},
    "AU+Z-CNN": {"zooms": 1, "n_basic": 0},
    "MSAU-Net": {"zooms": 1},
    "progressive": {"zooms": 3, "zoom_side_px": 64, "mac_norm": True, "fc_hidden": 12},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_shapes(variant):
    settings = VARIANTS[variant]
    zooms, scales = settings["zooms"], 2 if settings["zooms"] else 1
    net = network(**settings).eval()
    views = net.see(faces())
    assert views.maps.shape == (4, 1 + zooms, 8, 6, 6)
    assert (views.boxes.shape, views.cells.shape) == ((4, zooms, 4), (4, zooms, 2))
    assert views.strength.shape == (4, zooms)
    assert (views.boxes.dtype, views.cells.dtype) == (torch.float32, torch.int64)
    outputs = net.classify(views.maps)
    assert outputs.fine.shape == (4, scales, 5)
    if settings.get("n_basic") == 0:
        assert outputs.basic is None
    else:
        assert outputs.basic.shape == (4, scales, 3)
    again = net(faces())
    assert torch.equal(again.fine, outputs.fine)


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_one_batch_is_learnt_and_gradients_reach_every_parameter(variant):
    net = network(**VARIANTS[variant])
    targets, uppers = torch.tensor([0, 2, 4, 3]), torch.tensor([0, 1, 2, 1])
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)

    def loss_of(outputs):
        loss = sum(F.cross_entropy(outputs.fine[:, s], targets) for s in range(outputs.fine.shape[1]))
        if outputs.basic is not None:
            loss = loss + sum(F.cross_entropy(outputs.basic[:, s], uppers) for s in range(len(net.scales)))
        return loss

    loss_of(net(faces())).backward()
    still = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not still
    # The trunk is frozen here as in a run: the maps are made once, and the rest learns them by heart.
    net.freeze()
    with torch.no_grad():
        maps = net.see(faces()).maps
    for _ in range(60):
        optimiser.zero_grad()
        outputs = net.classify(maps)
        loss_of(outputs).backward()
        optimiser.step()
    assert outputs.probabilities().argmax(1).equal(targets)
    assert (outputs.branch_probabilities().argmax(2) == targets[:, None]).all()


@pytest.mark.slow
def test_the_whole_network_learns_one_batch():
    net = network(zooms=1)
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    targets = torch.tensor([0, 2, 4, 3])
    for _ in range(12):
        optimiser.zero_grad()
        outputs = net(faces())
        F.cross_entropy(outputs.fine.flatten(0, 1), targets.repeat_interleave(2)).backward()
        optimiser.step()
    assert outputs.probabilities().argmax(1).equal(targets)


def test_a_frozen_trunk_does_not_change():
    net = network(zooms=2)
    net.freeze()
    before = {name: value.clone() for name, value in net.trunk.state_dict().items()}
    assert any("running" in name for name in before)
    net.train()
    assert net.training
    assert net.scales[1].training
    assert not any(module.training for module in net.trunk.modules())
    trainable = [p for p in net.parameters() if p.requires_grad]
    assert len(trainable) == sum(1 for _ in net.scales.parameters())
    optimiser = torch.optim.SGD(net.parameters(), 1.0, momentum=0.9, weight_decay=0.1)
    for _ in range(3):
        net.train()
        net(faces()).fine.pow(2).sum().backward()
        optimiser.step()
    assert all(torch.equal(value, before[name]) for name, value in net.trunk.state_dict().items())
    assert net.eval() is net
    assert net.train() is net


def test_an_unfrozen_trunk_trains():
    net = network(zooms=1).train()
    assert net.trunk.region.norm.training
    before = net.trunk.region.norm.running_mean.clone()
    net(faces())
    assert not torch.equal(net.trunk.region.norm.running_mean, before)


def test_maps_of_the_regions_are_those_of_the_enlarged_crops():
    net = network(zooms=3).eval()
    views = net.see(faces())
    for image in range(4):
        alone = faces()[image : image + 1]
        torch.testing.assert_close(views.maps[image, 0], net.trunk(reduce(alone, 112))[0])
        for rank in range(3):
            enlarged = crop(alone, views.boxes[image, rank][None], 224)
            torch.testing.assert_close(
                views.maps[image, 1 + rank], net.trunk(reduce(enlarged, 112))[0], rtol=1e-4, atol=1e-5
            )
            row, column = views.cells[image, rank].tolist()
            assert views.maps[image, 0, :, row, column].max() == views.strength[image, rank]
            x0, y0, x1, y1 = views.boxes[image, rank].tolist()
            assert (x1 - x0, y1 - y0) == (96, 96)
            assert x0 <= 32 + 32 * column <= x1
            assert y0 <= 32 + 32 * row <= y1


def test_maps_of_more_regions_serve_a_network_of_fewer():
    many, few = network(zooms=4).eval(), network(zooms=2, seed=1).eval()
    few.trunk.load_state_dict(many.trunk.state_dict())
    views, fewer = many.see(faces()), few.see(faces())
    torch.testing.assert_close(views.maps[:, :3], fewer.maps)
    assert torch.equal(few.classify(views.maps).fine, few.classify(views.maps[:, :3]).fine)
    with pytest.raises(ValueError, match=r"face and 4 regions, \(B, 5, C, 6, 6\), got \(4, 3, 8, 6, 6\)"):
        many.classify(fewer.maps)


def test_features_are_embedding_and_strongest_activations_per_region():
    net = network(zooms=2).eval()
    maps = torch.rand(3, 3, 8, 6, 6)
    coarse, fine = net.scales
    expected = [torch.cat((fine.embedding(maps[:, r]), maps[:, r].amax((2, 3))), 1) for r in (1, 2)]
    torch.testing.assert_close(fine.features(maps[:, 1:]), torch.cat(expected, 1))
    outputs = net.classify(maps)
    torch.testing.assert_close(outputs.fine[:, 1], fine.fine(torch.cat(expected, 1)))
    torch.testing.assert_close(outputs.basic[:, 0], coarse.basic(coarse.features(maps[:, :1])))


@pytest.mark.slow
def test_lengths_of_the_papers_features():
    net = MsauNet(NetworkConfig(fc_hidden=None, zooms=4), n_basic=0)
    assert [scale.fine.in_features for scale in net.scales] == [2304, 4 * 2304]


def test_probabilities_are_the_mean_over_scales():
    outputs = Outputs(torch.tensor([[[0.0, 0.0], [0.0, 1.0986123]]], dtype=torch.float32), None)
    torch.testing.assert_close(outputs.branch_probabilities(), torch.tensor([[[0.5, 0.5], [0.25, 0.75]]]))
    torch.testing.assert_close(outputs.probabilities(), torch.tensor([[0.375, 0.625]]))
    half = Outputs(outputs.fine.bfloat16(), None)
    assert half.probabilities().dtype == torch.float32


@pytest.mark.slow
@pytest.mark.parametrize("input_px", [224, 112])
def test_the_zoom_follows_a_bright_patch(input_px):
    """With kernels that are means, the response is greatest where the patch is."""
    net = network(input_px=input_px, zooms=1, zoom_side_px=64).eval()
    with torch.no_grad():
        for layer in net.trunk.modules():
            if isinstance(layer, nn.Conv2d):
                layer.weight.fill_(1 / layer.weight[0].numel())
                layer.bias.zero_()
    images = torch.zeros(36, 3, 224, 224)
    for image in range(36):
        row, column = divmod(image, 6)
        y, x = 32 + 32 * row, 32 + 32 * column
        images[image, :, y - 12 : y + 12, x - 12 : x + 12] = 1.0
    views = net.see(images)
    assert views.cells[:, 0].tolist() == [list(divmod(image, 6)) for image in range(36)]
    enlarged = crop(images, views.boxes[:, 0], 224)
    # A patch of 24 in a box of 64 px: its share of the area, and bright at the middle of all 36 boxes.
    torch.testing.assert_close(enlarged.mean((1, 2, 3)), torch.full((36,), (24 / 64) ** 2), rtol=0.02, atol=0)
    assert enlarged[:, :, 100:124, 100:124].min() > 0.999


def test_too_many_regions_are_refused():
    with pytest.raises(ConfigError, match=r"zooms is 10, .*suppress_radius 1 at most 9 of 6 x 6") as caught:
        network(zooms=10, suppress_radius=1)
    assert "lower network.zooms" in caught.value.hint
    assert network(zooms=36, suppress_radius=0).config.zooms == 36


def test_faces_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"\(B, 3, 224, 224\), got \(1, 3, 112, 112\)"):
        network().see(torch.zeros(1, 3, 112, 112))


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["AU+CNN", "MSAU-Net", "progressive"])
def test_channels_last_gives_the_same(variant):
    net = network(**VARIANTS[variant]).eval()
    expected = net(faces())
    last = net.to(memory_format=torch.channels_last)
    got = last(faces().to(memory_format=torch.channels_last))
    torch.testing.assert_close(got.fine, expected.fine, rtol=1e-4, atol=1e-5)
    net.train()(faces().to(memory_format=torch.channels_last)).fine.sum().backward()


@pytest.mark.slow
def test_nothing_breaks_the_graph():
    net = network(**VARIANTS["progressive"]).eval()
    compiled = torch.compile(net, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(faces()).fine, net(faces()).fine)


class Exported(nn.Module):
    """The whole way, with what a user of an exported network wants."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, images):
        views = self.net.see(images)
        return self.net.classify(views.maps).probabilities(), views.boxes, views.maps


@pytest.mark.slow
def test_onnx_gives_the_same(tmp_path):
    import onnxruntime

    net = Exported(network(**VARIANTS["progressive"])).eval()
    path = tmp_path / "net.onnx"
    torch.onnx.export(net, (faces(2),), path, dynamo=True, dynamic_shapes=({0: torch.export.Dim("batch")},))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    images = faces(3, seed=5)
    got = session.run(None, {session.get_inputs()[0].name: images.numpy()})
    with torch.no_grad():
        for one, expected in zip(got, net(images), strict=True):
            torch.testing.assert_close(torch.from_numpy(one), expected, rtol=1e-3, atol=1e-4)

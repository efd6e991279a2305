"""GoogLeNet against torchvision's names and shapes, written anew, and against plain code."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from fgbench.errors import ManifestError
from fgbench.models.googlenet import GoogLeNet, cross_modality, load_googlenet
from fgbench.models.initialisation import initialise

# Input, 1x1, 3x3 reduced, 3x3, "5x5" reduced, "5x5", pooled: table 1 of Szegedy et al. 2015.
MODULES = {
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}


def layer_shapes(name, before, after, kernel):
    statistics = {f"{name}.bn.{part}": (after,) for part in ("weight", "bias", "running_mean", "running_var")}
    shapes = {f"{name}.conv.weight": (after, before, kernel, kernel), **statistics}
    return shapes | {f"{name}.bn.num_batches_tracked": ()}


def published_shapes(channels=3):
    """What torchvision's GoogLeNet holds before its average pooling."""
    shapes = layer_shapes("conv1", channels, 64, 7)
    shapes |= layer_shapes("conv2", 64, 64, 1) | layer_shapes("conv3", 64, 192, 3)
    for name, (before, one, reduce3, three, reduce5, five, pooled) in MODULES.items():
        module = f"inception{name}"
        shapes |= layer_shapes(f"{module}.branch1", before, one, 1)
        shapes |= layer_shapes(f"{module}.branch2.0", before, reduce3, 1)
        shapes |= layer_shapes(f"{module}.branch2.1", reduce3, three, 3)
        shapes |= layer_shapes(f"{module}.branch3.0", before, reduce5, 1)
        shapes |= layer_shapes(f"{module}.branch3.1", reduce5, five, 3)
        shapes |= layer_shapes(f"{module}.branch4.1", before, pooled, 1)
    return shapes


def classifier_shapes():
    """Its classifiers: the last one, and two on the way whose fc1 sees 128 channels of 4 x 4 cells."""
    shapes = {"fc.weight": (1000, 1024), "fc.bias": (1000,)}
    for name, before in (("aux1", 512), ("aux2", 528)):
        shapes |= layer_shapes(f"{name}.conv", before, 128, 1)
        shapes |= {f"{name}.fc1.weight": (1024, 2048), f"{name}.fc1.bias": (1024,)}
        shapes |= {f"{name}.fc2.weight": (1000, 1024), f"{name}.fc2.bias": (1000,)}
    return shapes


def count(shapes):
    learnt = [s for n, s in shapes.items() if "running" not in n and not n.endswith("num_batches_tracked")]
    return sum(int(np.prod(shape)) for shape in learnt)


def values(shapes, device="cpu"):
    generator = None if device == "meta" else torch.Generator().manual_seed(4)
    return {
        name: torch.rand(shape, generator=generator, device=device) if shape else torch.tensor(7)
        for name, shape in shapes.items()
    }


def tiny(channels=3, seed=0):
    net = GoogLeNet(channels, width=1 / 16)
    initialise(net, torch.Generator().manual_seed(seed))
    return net


def tiny_state(net, **others):
    return {
        name: torch.rand_like(value.float()).to(value.dtype) for name, value in net.state_dict().items()
    } | others


def test_names_and_shapes_are_those_of_torchvision():
    with torch.device("meta"):
        net = GoogLeNet()
    shapes = published_shapes()
    assert {name: tuple(value.shape) for name, value in net.state_dict().items()} == shapes
    assert sum(p.numel() for p in net.parameters()) == count(shapes) == 5_599_904
    assert count(shapes) + 1024 * 1000 + 1000 == 6_624_904
    assert net.n_features == 1024


@pytest.mark.parametrize("channels", [3, 10])
def test_published_checkpoints_load(channels):
    published = values(published_shapes() | classifier_shapes())
    net = GoogLeNet(channels)
    load_googlenet(net, published, origin="a test")
    first = "conv1.conv.weight"
    for name, value in net.state_dict().items():
        if name != first or channels == 3:
            assert torch.equal(value, published[name]), name
    if channels != 3:
        expected = published[first].numpy().astype(np.float64).mean(1)
        got = net.state_dict()[first].numpy()
        assert got.shape == (64, channels, 7, 7)
        for channel in range(channels):
            np.testing.assert_allclose(got[:, channel], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("inception3a.branch2.1.bn.bias"), r"1 missing: inception3a\.branch2\.1\.bn\.bias"),
        (lambda s: s.pop("conv1.conv.weight"), r"1 missing: conv1\.conv\.weight"),
        (
            lambda s: s.update({"aux3.conv.weight": torch.zeros(1)}),
            r"1 not in the network: aux3\.conv\.weight",
        ),
        (lambda s: s.update({"fcx.weight": torch.zeros(1)}), r"1 not in the network: fcx\.weight"),
        (lambda s: s.update({"conv2.conv.weight": torch.zeros(2, 2, 1, 1)}), r"other shapes: conv2"),
        (lambda s: s.update({"conv1.conv.weight": torch.zeros(4, 1, 7, 7)}), r"of a test .*\b1, 7, 7\)"),
    ],
)
@pytest.mark.parametrize("channels", [3, 4])
def test_other_checkpoints_are_refused_and_nothing_changes(change, message, channels):
    net = tiny(channels)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = tiny_state(tiny(3))
    change(state)
    with pytest.raises(ManifestError, match=message):
        load_googlenet(net, state, origin="a test")
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_weights_of_flow_are_not_taken_for_rgb():
    net = tiny(4)
    with pytest.raises(ManifestError, match="are not those of a network for RGB"):
        load_googlenet(net, tiny_state(net), origin="a test")


def test_checkpoints_without_counts_of_batches_load():
    net = tiny()
    state = {name: value for name, value in tiny_state(net).items() if "num_batches" not in name}
    load_googlenet(net, state, origin="a test")
    assert torch.equal(net.conv3.bn.running_var, state["conv3.bn.running_var"])


def test_cross_modality_is_the_repeated_mean():
    weight = torch.tensor([[1.0, 2.0, 6.0], [0.0, -3.0, 0.0]])[:, :, None, None].expand(2, 3, 5, 5)
    got = cross_modality(weight, 4)
    assert torch.equal(got, torch.tensor([3.0, -1.0])[:, None, None, None].expand(2, 4, 5, 5))
    with pytest.raises(ValueError, match=r"\(O, 3, H, W\), got \(2, 4, 5, 5\)"):
        cross_modality(got, 3)


@torch.no_grad()
@pytest.mark.parametrize("side", [64, 57])
def test_forward_by_plain_code(side):
    net = tiny().eval().double()
    generator = torch.Generator().manual_seed(3)
    for value in net.buffers():
        if value.is_floating_point():
            value.uniform_(0.5, 1.5, generator=generator)
    state = net.state_dict()

    def layer(x, name, stride=1, padding=0):
        x = F.conv2d(x, state[f"{name}.conv.weight"], None, stride, padding)
        parts = (state[f"{name}.bn.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, *parts, training=False, eps=0.001).clamp(min=0)

    def module(x, name):
        name = f"inception{name}"
        one = layer(x, f"{name}.branch1")
        two = layer(layer(x, f"{name}.branch2.0"), f"{name}.branch2.1", padding=1)
        three = layer(layer(x, f"{name}.branch3.0"), f"{name}.branch3.1", padding=1)
        four = layer(F.max_pool2d(x, 3, 1, 1), f"{name}.branch4.1")
        return torch.cat((one, two, three, four), 1)

    images = torch.randn(2, 3, side, side, generator=generator, dtype=torch.float64)
    x = F.max_pool2d(layer(images, "conv1", 2, 3), 3, 2, ceil_mode=True)
    x = F.max_pool2d(layer(layer(x, "conv2"), "conv3", 1, 1), 3, 2, ceil_mode=True)
    x = F.max_pool2d(module(module(x, "3a"), "3b"), 3, 2, ceil_mode=True)
    for name in ("4a", "4b", "4c", "4d", "4e"):
        x = module(x, name)
    x = F.max_pool2d(x, 2, 2, ceil_mode=True)
    x = F.adaptive_avg_pool2d(module(module(x, "5a"), "5b"), 1).flatten(1)
    got = net(images)
    assert got.shape == (2, net.n_features)
    torch.testing.assert_close(got, x, rtol=1e-10, atol=1e-12)


def test_maps_of_a_face_have_7_cells():
    net = tiny().eval()
    sizes = []
    net.inception5b.register_forward_hook(lambda module, given, made: sizes.append(made.shape[2:]))
    with torch.no_grad():
        net(torch.zeros(1, 3, 224, 224))
    assert sizes == [(7, 7)]


def test_width_scales_all_channels():
    with torch.device("meta"):
        half, narrow = GoogLeNet(width=0.5), GoogLeNet(width=0.001)
    assert half.n_features == 512
    assert half.inception4d.branch2[1].conv.weight.shape == (144, 72, 3, 3)
    assert half.conv1.conv.weight.shape == (32, 3, 7, 7)
    assert narrow.n_features == 16
    assert {p.shape[0] for p in narrow.parameters()} == {4}


def test_inputs_with_other_channels_are_refused():
    with pytest.raises(ValueError, match=r"\(B, 10, H, W\), got \(1, 3, 64, 64\)"):
        tiny(10)(torch.zeros(1, 3, 64, 64))

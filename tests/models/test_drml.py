"""The trunk against plain code: 64 separate branches, torch's own LRN, and shapes by hand."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from fgbench.config import TrunkConfig
from fgbench.models import drml
from fgbench.models.drml import AuNet, Embedding, LocalResponseNorm, RegionLayer, Trunk, reduce
from fgbench.models.initialisation import Head, initialise

CHANNELS = 3


class PlainRegionLayer(nn.Module):
    """64 branches, each with its own batch normalisation and convolution, called one after the other."""

    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm2d(CHANNELS, affine=False) for _ in range(64))
        self.convs = nn.ModuleList(nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1) for _ in range(64))

    def forward(self, x):
        height, width = x.shape[2] // 8, x.shape[3] // 8
        rows = []
        for i in range(8):
            row = []
            for j in range(8):
                region = x[:, :, i * height : (i + 1) * height, j * width : (j + 1) * width]
                branch = self.convs[8 * i + j](F.relu(self.norms[8 * i + j](region)))
                row.append(region + branch)
            rows.append(torch.cat(row, 3))
        return torch.cat(rows, 2)


def pair():
    torch.manual_seed(3)
    plain, folded = PlainRegionLayer().double(), RegionLayer(CHANNELS).double()
    with torch.no_grad():
        folded.conv.weight.copy_(torch.cat([conv.weight for conv in plain.convs]))
        folded.conv.bias.copy_(torch.cat([conv.bias for conv in plain.convs]))
    return plain, folded


def equal(a, b):
    torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("cached_bytes", "rows"), [(1, 1), (25_000, 2), (60_000, 4), (100_000, 8)])
@pytest.mark.parametrize("channels_last", [False, True])
def test_region_layer_equals_64_separate_branches(channels_last, cached_bytes, rows, monkeypatch):
    monkeypatch.setattr(drml, "_CACHED_BYTES", cached_bytes)
    plain, folded = pair()
    assert folded._rows_at_once(torch.zeros(4, CHANNELS, 24, 40, dtype=torch.float64)) == rows
    for _ in range(2):  # twice, so that the running statistics are no longer the first ones
        x = torch.randn(4, CHANNELS, 24, 40, dtype=torch.float64) * 2 + 0.5
        if channels_last:
            x = x.to(memory_format=torch.channels_last)
        weights = torch.randn(4, CHANNELS, 24, 40, dtype=torch.float64)
        x_plain, x_folded = (x.clone().requires_grad_() for _ in range(2))
        expected, got = plain(x_plain), folded(x_folded)
        equal(got, expected)
        plain.zero_grad()
        folded.zero_grad()
        (expected * weights).sum().backward()
        (got * weights).sum().backward()
        equal(x_folded.grad, x_plain.grad)
        equal(folded.conv.weight.grad, torch.cat([conv.weight.grad for conv in plain.convs]))
        equal(folded.conv.bias.grad, torch.cat([conv.bias.grad for conv in plain.convs]))
        equal(folded.norm.running_mean, torch.cat([norm.running_mean for norm in plain.norms]))
        equal(folded.norm.running_var, torch.cat([norm.running_var for norm in plain.norms]))
    assert folded.norm.num_batches_tracked == plain.norms[0].num_batches_tracked == 2
    plain.eval()
    folded.eval()
    x = torch.randn(40, CHANNELS, 16, 8, dtype=torch.float64)
    equal(folded(x), plain(x))


def test_every_branch_changes_its_own_region_only():
    layer = RegionLayer(CHANNELS).eval()
    initialise(layer, torch.Generator().manual_seed(1))
    x = torch.rand(1, CHANNELS, 32, 32)
    with torch.no_grad():
        before = layer(x)
        for branch in range(64):
            kept = layer.conv.weight.clone()
            layer.conv.weight[branch * CHANNELS : (branch + 1) * CHANNELS] += 1.0
            changed = (layer(x) != before).any(1)[0]
            layer.conv.weight.copy_(kept)
            row, column = divmod(branch, 8)
            expected = torch.zeros(32, 32, dtype=torch.bool)
            expected[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = True
            assert torch.equal(changed, expected), branch


@pytest.mark.parametrize("size", [(28, 32), (32, 28)])
def test_region_layer_names_a_size_that_does_not_divide(size):
    with pytest.raises(ValueError, match=rf"a map of {size[0]} x {size[1]} .* 8 x 8 .* multiples of 8"):
        RegionLayer(CHANNELS)(torch.zeros(1, CHANNELS, *size))


def test_lrn_is_torchs():
    x = torch.randn(2, 7, 5, 6, dtype=torch.float64, requires_grad=True) * 300
    torchs = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75)
    equal(LocalResponseNorm()(x), torchs(x))
    weights = torch.randn_like(x)
    gradients = [
        torch.autograd.grad((norm(x) * weights).sum(), x)[0] for norm in (LocalResponseNorm(), torchs)
    ]
    torch.testing.assert_close(*gradients, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("input_px", [224, 112])
@pytest.mark.parametrize("channels_last", [False, True])
def test_trunk_gives_six_by_six_cells(input_px, channels_last):
    trunk = Trunk(TrunkConfig(input_px=input_px, stem=4, widths=(3, 4, 5, 7)))
    initialise(trunk, torch.Generator().manual_seed(0))
    x = torch.randn(2, 3, input_px, input_px)
    expected = trunk.eval()(x)
    assert expected.shape == (2, 7, 6, 6)
    assert expected.min() >= 0
    assert trunk.channels == 7
    if channels_last:
        trunk, x = (thing.to(memory_format=torch.channels_last) for thing in (trunk, x))
        torch.testing.assert_close(trunk(x), expected, rtol=1e-4, atol=1e-5)
        assert AuNet(trunk, Embedding(7, fc_hidden=4, embedding=5, dropout=0.5), n_action_units=2).train()(
            torch.randn(2, 3, 224, 224).to(memory_format=torch.channels_last)
        ).shape == (2, 2)


def test_trunk_by_plain_code():
    """conv1 has no ReLU before the region layer; its output and the branches' are added, then ReLU."""
    trunk = Trunk(TrunkConfig(stem=4, widths=(3, 4, 5, 7))).eval()
    initialise(trunk, torch.Generator().manual_seed(0))
    state = trunk.state_dict()
    x = torch.randn(2, 3, 224, 224)
    y = F.conv2d(x, state["conv1.weight"], state["conv1.bias"], padding=5)
    y = F.max_pool2d(F.relu(trunk.region(y)), 2)
    y = F.local_response_norm(y, 5, alpha=1e-4, beta=0.75)
    for name, stride, padding in (("conv4", 2, 3), ("conv5", 2, 3), ("conv6", 2, 3), ("conv7", 2, 0)):
        y = F.relu(F.conv2d(y, state[f"{name}.weight"], state[f"{name}.bias"], stride, padding))
    torch.testing.assert_close(trunk(x), y, rtol=1e-4, atol=1e-5)


def test_trunk_without_region_layer_and_norm_is_convolutions_alone():
    trunk = Trunk(TrunkConfig(stem=4, widths=(3, 4, 5, 7), region_layer=False, norm="none"))
    layers = {name.split(".")[0] for name in trunk.state_dict()}
    assert layers == {"conv1", "conv4", "conv5", "conv6", "conv7"}
    first = {}
    trunk.conv4.register_forward_pre_hook(lambda _, inputs: first.update(x=inputs[0]))
    x = torch.randn(1, 3, 224, 224)
    trunk(x)
    torch.testing.assert_close(first["x"], F.max_pool2d(F.relu(trunk.conv1(x)), 2))


@pytest.mark.slow
def test_parameters_of_the_papers_sizes():
    trunk = Trunk(TrunkConfig())
    assert round(sum(p.numel() for p in trunk.parameters()) / 1e6, 2) == 4.08
    plain = Trunk(TrunkConfig(region_layer=False))
    assert round(sum(p.numel() for p in plain.parameters()) / 1e6, 2) == 3.49
    for hidden, millions in ((4096, 46.1), (None, 18.9)):
        embedding = Embedding(256, fc_hidden=hidden, embedding=2048, dropout=0.5)
        assert round(sum(p.numel() for p in embedding.parameters()) / 1e6, 1) == millions


def test_trunk_names_the_shape_it_expects():
    with pytest.raises(ValueError, match=r"\(B, 3, 112, 112\), got \(1, 3, 224, 224\)"):
        Trunk(TrunkConfig(input_px=112, stem=2, widths=(2, 2, 2, 2)))(torch.zeros(1, 3, 224, 224))


def test_reduce_is_the_mean_of_areas():
    images = torch.rand(2, 3, 224, 224)
    assert reduce(images, 224) is images
    got = reduce(images, 112)
    torch.testing.assert_close(got[1, 2, 5, 7], images[1, 2, 10:12, 14:16].mean())
    torch.testing.assert_close(got, F.interpolate(images, size=112, mode="area"))


@pytest.mark.parametrize("shape", [(1, 3, 100, 100), (1, 3, 224, 112)])
def test_reduce_refuses_other_sizes(shape):
    with pytest.raises(ValueError, match=f"cannot reduce images of {shape[2]} x {shape[3]} px to 112 x 112"):
        reduce(torch.zeros(shape), 112)


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [None, 16])
def test_au_net_learns_one_batch_with_every_parameter(hidden):
    generator = torch.Generator().manual_seed(0)
    trunk = Trunk(TrunkConfig(input_px=112, stem=4, widths=(8, 8, 8, 8)))
    net = AuNet(trunk, Embedding(8, fc_hidden=hidden, embedding=32, dropout=0.0), n_action_units=5)
    initialise(net, generator)
    images = torch.randn(6, 3, 224, 224, generator=generator)
    labels = (torch.rand(6, 5, generator=generator) > 0.5).float()
    net(images).pow(2).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(60):  # 25 were enough on some processors and not on others
        optimiser.zero_grad()
        logits = net(images)
        F.binary_cross_entropy_with_logits(logits, labels).backward()
        optimiser.step()
    assert logits.shape == (6, 5)
    assert ((logits > 0) == (labels > 0)).all()


def test_initialisation_depends_on_the_generator_alone():
    def drawn(seed, global_seed):
        torch.manual_seed(global_seed)
        trunk = Trunk(TrunkConfig(stem=2, widths=(3, 3, 3, 3)))
        net = AuNet(trunk, Embedding(3, fc_hidden=None, embedding=4, dropout=0.5), n_action_units=2)
        initialise(net, torch.Generator().manual_seed(seed))
        return net.state_dict()

    one, again, other = drawn(7, 1), drawn(7, 2), drawn(8, 1)
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["trunk.conv4.weight"], other["trunk.conv4.weight"])


def test_initialisation_has_the_spread_of_he():
    net = nn.Sequential(
        nn.Conv2d(16, 64, 5), nn.Linear(400, 300), Head(300, 200), nn.BatchNorm1d(4), nn.PReLU(4)
    )
    with torch.no_grad():
        net[3].weight.fill_(5.0)
    initialise(net, torch.Generator().manual_seed(0))
    assert net[0].weight.std().item() == pytest.approx((2 / (16 * 25)) ** 0.5, rel=0.03)
    assert net[1].weight.std().item() == pytest.approx((2 / 400) ** 0.5, rel=0.03)
    assert net[2].weight.std().item() == pytest.approx(0.01, rel=0.03)
    assert (net[3].weight == 1).all()
    assert (net[4].weight == 0.25).all()
    assert all((net[i].bias == 0).all() for i in range(4))


def test_initialisation_refuses_a_layer_that_it_does_not_know():
    with pytest.raises(TypeError, match=r"no initialisation for 0 \(GRU\)"):
        initialise(nn.Sequential(nn.GRU(2, 2)), torch.Generator())

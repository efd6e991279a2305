"""C3D and LSTM against the names and shapes of C3D's ports, written anew, and against plain code."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from fgbench.errors import ManifestError
from fgbench.models.c3d_lstm import C3dLstm, load_c3d
from fgbench.models.initialisation import initialise

CHANNELS = {
    "conv1": (3, 64),
    "conv2": (64, 128),
    "conv3a": (128, 256),
    "conv3b": (256, 256),
    "conv4a": (256, 512),
    "conv4b": (512, 512),
    "conv5a": (512, 512),
    "conv5b": (512, 512),
}


def published_shapes():
    shapes = {}
    for name, (before, after) in CHANNELS.items():
        shapes |= {f"{name}.weight": (after, before, 3, 3, 3), f"{name}.bias": (after,)}
    shapes |= {"fc6.weight": (4096, 8192), "fc6.bias": (4096,)}
    return shapes


def tiny_shapes():
    """With a sixteenth of the channels, frames of 32 px and an fc6 of 24."""
    shapes = {}
    for name, (before, after) in CHANNELS.items():
        shapes[f"{name}.weight"] = (after // 16, 3 if before == 3 else before // 16, 3, 3, 3)
        shapes[f"{name}.bias"] = (after // 16,)
    return shapes | {"fc6.weight": (24, 32 * 2 * 2), "fc6.bias": (24,)}


def network(seed=0, **settings):
    sizes = {
        "width": 1 / 16,
        "fc": 24,
        "hidden": 8,
        "dropout": 0.0,
        "input_px": 32,
        "n_fine": 5,
        "n_basic": 3,
    }
    net = C3dLstm(**(sizes | settings))
    initialise(net, torch.Generator().manual_seed(seed))
    return net


def clips(lengths=(2, 1, 3), n=3, padding=0.0, dtype=torch.float32):
    mask = torch.arange(n) < torch.tensor(lengths)[:, None]
    windows = torch.full((len(lengths), n, 3, 16, 32, 32), padding, dtype=dtype)
    generator = torch.Generator().manual_seed(1)
    rows = torch.randn(sum(lengths), 3, 16, 32, 32, generator=generator, dtype=torch.float64)
    windows[mask] = rows.to(dtype)
    return windows, mask


def test_names_and_shapes_are_those_of_ports():
    with torch.device("meta"):
        net, normed = C3dLstm(), C3dLstm(batch_norm=True)
    shapes = published_shapes()
    assert {name: tuple(value.shape) for name, value in net.backbone.state_dict().items()} == shapes
    convolutions = [p for name, p in net.backbone.named_parameters() if name.startswith("conv")]
    assert sum(p.numel() for p in convolutions) == 27_655_936
    assert net.lstm.weight_ih_l0.shape == (4 * 128, 4096)
    assert (net.heads.fine.out_features, net.heads.basic.out_features) == (33, 6)
    assert set(normed.backbone.state_dict()) > set(shapes)
    assert sum(isinstance(module, nn.BatchNorm3d) for module in normed.modules()) == 8
    load_c3d(net, {n: torch.empty(s, device="meta") for n, s in shapes.items()}, origin="a test")


def test_published_checkpoints_load():
    net = network()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    others = {"fc7.weight": (24, 24), "fc7.bias": (24,), "fc8.weight": (487, 24), "fc8.bias": (487,)}
    state = {name: torch.rand(shape) for name, shape in (tiny_shapes() | others).items()}
    load_c3d(net, state, origin="a test")
    for name, value in net.state_dict().items():
        part, _, rest = name.partition(".")
        assert torch.equal(value, state[rest] if part == "backbone" else before[name]), name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("conv5b.bias"), r"1 missing: conv5b\.bias"),
        (lambda s: s.pop("fc6.weight"), r"1 missing: fc6\.weight"),
        (lambda s: s.update({"fc9.weight": torch.zeros(1)}), r"1 not in the network: fc9\.weight"),
        (lambda s: s.update({"conv1.weight": torch.zeros(4, 3, 3, 3)}), r"other shapes: conv1\.weight"),
    ],
)
def test_other_checkpoints_are_refused_and_nothing_changes(change, message):
    net = network()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = {name: torch.rand(shape) for name, shape in tiny_shapes().items()}
    change(state)
    with pytest.raises(ManifestError, match=message):
        load_c3d(net, state, origin="a test")
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def by_plain_code(windows, net, batch_norm):
    """Features of windows, in evaluation."""
    state, x = net.backbone.state_dict(), windows
    for name in CHANNELS:
        x = F.conv3d(x, state[f"{name}.weight"], state[f"{name}.bias"], padding=1)
        if batch_norm:
            norm = name.replace("conv", "bn")
            parts = ("running_mean", "running_var", "weight", "bias")
            x = F.batch_norm(x, *(state[f"{norm}.{part}"] for part in parts), training=False)
        x = F.relu(x)
        if name == "conv1":
            x = F.max_pool3d(x, (1, 2, 2), (1, 2, 2))
        elif name in ("conv2", "conv3b", "conv4b"):
            x = F.max_pool3d(x, (2, 2, 2), (2, 2, 2))
    x = F.max_pool3d(x, (2, 2, 2), (2, 2, 2), (0, 1, 1))
    return F.relu(F.linear(x.reshape(len(windows), -1), state["fc6.weight"], state["fc6.bias"]))


@torch.no_grad()
@pytest.mark.parametrize("batch_norm", [False, True])
def test_forward_by_plain_code_on_each_clip_alone(batch_norm):
    net = network(batch_norm=batch_norm, dropout=0.5).double().eval()
    for value in net.buffers():
        if value.is_floating_point():
            value.uniform_(0.5, 1.5, generator=torch.Generator().manual_seed(2))
    lstm = nn.LSTM(24, 8, batch_first=True).double()
    lstm.load_state_dict(net.lstm.state_dict())
    windows, mask = clips(padding=torch.nan, dtype=torch.float64)
    outputs = net(windows, mask)
    for clip, n in enumerate((2, 1, 3)):
        states, _ = lstm(by_plain_code(windows[clip, :n], net, batch_norm)[None])
        fine = F.linear(states[0, -1], net.heads.fine.weight, net.heads.fine.bias)
        basic = F.linear(states[0, -1], net.heads.basic.weight, net.heads.basic.bias)
        torch.testing.assert_close(outputs.fine[clip], fine, rtol=1e-9, atol=1e-11)
        torch.testing.assert_close(outputs.basic[clip], basic, rtol=1e-9, atol=1e-11)
    assert outputs.weights is None


@torch.no_grad()
def test_windows_of_published_size():
    net = network(width=1 / 64, input_px=112).eval()
    assert net.backbone.fc6.in_features == 8 * 4 * 4
    outputs = net(torch.zeros(1, 1, 3, 16, 112, 112), torch.ones(1, 1, dtype=torch.bool))
    assert outputs.fine.shape == (1, 5)


@pytest.mark.slow
@pytest.mark.parametrize("padding", [3.0, torch.nan])
def test_padding_changes_nothing(padding):
    results = []
    for n, value in ((3, 0.0), (4, padding)):
        net = network(batch_norm=True).double()
        outputs = net(*clips(n=n, padding=value, dtype=torch.float64))
        F.cross_entropy(outputs.fine, torch.tensor([0, 1, 2])).backward()
        gradients = [p.grad for p in net.parameters() if p.grad is not None]
        results.append((outputs.fine, outputs.basic, *gradients, *net.buffers()))
    assert len(results[0]) > 50
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-9, atol=1e-11)


def test_all_windows_are_one_batch():
    net, sizes = network(), []
    net.backbone.register_forward_hook(lambda module, given, made: sizes.append(given[0].shape[0]))
    net(*clips())
    assert sizes == [6]


@pytest.mark.slow
@pytest.mark.parametrize("batch_norm", [False, True])
def test_one_batch_is_learnt_and_gradients_reach_every_parameter(batch_norm):
    net = network(batch_norm=batch_norm, hidden=16, n_basic=3 if batch_norm else 0)
    windows, mask = clips()
    windows = windows + torch.tensor([-1.0, 0.0, 1.0]).reshape(
        3, *[1] * (windows.ndim - 1)
    )  # clips differ in brightness
    targets, uppers = torch.tensor([0, 2, 4]), torch.tensor([0, 1, 2])
    last = [*net.lstm.parameters(), *net.heads.parameters()]
    groups = ({"params": net.backbone.parameters(), "lr": 1e-3}, {"params": last, "lr": 3e-2})
    optimiser = torch.optim.Adam(groups)
    for step in range(30):
        optimiser.zero_grad()
        outputs = net(windows, mask)
        loss = F.cross_entropy(outputs.fine, targets)
        if batch_norm:
            loss = loss + F.cross_entropy(outputs.basic, uppers)
        loss.backward()
        if step == 0:
            still = {n for n, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0}
            # Batch normalisation takes the mean away, and the biases before it with it.
            assert still <= ({f"backbone.{name}.bias" for name in CHANNELS} if batch_norm else set())
        optimiser.step()
    assert outputs.probabilities().argmax(1).equal(targets)
    assert (outputs.basic is None) != batch_norm


def test_clips_without_windows():
    net = network(batch_norm=True)
    windows, mask = clips(lengths=(2, 0), padding=torch.nan)
    outputs = net(windows, mask)
    assert torch.equal(outputs.fine[1], net.heads.fine.bias)
    assert torch.isfinite(outputs.fine).all()
    net(windows, torch.zeros_like(mask)).fine.sum().backward()
    assert all(torch.isfinite(value).all() for value in net.state_dict().values())


def test_bfloat16():
    net = network(batch_norm=True)
    windows, mask = clips()
    with torch.autocast("cpu", torch.bfloat16):
        outputs = net(windows, mask)
    outputs.fine.float().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)
    torch.testing.assert_close(outputs.probabilities().sum(1), torch.ones(3))


@pytest.mark.slow
def test_gradients_in_bfloat16_are_those_of_their_inputs():
    net = network(batch_norm=True)
    windows, mask = clips()
    windows.requires_grad_()
    layers = {name: getattr(net.backbone, name) for name in CHANNELS}
    seen = {}
    for name, layer in layers.items():
        layer.register_forward_hook(lambda _, inputs, __, n=name: seen.update({n: [inputs[0].detach()]}))
        layer.register_full_backward_hook(lambda _, __, outputs, n=name: seen[n].append(outputs[0].detach()))
    for _ in range(10):
        net.zero_grad()
        memory = [torch.full((32 * 32 * 27,), 1e6) for _ in range(4)]
        del memory  # a kernel that leaves a part of a gradient unset finds these numbers there
        with torch.autocast("cpu", torch.bfloat16):
            outputs = net(windows, mask)
        outputs.fine.float().sum().backward()
        for name, layer in layers.items():
            before, after = (part.float() for part in seen[name])
            wanted = nn.grad.conv3d_weight(before, layer.weight.shape, after, padding=1)
            assert (layer.weight.grad - wanted).norm() < 0.02 * wanted.norm(), name


def test_windows_of_another_size_are_refused():
    windows, mask = clips()
    with pytest.raises(ValueError, match=r"\(B, 3, 16, 32, 32\), got \(6, 3, 15, 32, 32\)"):
        network()(windows[:, :, :, 1:], mask)

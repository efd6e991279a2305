"""VGG16 and LSTM against torchvision's names and shapes, written anew, and against plain code."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from fgbench.errors import ManifestError
from fgbench.models.initialisation import initialise
from fgbench.models.vgg_lstm import Vgg16Lstm, load_vgg16

# TrainingContext of each convolution in torchvision's ``features``, and its channels.
PLAIN = {0: 64, 2: 64, 5: 128, 7: 128, 10: 256, 12: 256, 14: 256}
PLAIN |= dict.fromkeys((17, 19, 21, 24, 26, 28), 512)
NORMED = {0: 64, 3: 64, 7: 128, 10: 128, 14: 256, 17: 256, 20: 256}
NORMED |= dict.fromkeys((24, 27, 30, 34, 37, 40), 512)
POOLS = {False: (4, 9, 16, 23, 30), True: (6, 13, 23, 33, 43)}


def published_shapes(batch_norm, divisor=1, fc=4096):
    shapes, before = {}, 3
    for context, channels in (NORMED if batch_norm else PLAIN).items():
        after = channels // divisor
        shapes[f"features.{context}.weight"] = (after, before, 3, 3)
        shapes[f"features.{context}.bias"] = (after,)
        if batch_norm:
            for part in ("weight", "bias", "running_mean", "running_var"):
                shapes[f"features.{context + 1}.{part}"] = (after,)
            shapes[f"features.{context + 1}.num_batches_tracked"] = ()
        before = after
    return shapes | {"classifier.0.weight": (fc, before * 49), "classifier.0.bias": (fc,)}


def classifier_shapes(fc=4096):
    return {
        "classifier.3.weight": (fc, fc),
        "classifier.3.bias": (fc,),
        "classifier.6.weight": (1000, fc),
        "classifier.6.bias": (1000,),
    }


def network(seed=0, **settings):
    sizes = {"width": 1 / 16, "fc": 24, "hidden": 8, "dropout": 0.0, "n_fine": 5, "n_basic": 3}
    net = Vgg16Lstm(**(sizes | settings))
    initialise(net, torch.Generator().manual_seed(seed))
    return net


def clips(lengths=(3, 1, 4), n=4, padding=0.0, dtype=torch.float32):
    mask = torch.arange(n) < torch.tensor(lengths)[:, None]
    frames = torch.full((len(lengths), n, 3, 32, 32), padding, dtype=dtype)
    generator = torch.Generator().manual_seed(1)
    frames[mask] = torch.randn(sum(lengths), 3, 32, 32, generator=generator, dtype=torch.float64).to(dtype)
    return frames, mask


@pytest.mark.parametrize("batch_norm", [False, True])
def test_names_and_shapes_are_those_of_torchvision(batch_norm):
    with torch.device("meta"):
        net = Vgg16Lstm(batch_norm=batch_norm)
    shapes = published_shapes(batch_norm)
    assert {name: tuple(value.shape) for name, value in net.backbone.state_dict().items()} == shapes
    convolutions = [m for m in net.backbone.features if isinstance(m, nn.Conv2d)]
    assert sum(p.numel() for m in convolutions for p in m.parameters()) == 14_714_688
    assert sum(p.numel() for p in net.backbone.classifier.parameters()) == 102_764_544
    pools = [i for i, m in enumerate(net.backbone.features) if isinstance(m, nn.MaxPool2d)]
    assert pools == list(POOLS[batch_norm])
    assert net.lstm.weight_ih_l0.shape == (4 * 128, 4096)
    assert (net.heads.fine.out_features, net.heads.basic.out_features) == (33, 6)
    load_vgg16(net, {n: torch.empty(s, device="meta") for n, s in shapes.items()}, origin="a test")


@pytest.mark.parametrize("batch_norm", [False, True])
def test_published_checkpoints_load(batch_norm):
    net = network(batch_norm=batch_norm)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    shapes = published_shapes(batch_norm, 16, 24) | classifier_shapes(24)
    state = {name: torch.rand(shape) if shape else torch.tensor(3) for name, shape in shapes.items()}
    load_vgg16(net, state, origin="a test")
    for name, value in net.state_dict().items():
        part, _, rest = name.partition(".")
        assert torch.equal(value, state[rest] if part == "backbone" else before[name]), name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("features.28.bias"), r"1 missing: features\.28\.bias"),
        (lambda s: s.pop("classifier.0.weight"), r"1 missing: classifier\.0\.weight"),
        (lambda s: s.update({"classifier.30.weight": torch.zeros(1)}), r"not in the network: classifier\.30"),
        (lambda s: s.update({"features.1.weight": torch.zeros(4)}), r"not in the network: features\.1\."),
        (lambda s: s.update({"features.0.weight": torch.zeros(4, 1, 3, 3)}), r"other shapes: features\.0"),
    ],
)
def test_other_checkpoints_are_refused_and_nothing_changes(change, message):
    net = network()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = {name: torch.rand(shape) for name, shape in published_shapes(False, 16, 24).items()}
    change(state)
    with pytest.raises(ManifestError, match=message):
        load_vgg16(net, state, origin="a test")
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def by_plain_code(frames, state, batch_norm, lstm):
    """Logits of one clip without padding, in evaluation."""
    x = frames
    for context in NORMED if batch_norm else PLAIN:
        x = F.conv2d(x, state[f"features.{context}.weight"], state[f"features.{context}.bias"], padding=1)
        if batch_norm:
            names = ("running_mean", "running_var", "weight", "bias")
            x = F.batch_norm(x, *(state[f"features.{context + 1}.{name}"] for name in names), training=False)
        x = F.relu(x)
        if context + (3 if batch_norm else 2) in POOLS[batch_norm]:
            x = F.max_pool2d(x, 2)
    x = F.adaptive_avg_pool2d(x, (7, 7)).reshape(len(frames), -1)
    x = F.relu(F.linear(x, state["classifier.0.weight"], state["classifier.0.bias"]))
    outputs, _ = lstm(x[None])
    return outputs[0, -1]


@torch.no_grad()
@pytest.mark.parametrize("batch_norm", [False, True])
def test_forward_by_plain_code_on_each_clip_alone(batch_norm):
    net = network(batch_norm=batch_norm, dropout=0.5).double().eval()
    for value in net.buffers():
        if value.is_floating_point():
            value.uniform_(0.5, 1.5, generator=torch.Generator().manual_seed(2))
    lstm = nn.LSTM(24, 8, batch_first=True).double()
    lstm.load_state_dict(net.lstm.state_dict())
    frames, mask = clips(padding=torch.nan, dtype=torch.float64)
    outputs = net(frames, mask)
    for clip, n in enumerate((3, 1, 4)):
        state = by_plain_code(frames[clip, :n], net.backbone.state_dict(), batch_norm, lstm)
        fine = F.linear(state, net.heads.fine.weight, net.heads.fine.bias)
        basic = F.linear(state, net.heads.basic.weight, net.heads.basic.bias)
        torch.testing.assert_close(outputs.fine[clip], fine, rtol=1e-9, atol=1e-11)
        torch.testing.assert_close(outputs.basic[clip], basic, rtol=1e-9, atol=1e-11)
    assert outputs.weights is None


@pytest.mark.parametrize("padding", [3.0, torch.nan, torch.inf])
def test_padding_changes_nothing(padding):
    results = []
    for n, value in ((4, 0.0), (6, padding)):
        net = network(batch_norm=True).double()
        outputs = net(*clips(n=n, padding=value, dtype=torch.float64))
        F.cross_entropy(outputs.fine, torch.tensor([0, 1, 2])).backward()
        gradients = [p.grad for p in net.parameters() if p.grad is not None]
        results.append((outputs.fine, outputs.basic, *gradients, *net.buffers()))
    assert len(results[0]) > 80
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-9, atol=1e-11)


def test_all_frames_are_one_batch():
    net, sizes = network(), []
    net.backbone.register_forward_hook(lambda module, given, made: sizes.append(given[0].shape[0]))
    net(*clips())
    assert sizes == [8]


def test_the_order_of_frames_matters():
    net = network().eval()
    with torch.no_grad():
        net.heads.fine.weight.mul_(100)
    frames, mask = clips()
    assert (net(frames, mask).fine[2] - net(frames.flip(1), mask).fine[2]).abs().max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("batch_norm", [False, True])
def test_one_batch_is_learnt_and_gradients_reach_every_parameter(batch_norm):
    net = network(batch_norm=batch_norm, hidden=16, n_basic=3 if batch_norm else 0)
    frames, mask = clips()
    frames = frames + torch.tensor([-1.0, 0.0, 1.0]).reshape(
        3, *[1] * (frames.ndim - 1)
    )  # clips differ in brightness
    targets, uppers = torch.tensor([0, 2, 4]), torch.tensor([0, 1, 2])
    last = [*net.lstm.parameters(), *net.heads.parameters()]
    groups = ({"params": net.backbone.parameters(), "lr": 1e-3}, {"params": last, "lr": 3e-2})
    optimiser = torch.optim.Adam(groups)
    for step in range(30):
        optimiser.zero_grad()
        outputs = net(frames, mask)
        loss = F.cross_entropy(outputs.fine, targets)
        if batch_norm:
            loss = loss + F.cross_entropy(outputs.basic, uppers)
        loss.backward()
        if step == 0:
            still = {n for n, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0}
            # Batch normalisation takes the mean away, and the biases before it with it.
            before_norm = {f"backbone.features.{context}.bias" for context in NORMED} if batch_norm else set()
            assert still <= before_norm
        optimiser.step()
    assert outputs.probabilities().argmax(1).equal(targets)
    assert (outputs.basic is None) != batch_norm


def test_clips_without_frames():
    net = network(batch_norm=True)
    frames, mask = clips(lengths=(2, 0), padding=torch.nan)
    outputs = net(frames, mask)
    assert torch.equal(outputs.fine[1], net.heads.fine.bias)
    assert torch.isfinite(outputs.fine).all()
    nothing = net(frames, torch.zeros_like(mask))
    nothing.fine.sum().backward()
    assert all(torch.isfinite(value).all() for value in net.state_dict().values())


def test_bfloat16():
    net = network(batch_norm=True)
    frames, mask = clips()
    with torch.autocast("cpu", torch.bfloat16):
        outputs = net(frames, mask)
    outputs.fine.float().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)
    torch.testing.assert_close(outputs.probabilities().sum(1), torch.ones(3))

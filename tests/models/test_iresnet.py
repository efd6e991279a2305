"""IResNet against a list of InsightFace's keys and shapes that is written anew, and against plain code."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from fgbench.models.initialisation import initialise
from fgbench.models.iresnet import Block, FaceHead, IResNet, IResNetClassifier, iresnet


def norm_shapes(name, channels):
    shapes = {f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")}
    return shapes | {f"{name}.num_batches_tracked": ()}


def published_shapes(layers):
    shapes = {"conv1.weight": (64, 3, 3, 3), **norm_shapes("bn1", 64), "prelu.weight": (64,)}
    before = 64
    for layer, (count, after) in enumerate(zip(layers, (64, 128, 256, 512), strict=True), 1):
        for i in range(count):
            name = f"layer{layer}.{i}"
            shapes |= norm_shapes(f"{name}.bn1", before) | norm_shapes(f"{name}.bn2", after)
            shapes |= norm_shapes(f"{name}.bn3", after)
            shapes[f"{name}.conv1.weight"] = (after, before, 3, 3)
            shapes[f"{name}.conv2.weight"] = (after, after, 3, 3)
            shapes[f"{name}.prelu.weight"] = (after,)
            if i == 0:
                shapes[f"{name}.downsample.0.weight"] = (after, before, 1, 1)
                shapes |= norm_shapes(f"{name}.downsample.1", after)
            before = after
    shapes |= norm_shapes("bn2", 512) | norm_shapes("features", 512)
    return shapes | {"fc.weight": (512, 512 * 7 * 7), "fc.bias": (512,)}


@pytest.mark.parametrize(
    ("depth", "layers", "millions"),
    [(18, (2, 2, 2, 2), 24.03), (50, (3, 4, 14, 3), 43.59), (100, (3, 13, 30, 3), 65.16)],
)
def test_published_checkpoints_fit(depth, layers, millions):
    with torch.device("meta"):
        net = iresnet(depth)
    shapes = published_shapes(layers)
    assert {name: tuple(value.shape) for name, value in net.state_dict().items()} == shapes
    assert round(sum(p.numel() for p in net.parameters()) / 1e6, 2) == millions
    state = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    net.load_state_dict(state, strict=True, assign=True)
    assert not net.features.weight.requires_grad


def test_a_narrow_network_has_a_share_of_the_channels():
    with torch.device("meta"):
        net = iresnet(18, 0.25)
    assert [layer[0].conv2.out_channels for layer in (net.layer1, net.layer2, net.layer3, net.layer4)] == [
        16, 32, 64, 128,
    ]  # fmt: skip
    assert net.fc.in_features == 128 * 7 * 7


def tiny():
    net = IResNet((1, 2, 1, 1), widths=(4, 8, 8, 16))
    initialise(net, torch.Generator().manual_seed(0))
    return net


def faces(n=2):
    return torch.rand(n, 3, 112, 112, generator=torch.Generator().manual_seed(0)) * 2 - 1


def normed(x, state, name):
    parts = (state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
    return F.batch_norm(x, *parts, training=False, eps=1e-5)


@torch.no_grad()
def test_forward_by_plain_code():
    net = tiny().eval()
    for value in net.buffers():
        if value.is_floating_point():
            value.uniform_(0.5, 1.5)
    state = net.state_dict()
    x = F.conv2d(faces(), state["conv1.weight"], padding=1)
    x = F.prelu(normed(x, state, "bn1"), state["prelu.weight"])
    for name in ("layer1.0", "layer2.0", "layer2.1", "layer3.0", "layer4.0"):
        stride = 2 if name.endswith(".0") else 1
        y = F.conv2d(normed(x, state, f"{name}.bn1"), state[f"{name}.conv1.weight"], padding=1)
        y = F.prelu(normed(y, state, f"{name}.bn2"), state[f"{name}.prelu.weight"])
        y = normed(F.conv2d(y, state[f"{name}.conv2.weight"], None, stride, 1), state, f"{name}.bn3")
        if stride == 2:
            x = normed(
                F.conv2d(x, state[f"{name}.downsample.0.weight"], None, 2), state, f"{name}.downsample.1"
            )
        x = x + y
    assert x.shape == (2, 16, 7, 7)
    x = F.linear(normed(x, state, "bn2").reshape(2, -1), state["fc.weight"], state["fc.bias"])
    got = net(faces())
    assert got.shape == (2, 512)
    torch.testing.assert_close(got, normed(x, state, "features"), rtol=1e-4, atol=1e-4)


def test_block_keeps_its_size_without_stride():
    block = Block(4, 4, stride=1)
    assert block.downsample is None
    assert block(torch.zeros(2, 4, 6, 6)).shape == (2, 4, 6, 6)
    assert Block(4, 8, stride=1)(torch.zeros(2, 4, 6, 6)).shape == (2, 8, 6, 6)


@pytest.mark.slow
@pytest.mark.parametrize("head", ["softmax", "arcface"])
def test_one_batch_is_learnt_and_gradients_reach_every_parameter(head):
    net = IResNetClassifier(tiny(), FaceHead(5, kind=head, scale=16.0, margin=0.3))
    initialise(net, torch.Generator().manual_seed(0))
    targets = torch.tensor([0, 3, 1, 4])
    optimiser = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], 0.01, momentum=0.9)
    for step in range(8):
        optimiser.zero_grad()
        logits = net(faces(4))
        F.cross_entropy(logits, targets).backward()
        if step == 0:
            trainable = {name: p for name, p in net.named_parameters() if p.requires_grad}
            assert set(dict(net.named_parameters())) - set(trainable) == {"backbone.features.weight"}
            assert not [name for name, p in trainable.items() if p.grad is None]
            # Biases of fc go: batch normalisation takes the mean away. All others must move.
            assert not [
                n for n, p in trainable.items() if not p.grad.abs().sum() > 0 and n != "backbone.fc.bias"
            ]
        optimiser.step()
    assert logits.argmax(1).equal(targets)
    assert (net.backbone.features.weight == 1).all()


def test_arcface_gives_scaled_cosines():
    net = IResNetClassifier(tiny(), FaceHead(3, kind="arcface", scale=64.0, margin=0.5)).eval()
    features, centres = net.backbone(faces()), net.head.weight
    expected = F.cosine_similarity(features[:, None], centres[None], dim=2)
    torch.testing.assert_close(net.head.cosines(features), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(net(faces()), 64 * expected, rtol=1e-4, atol=1e-3)
    assert net.head.bias is None
    assert net.head.margin == 0.5


def test_channels_last_gives_the_same():
    net = tiny().eval()
    expected = net(faces())
    last = net.to(memory_format=torch.channels_last)
    torch.testing.assert_close(
        last(faces().to(memory_format=torch.channels_last)), expected, rtol=1e-3, atol=1e-3
    )


def test_faces_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"\(B, 3, 112, 112\), got \(1, 3, 224, 224\)"):
        tiny()(torch.zeros(1, 3, 224, 224))

"""The two streams and their fusion."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from fgbench.errors import ConfigError
from fgbench.models.initialisation import initialise
from fgbench.models.nan import SpatialStream
from fgbench.models.streams import SnippetStream
from fgbench.models.tmsau import TmsauNet, fuse
from fgbench.training.randomness import deterministic


def network(*, spatial=True, temporal=True):
    net = TmsauNet(
        SpatialStream(12, n_features=8, n_fine=5, n_basic=3) if spatial else None,
        SnippetStream(4, width=1 / 16, n_fine=5, n_basic=3) if temporal else None,
    )
    initialise(net, torch.Generator().manual_seed(0))
    return net


def inputs():
    generator = torch.Generator().manual_seed(1)
    frames, snippets = (
        torch.randn(3, 6, 12, generator=generator),
        torch.randn(3, 2, 4, 48, 48, generator=generator),
    )
    n_frames, n_snippets = torch.tensor([6, 2, 4]), torch.tensor([2, 1, 2])
    return {
        "spatial": (frames, torch.arange(6) < n_frames[:, None]),
        "temporal": (snippets, torch.arange(2) < n_snippets[:, None]),
    }


def probabilities(rows=4, classes=33):
    generator = torch.Generator().manual_seed(2)
    return {n: torch.rand(rows, classes, generator=generator).softmax(1) for n in ("spatial", "temporal")}


def test_streams_say_what_they_say_alone():
    net = network().eval()
    outputs = net(inputs())
    assert list(outputs) == ["spatial", "temporal"]
    for name, stream in (("spatial", net.spatial), ("temporal", net.temporal)):
        alone = stream(*inputs()[name])
        assert torch.equal(outputs[name].fine, alone.fine)
        assert torch.equal(outputs[name].basic, alone.basic)
    assert outputs["spatial"].weights.shape == (3, 2, 6)
    assert outputs["temporal"].weights is None


@pytest.mark.parametrize("name", ["spatial", "temporal"])
def test_a_stream_can_be_left_out(name):
    whole, part = network().eval(), network(**{other: other == name for other in ("spatial", "temporal")})
    given = {name: inputs()[name]}
    assert list(whole(given)) == list(part.eval()(given)) == [name]
    part.load_state_dict({n: v for n, v in whole.state_dict().items() if n.startswith(name)})
    assert torch.equal(part(given)[name].fine, whole(given)[name].fine)
    with pytest.raises(ValueError, match=rf"streams {name}, got 'spatial', 'temporal'"):
        part(inputs())


def test_there_has_to_be_a_stream():
    with pytest.raises(ConfigError, match="without streams"):
        TmsauNet(None, None)
    with pytest.raises(ValueError, match="streams spatial, temporal, got none"):
        network()({})
    with pytest.raises(ValueError, match="got 'audio'"):
        network()({"audio": inputs()["spatial"]})


@pytest.mark.slow
def test_one_batch_is_learnt_and_gradients_reach_every_parameter():
    net = network()
    targets, uppers = torch.tensor([0, 2, 4]), torch.tensor([0, 1, 2])
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    for step in range(40):
        optimiser.zero_grad()
        outputs = net(inputs())
        sum(
            F.cross_entropy(stream.fine, targets) + F.cross_entropy(stream.basic, uppers)
            for stream in outputs.values()
        ).backward()
        if step == 0:
            assert not [n for n, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
        optimiser.step()
    assert all(stream.probabilities().argmax(1).equal(targets) for stream in outputs.values())
    scores = {name: stream.probabilities() for name, stream in outputs.items()}
    assert fuse(scores, 0.5).argmax(1).equal(targets)
    assert fuse({n: s.basic_probabilities() for n, s in outputs.items()}, 0.5).argmax(1).equal(uppers)


def test_training_gives_the_same_bits_every_time():
    states = []
    for _ in range(2):
        net = network()
        optimiser = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
        with deterministic(torch.device("cpu")):
            for _ in range(2):
                optimiser.zero_grad()
                sum(stream.fine.square().sum() for stream in net(inputs()).values()).backward()
                optimiser.step()
        states.append(net.state_dict())
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    assert not torch.equal(states[0]["spatial.attention.q0"], torch.zeros(8))


def test_gradients_of_one_stream_do_not_reach_the_other():
    net = network()
    net(inputs())["temporal"].fine.sum().backward()
    assert all(p.grad is None for p in net.spatial.parameters())
    assert net.temporal.heads.fine.weight.grad is not None


def test_bfloat16():
    net = network()
    with torch.autocast("cpu", torch.bfloat16):
        outputs = net(inputs())
    fused = fuse({name: stream.probabilities() for name, stream in outputs.items()}, 0.5)
    assert fused.dtype == torch.float32
    torch.testing.assert_close(fused.sum(1), torch.ones(3))


def test_fusion_at_its_ends_is_one_stream_exactly():
    given = probabilities()
    assert torch.equal(fuse(given, 1.0), given["spatial"])
    assert torch.equal(fuse(given, 0.0), given["temporal"])
    assert torch.equal(fuse(given, 1), given["spatial"])


@pytest.mark.parametrize("weight", [0.1, 0.5, 0.7])
def test_fusion_is_the_weighted_mean(weight):
    given = probabilities()
    numbers = {name: value.double().numpy() for name, value in given.items()}
    expected = weight * numbers["spatial"] + (1 - weight) * numbers["temporal"]
    got = fuse(given, weight)
    torch.testing.assert_close(got.double(), torch.from_numpy(expected), rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(got.sum(1), torch.ones(4))
    swapped = dict(reversed(given.items()))
    assert torch.equal(fuse(swapped, weight), got)
    assert fuse({name: value[:, :0] for name, value in given.items()}, weight).shape == (4, 0)


@pytest.mark.parametrize("name", ["spatial", "temporal"])
@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_one_stream_is_itself(name, weight):
    given = probabilities()[name]
    assert torch.equal(fuse({name: given}, weight), given)


@pytest.mark.parametrize(
    ("given", "weight", "message"),
    [
        (probabilities(), 1.1, r"weight is 1\.1, expected 0 to 1"),
        (probabilities(), float("nan"), "weight is nan"),
        ({}, 0.5, "spatial, temporal, got none"),
        ({"audio": torch.zeros(1, 2)}, 0.5, "got 'audio'"),
        ({"spatial": torch.zeros(1, 3), "temporal": torch.zeros(1, 2)}, 0.5, r"shapes \(1, 3\) and \(1, 2\)"),
    ],
)
def test_fusion_refuses(given, weight, message):
    with pytest.raises(ValueError, match=message):
        fuse(given, weight)

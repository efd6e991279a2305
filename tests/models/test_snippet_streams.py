"""What streams say, and the average over snippets: against single snippets, learning one batch."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from fgbench.models.initialisation import initialise
from fgbench.models.streams import Heads, SnippetStream, StreamOutputs

MASK = torch.tensor([[True, True, True], [True, False, True], [False, True, False], [False] * 3])


def stream(channels=4, seed=0, **settings):
    sizes = {"width": 1 / 16, "n_fine": 5, "n_basic": 3}
    net = SnippetStream(channels, **(sizes | settings))
    initialise(net, torch.Generator().manual_seed(seed))
    return net


def snippets(channels=4, clips=4, dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(clips, 3, channels, 48, 48, generator=generator, dtype=dtype)


def test_consensus_is_the_mean_of_single_snippets():
    net = stream().eval().double()
    given = snippets(dtype=torch.float64)
    outputs = net(given, MASK)
    for clip in range(3):
        single = [
            net(given[clip : clip + 1, t : t + 1], torch.ones(1, 1, dtype=torch.bool))
            for t in range(3)
            if MASK[clip, t]
        ]
        for name in ("fine", "basic"):
            mean = sum(getattr(one, name)[0] for one in single) / len(single)
            torch.testing.assert_close(getattr(outputs, name)[clip], mean, rtol=1e-10, atol=1e-12)
    assert outputs.weights is None


def test_a_clip_without_snippets_favours_no_class():
    net = stream()
    for mode in (True, False):
        outputs = net.train(mode)(snippets(), MASK)
        assert not outputs.fine[3].any()
        torch.testing.assert_close(outputs.probabilities()[3], torch.full((5,), 0.2))
    nothing = net.train()(snippets(), torch.zeros_like(MASK))
    assert not nothing.fine.any()
    assert not nothing.basic.any()
    nothing.fine.sum().backward()
    assert all(torch.isfinite(value).all() for value in net.state_dict().values())


@pytest.mark.slow
@pytest.mark.parametrize("padding", [5.0, torch.nan, torch.inf])
def test_padding_changes_nothing(padding):
    results = []
    for width, value in ((3, 0.0), (5, padding)):
        net = stream().double()
        given = torch.full((4, width, 4, 48, 48), value, dtype=torch.float64)
        mask = torch.zeros(4, width, dtype=torch.bool)
        mask[:, :3] = MASK
        given[mask] = snippets(dtype=torch.float64)[MASK]
        outputs = net(given, mask)
        F.cross_entropy(outputs.fine[:3], torch.tensor([0, 1, 2])).backward()
        gradients = [p.grad for p in net.parameters() if p.grad is not None]
        results.append((outputs.fine, outputs.basic, *gradients, *net.buffers()))
    assert len(results[0]) > 100
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-9, atol=1e-11)


def test_the_backbone_sees_every_snippet_once_and_no_padding():
    net, sizes = stream(), []
    net.backbone.register_forward_hook(lambda module, given, made: sizes.append(given[0].shape[0]))
    net(snippets(), MASK)
    assert sizes == [6]


@pytest.mark.slow
@pytest.mark.parametrize(("channels", "n_basic"), [(10, 3), (3, 0)])
def test_one_batch_is_learnt_and_gradients_reach_every_parameter(channels, n_basic):
    net = stream(channels, n_basic=n_basic)
    targets, uppers = torch.tensor([0, 2, 4]), torch.tensor([0, 1, 2])
    given, mask = snippets(channels, 3), MASK[:3]
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    for step in range(12):
        optimiser.zero_grad()
        outputs = net(given, mask)
        loss = F.cross_entropy(outputs.fine, targets)
        if n_basic:
            loss = loss + F.cross_entropy(outputs.basic, uppers)
        loss.backward()
        if step == 0:
            assert not [n for n, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
        optimiser.step()
    assert outputs.probabilities().argmax(1).equal(targets)
    assert (outputs.basic is None) == (n_basic == 0)


def test_bfloat16():
    net = stream()
    with torch.autocast("cpu", torch.bfloat16):
        outputs = net(snippets(), MASK)
    assert outputs.fine.dtype == torch.float32, "means are not made in half precision"
    outputs.fine.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)
    torch.testing.assert_close(outputs.probabilities().sum(1), torch.ones(4))


def test_masks_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"bool mask of shape \(4, 3\), got torch.bool of shape \(3, 3\)"):
        stream()(snippets(), MASK[:3])


def test_probabilities_are_a_softmax():
    outputs = StreamOutputs(torch.tensor([[0.0, 1.0, 2.0]]).double(), torch.tensor([[1.0, 1.0]]).bfloat16())
    torch.testing.assert_close(outputs.probabilities(), torch.tensor([[0.0900306, 0.2447285, 0.6652410]]))
    assert torch.equal(outputs.basic_probabilities(), torch.tensor([[0.5, 0.5]]))
    none = StreamOutputs(torch.zeros(4, 3), None).basic_probabilities()
    assert none.shape == (4, 0)
    assert none.dtype == torch.float32


def test_both_classifiers_see_the_same_dropout():
    heads = Heads(50, dropout=0.5, n_fine=1, n_basic=1)
    with torch.no_grad():
        for head in (heads.fine, heads.basic):
            head.weight.copy_(torch.arange(50.0)[None])
            head.bias.zero_()
    torch.manual_seed(0)
    fine, basic = heads(torch.ones(4, 50))
    assert torch.equal(fine, basic)
    assert fine.unique().numel() > 1
    fine, _ = heads.eval()(torch.ones(4, 50))
    assert torch.equal(fine, torch.full((4, 1), 1225.0))

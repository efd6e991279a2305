"""The spatial stream: against NumPy, without padding in its statistics, learning one batch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from fgbench.models.initialisation import initialise
from fgbench.models.nan import SpatialStream

VARIANTS = {
    "projected": {"n_in": 12, "n_features": 8},
    "maximum activations alone": {"n_in": 8, "n_features": 8, "projection": False},
    "original": {"n_in": 8, "n_features": 8, "projection": False, "normalise": "l2"},
    "plain": {"n_in": 12, "n_features": 8, "normalise": "none", "n_basic": 0},
}


def stream(seed=0, **settings):
    sizes = {"n_in": 12, "n_features": 8, "n_fine": 5, "n_basic": 3}
    net = SpatialStream(**(sizes | settings))
    initialise(net, torch.Generator().manual_seed(seed))
    return net


def batch(n_in=12, lengths=(3, 6, 1, 4), n=6, padding=0.0, dtype=torch.float32):
    mask = torch.arange(n) < torch.tensor(lengths)[:, None]
    frames = torch.full((len(lengths), n, n_in), padding, dtype=dtype)
    rows = torch.randn(sum(lengths), n_in, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    frames[mask] = (rows * 2 + 1).to(dtype)
    return frames, mask


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_one_batch_is_learnt_and_gradients_reach_every_parameter(variant):
    net = stream(**VARIANTS[variant])
    frames, mask = batch(VARIANTS[variant]["n_in"])
    targets, uppers = torch.tensor([0, 2, 4, 3]), torch.tensor([0, 1, 2, 1])
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    for step in range(250):
        optimiser.zero_grad()
        outputs = net(frames, mask)
        loss = F.cross_entropy(outputs.fine, targets)
        if outputs.basic is not None:
            loss = loss + F.cross_entropy(outputs.basic, uppers)
        loss.backward()
        if step == 0:
            assert not [n for n, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
        optimiser.step()
    assert outputs.probabilities().argmax(1).equal(targets)
    assert loss < 0.5
    assert outputs.weights.shape == (4, 2, 6)
    assert (outputs.basic is None) == (variant == "plain")


def in_numpy(frames_NF, state, normalise):
    """The stream in evaluation for one clip, written for NumPy; parameters by their names."""
    f = frames_NF @ state["projection.weight"].T + state.get("projection.bias", 0.0)
    if normalise == "batch":
        f = (f - state["norm.running_mean"]) / np.sqrt(state["norm.running_var"] + 1e-5)
        f = f * state["norm.weight"] + state["norm.bias"]
    elif normalise == "l2":
        f = f / np.sqrt((f**2).sum(1, keepdims=True))

    def block(q):
        a = np.exp(f @ q)
        a /= a.sum()
        return a @ f, a

    r0, a0 = block(state["attention.q0"])
    r1, a1 = block(np.tanh(state["attention.transfer.weight"] @ r0 + state["attention.transfer.bias"]))
    fine, basic = (
        state[f"heads.{head}.weight"] @ r1 + state[f"heads.{head}.bias"] for head in ("fine", "basic")
    )
    return fine, basic, np.stack((a0, a1))


@pytest.mark.parametrize("normalise", ["batch", "l2", "none"])
def test_it_equals_the_formulas(normalise):
    net = stream(normalise=normalise, dropout=0.5).double().eval()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for value in net.state_dict().values():
            if value.is_floating_point():
                value.uniform_(0.1, 1.0, generator=generator)
    state = {name: value.numpy() for name, value in net.state_dict().items()}
    frames, mask = batch(padding=torch.nan, dtype=torch.float64)
    outputs = net(frames, mask)
    for clip, n in enumerate((3, 6, 1, 4)):
        fine, basic, weights = in_numpy(frames[clip, :n].numpy(), state, normalise)
        np.testing.assert_allclose(outputs.fine[clip].detach().numpy(), fine, rtol=1e-10)
        np.testing.assert_allclose(outputs.basic[clip].detach().numpy(), basic, rtol=1e-10)
        np.testing.assert_allclose(outputs.weights[clip, :, :n].detach().numpy(), weights, rtol=1e-10)
        assert not outputs.weights[clip, :, n:].any()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("padding", [7.0, torch.nan, torch.inf])
def test_padding_changes_nothing(variant, padding):
    results = []
    for n, value in ((6, 0.0), (11, padding)):
        net = stream(**VARIANTS[variant]).double()
        frames, mask = batch(VARIANTS[variant]["n_in"], n=n, padding=value, dtype=torch.float64)
        frames.requires_grad_()
        outputs = net(frames, mask)
        F.cross_entropy(outputs.fine, torch.tensor([0, 1, 2, 3])).backward()
        gradients = {name: p.grad for name, p in net.named_parameters() if p.grad is not None}
        buffers = {name: value.clone() for name, value in net.named_buffers()}
        assert not frames.grad[~mask].any()
        results.append(
            {
                "fine": outputs.fine,
                "weights": outputs.weights.transpose(1, 2)[mask],
                "frames": frames.grad[mask],
                **buffers,
                **gradients,
            }
        )
    assert results[0].keys() == results[1].keys()
    for name, one in results[0].items():
        torch.testing.assert_close(results[1][name], one, rtol=1e-10, atol=1e-12, msg=name)


def test_statistics_are_those_of_the_frames():
    net = stream().double()
    frames, mask = batch(padding=1e6, dtype=torch.float64)
    rows = (frames[mask] @ net.projection.weight.T).detach().numpy()
    net(frames, mask)
    np.testing.assert_allclose(net.norm.running_mean.numpy(), 0.1 * rows.mean(0), rtol=1e-10)
    np.testing.assert_allclose(net.norm.running_var.numpy(), 0.9 + 0.1 * rows.var(0, ddof=1), rtol=1e-10)


@pytest.mark.parametrize("lengths", [(1, 0), (0, 0)])
def test_fewer_than_two_frames_use_the_running_statistics(lengths):
    net = stream()
    net(*batch())
    before = {name: value.clone() for name, value in net.named_buffers()}
    frames, mask = batch(lengths=lengths, padding=torch.nan)
    trained = net(frames, mask)
    assert all(torch.equal(value, before[name]) for name, value in net.named_buffers())
    assert torch.equal(trained.fine, net.eval()(frames, mask).fine)
    trained.fine.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)
    assert torch.equal(trained.fine[1], net.heads.fine.bias)
    assert not trained.weights[1].any()


def test_the_order_of_frames_does_not_matter():
    net = stream().double().eval()
    frames, mask = batch(lengths=(6, 6), dtype=torch.float64)
    order = torch.tensor([3, 5, 0, 2, 1, 4])
    torch.testing.assert_close(
        net(frames[:, order], mask).fine, net(frames, mask).fine, rtol=1e-12, atol=1e-13
    )


def test_clips_do_not_depend_on_their_neighbours():
    net = stream().eval()
    frames, mask = batch()
    for clip in range(4):
        alone = net(frames[clip : clip + 1], mask[clip : clip + 1])
        torch.testing.assert_close(alone.fine[0], net(frames, mask).fine[clip], rtol=1e-5, atol=1e-6)


def test_dropout_acts_in_training_only():
    net = stream(dropout=0.5)
    with torch.no_grad():
        net.heads.fine.weight.fill_(1.0)
    torch.manual_seed(0)
    frames, mask = batch()
    assert not torch.equal(net(frames, mask).fine, net(frames, mask).fine)
    net.eval()
    assert torch.equal(net(frames, mask).fine, net(frames, mask).fine)


@pytest.mark.parametrize("variant", VARIANTS)
def test_bfloat16(variant):
    net = stream(**VARIANTS[variant])
    frames, mask = batch(VARIANTS[variant]["n_in"])
    with torch.autocast("cpu", torch.bfloat16):
        outputs = net(frames, mask)
    outputs.fine.float().sum().backward()
    assert outputs.weights.dtype == torch.float32
    torch.testing.assert_close(outputs.weights.sum(2), torch.ones(4, 2))
    assert outputs.probabilities().dtype == torch.float32
    net.zero_grad()
    torch.testing.assert_close(outputs.fine.float(), net(frames, mask).fine, rtol=0.1, atol=0.05)


def test_lengths_that_need_a_projection_are_refused():
    with pytest.raises(ValueError, match=r"frames have 2304 features, but without a projection .* 256"):
        SpatialStream(2304, projection=False)
    assert SpatialStream(256, projection=False).heads.fine.out_features == 33


def test_unknown_normalisations_are_refused():
    with pytest.raises(ValueError, match="'layer', expected one of batch, l2, none"):
        SpatialStream(256, normalise="layer")

"""Attention against its formula in NumPy, and what padding, order and half precision must not change."""

import numpy as np
import pytest
import torch

from fgbench.models.attention import CascadedAttention
from fgbench.models.initialisation import initialise

LENGTHS = (4, 7, 1)


def batch(lengths=LENGTHS, n=None, features=5, dtype=torch.float64, padding=0.0):
    n = n or max(lengths)
    mask = torch.arange(n) < torch.tensor(lengths)[:, None]
    frames = torch.full((len(lengths), n, features), padding, dtype=dtype)
    rows = torch.randn(sum(lengths), features, generator=torch.Generator().manual_seed(1), dtype=dtype)
    frames[mask] = rows
    return frames, mask


def attention(features=5, dtype=torch.float64):
    """With all parameters at random."""
    module = CascadedAttention(features).to(dtype)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for value in module.parameters():
            value.normal_(generator=generator)
    return module


def by_formula(frames_NF, module):
    """Equations 3 to 5 for one clip, written for NumPy."""
    q0, w, b = (value.detach().numpy() for value in (module.q0, module.transfer.weight, module.transfer.bias))

    def block(q):
        e = np.array([np.dot(q, f) for f in frames_NF])
        a = np.exp(e) / np.exp(e).sum()
        return sum(a_k * f_k for a_k, f_k in zip(a, frames_NF, strict=True)), a

    r0, a0 = block(q0)
    r1, a1 = block(np.tanh(w @ r0 + b))
    return r0, r1, a0, a1


def test_it_equals_the_formula():
    frames, mask = batch()
    module = attention()
    got = module(frames, mask)
    assert all(part.dtype == torch.float64 for part in got)
    assert (got.first.shape, got.second.shape) == ((3, 5), (3, 5))
    assert (got.first_weights.shape, got.second_weights.shape) == ((3, 7), (3, 7))
    for clip, n in enumerate(LENGTHS):
        r0, r1, a0, a1 = by_formula(frames[clip, :n].numpy(), module)
        for mine, theirs in zip(
            (got.first[clip], got.second[clip], got.first_weights[clip, :n], got.second_weights[clip, :n]),
            (r0, r1, a0, a1),
            strict=True,
        ):
            np.testing.assert_allclose(mine.detach().numpy(), theirs, rtol=1e-12, atol=1e-13)


@pytest.mark.slow
def test_it_starts_as_the_mean():
    frames, mask = batch()
    module = attention()
    initialise(module, torch.Generator().manual_seed(0))
    assert not module.q0.any()
    got = module(frames, mask)
    for clip, n in enumerate(LENGTHS):
        torch.testing.assert_close(got.first[clip], frames[clip, :n].mean(0), rtol=1e-12, atol=1e-12)
        assert (got.first_weights[clip, :n] == 1 / n).all()
        torch.testing.assert_close(got.second[clip], frames[clip, :n].mean(0), rtol=0.1, atol=0.1)
    assert torch.equal(CascadedAttention(3).q0, torch.zeros(3))


@pytest.mark.slow
def test_weights_sum_to_one():
    got = attention()(*batch())
    for weights in (got.first_weights, got.second_weights):
        assert (weights >= 0).all()
        torch.testing.assert_close(weights.sum(1), torch.ones(3, dtype=torch.float64))
        assert not weights[0, 4:].any()
        assert not weights[2, 1:].any()
        assert weights[2, 0] == 1


@pytest.mark.parametrize("padding", [0.0, 1e30, torch.nan, torch.inf, -torch.inf])
def test_padding_changes_nothing(padding):
    module = attention()
    results = []
    for n, value in ((7, 0.0), (12, padding)):
        module.zero_grad()
        frames, mask = batch(n=n, padding=value)
        frames.requires_grad_()
        got = module(frames, mask)
        (got.second.sin().sum() + got.first.pow(2).sum()).backward()
        assert not got.first_weights[~mask].any()
        assert not got.second_weights[~mask].any()
        assert not frames.grad[~mask].any()
        gradients = [p.grad.clone() for p in module.parameters()]
        results.append(
            (
                got.first,
                got.second,
                got.first_weights[mask],
                got.second_weights[mask],
                frames.grad[mask],
                *gradients,
            )
        )
    for one, other in zip(*results, strict=True):
        assert torch.isfinite(other).all()
        torch.testing.assert_close(other, one, rtol=1e-12, atol=1e-13)


def test_padding_may_stand_between_frames():
    module = attention()
    frames, mask = batch()
    order = torch.tensor([6, 0, 5, 1, 4, 2, 3])
    one, other = module(frames, mask), module(frames[:, order], mask[:, order])
    torch.testing.assert_close(other.second, one.second, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(other.second_weights, one.second_weights[:, order], rtol=1e-12, atol=1e-13)


def test_the_order_of_frames_does_not_matter():
    module = attention()
    frames, mask = batch((6, 6))
    order = torch.randperm(6, generator=torch.Generator().manual_seed(3))
    assert not torch.equal(order, torch.arange(6))
    one, other = module(frames, mask), module(frames[:, order], mask)
    torch.testing.assert_close(other.second, one.second, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(other.second_weights, one.second_weights[:, order], rtol=1e-12, atol=1e-13)


def test_a_clip_without_frames_gives_zeros():
    module = attention()
    frames, mask = batch((3, 0), padding=torch.nan)
    frames.requires_grad_()
    got = module(frames, mask)
    assert not any(part[1].any() for part in got)
    got.second.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in module.parameters())
    assert torch.isfinite(frames.grad).all()
    empty = module(torch.zeros(2, 0, 5, dtype=torch.float64), torch.zeros(2, 0, dtype=torch.bool))
    assert torch.equal(empty.second, torch.zeros(2, 5, dtype=torch.float64))
    assert empty.second_weights.shape == (2, 0)


def test_large_scores_do_not_overflow():
    module = attention(dtype=torch.float32)
    frames, mask = batch(dtype=torch.float32)
    got = module(frames * 1e4, mask)
    assert torch.isfinite(got.second).all()
    torch.testing.assert_close(got.second_weights.sum(1), torch.ones(3))


def test_gradients_are_those_of_differences():
    frames, mask = batch((2, 3), features=3)
    module = attention(3)

    def second(frames, q0, weight, bias):
        parts = {"q0": q0, "transfer.weight": weight, "transfer.bias": bias}
        return torch.func.functional_call(module, parts, (frames, mask)).second

    parts = [value.detach().clone().requires_grad_() for value in module.parameters()]
    assert torch.autograd.gradcheck(second, (frames.requires_grad_(), *parts))


def test_it_is_exact_under_autocast():
    module = attention(dtype=torch.float32)
    frames, mask = batch(dtype=torch.float32)
    expected = module(frames, mask)
    with torch.autocast("cpu", torch.bfloat16):
        got = module(frames, mask)
        rounded = module(frames.bfloat16(), mask)
    for one, other in zip(got, expected, strict=True):
        assert torch.equal(one, other)
    assert all(part.dtype == torch.float32 for part in rounded)
    torch.testing.assert_close(rounded.second_weights.sum(1), torch.ones(3))


def test_masks_that_do_not_fit_are_refused():
    frames, mask = batch()
    with pytest.raises(ValueError, match=r"bool mask of shape \(3, 7\), got torch.float64"):
        attention()(frames, mask.double())
    with pytest.raises(ValueError, match=r"of shape \(3, 6\)"):
        attention()(frames, mask[:, 1:])

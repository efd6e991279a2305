"""Losses against literals worked out by hand, and against formulas written anew in numpy (float64)."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from fgbench.config import ImageLossConfig
from fgbench.errors import ConfigError
from fgbench.training.losses import (
    arcface_logits,
    image_loss,
    margin_met,
    masked_au_loss,
    ranking_loss,
    softmax_losses,
)


@dataclass
class Outputs:
    fine: torch.Tensor
    basic: torch.Tensor | None


def drawn(*shape, seed=0, scale=2.0):
    return torch.from_numpy(np.random.default_rng(seed).normal(0, scale, shape)).float()


def softmax64(logits):
    values = np.exp(np.asarray(logits, np.float64) - np.max(logits, axis=-1, keepdims=True))
    return values / values.sum(-1, keepdims=True)


def test_softmax_losses_by_hand():
    # Two equal logits: -ln(1/2) per scale; logits (0, ln 3) and class 1: -ln(3/4).
    logits = torch.tensor([[[0.0, 0.0], [0.0, np.log(3.0)]]])
    assert softmax_losses(logits, torch.tensor([1])).item() == pytest.approx(0.6931472 + 0.2876821, abs=1e-6)


def test_softmax_losses_are_mean_over_samples_and_sum_over_scales():
    logits, target = drawn(5, 2, 7), torch.tensor([0, 6, 3, 3, 1])
    rows = softmax64(logits.numpy())[np.arange(5), :, target.numpy()]
    expected = -np.log(rows).sum(1).mean()
    assert softmax_losses(logits, target).item() == pytest.approx(expected, rel=1e-6)


def test_losses_of_bfloat16_are_float32():
    logits = drawn(3, 2, 4).bfloat16()
    loss = softmax_losses(logits, torch.tensor([0, 1, 2]))
    assert loss.dtype == torch.float32
    same = softmax_losses(logits.float(), torch.tensor([0, 1, 2]))
    assert loss.item() == same.item()
    assert masked_au_loss(logits[:, 0], torch.ones(3, 4)).dtype == torch.float32


def test_ranking_loss_by_hand():
    # True classes 0 and 1. Sample 0: 0.6 - 0.5 + 0.05 = 0.15; sample 1: 0.2 - 0.9 + 0.05 < 0.
    probabilities = torch.tensor([[[0.6, 0.4], [0.5, 0.5]], [[0.8, 0.2], [0.1, 0.9]]])
    loss = ranking_loss(probabilities, torch.tensor([0, 1]), margin=0.05, stop_gradient=True)
    assert loss.item() == pytest.approx(0.15 / 2, abs=1e-7)


def test_ranking_loss_against_its_formula_with_three_scales():
    probabilities, target = drawn(6, 3, 5, seed=1).softmax(2), torch.tensor([0, 1, 2, 3, 4, 0])
    true = probabilities.double().numpy()[np.arange(6), :, target.numpy()]
    expected = np.maximum(0, true[:, :-1] - true[:, 1:] + 0.3).sum(1).mean()
    loss = ranking_loss(probabilities, target, margin=0.3, stop_gradient=False)
    assert loss.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("stop", [True, False])
def test_ranking_loss_spares_the_coarse_scale_when_told_so(stop):
    logits = drawn(4, 2, 3, seed=2).requires_grad_()
    loss = ranking_loss(logits.softmax(2), torch.tensor([0, 1, 2, 0]), margin=1.0, stop_gradient=stop)
    loss.backward()
    assert bool((logits.grad[:, 0] == 0).all()) == stop
    assert (logits.grad[:, 1] != 0).all()


def test_ranking_loss_of_one_scale_is_an_error():
    with pytest.raises(ConfigError, match="compares scales"):
        ranking_loss(torch.ones(2, 1, 3) / 3, torch.tensor([0, 1]), margin=0.05, stop_gradient=True)


def test_au_loss_by_hand():
    # -ln s(ln 3) = ln(4/3) active; -ln(1 - s(ln 3)) = ln 4 inactive; the third is not labelled. Two samples.
    logits = torch.tensor([[np.log(3.0), np.log(3.0), 5.0], [0.0, 0.0, 0.0]])
    labels = torch.tensor([[1, -1, 0], [0, 0, 1]], dtype=torch.int8)
    expected = (0.2876821 + 1.3862944 + 0.6931472) / 2
    assert masked_au_loss(logits, labels).item() == pytest.approx(expected, abs=1e-6)


def test_au_loss_against_its_formula():
    logits = drawn(6, 4, seed=3)
    labels = torch.from_numpy(np.random.default_rng(4).integers(-1, 2, (6, 4)))
    hat = 1 / (1 + np.exp(-logits.double().numpy()))
    active, inactive = labels.numpy() > 0, labels.numpy() < 0
    expected = -(active * np.log(hat) + inactive * np.log(1 - hat)).sum() / 6
    assert masked_au_loss(logits, labels).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("value", [-50.0, 3.0, float("inf"), float("nan")])
def test_au_loss_does_not_see_what_is_not_labelled(value):
    labels = torch.tensor([[1.0, 0.0, -1.0], [0.0, 1.0, 1.0]])

    def loss_and_gradient(ignored):
        logits = drawn(2, 3, seed=5)
        logits[labels == 0] = ignored
        logits.requires_grad_()
        loss = masked_au_loss(logits, labels)
        loss.backward()
        return loss.item(), logits.grad

    loss, gradient = loss_and_gradient(0.5)
    other, other_gradient = loss_and_gradient(value)
    assert loss == other
    assert torch.equal(gradient, other_gradient)
    assert (gradient[labels == 0] == 0).all()


def test_au_loss_of_large_logits_is_finite():
    loss = masked_au_loss(torch.tensor([[200.0, -200.0]]), torch.tensor([[-1, 1]]))
    assert loss.item() == 400.0


def test_au_loss_without_labels_is_nought():
    logits = drawn(2, 3).requires_grad_()
    masked_au_loss(logits, torch.zeros(2, 3)).backward()
    assert (logits.grad == 0).all()


FINE, BASIC = torch.tensor([0, 2, 1]), torch.tensor([1, 0, 1])


def some_outputs():
    return Outputs(drawn(3, 2, 4, seed=6).requires_grad_(), drawn(3, 2, 2, seed=7).requires_grad_())


def parts_by_formula(outputs, config):
    fine = -np.log(softmax64(outputs.fine.detach().numpy())[np.arange(3), :, FINE.numpy()]).sum(1).mean()
    basic = -np.log(softmax64(outputs.basic.detach().numpy())[np.arange(3), :, BASIC.numpy()]).sum(1).mean()
    true = softmax64(outputs.fine.detach().numpy())[np.arange(3), :, FINE.numpy()]
    return fine, basic, np.maximum(0, true[:, 0] - true[:, 1] + config.margin).mean()


@pytest.mark.parametrize("alternate", [True, False])
@pytest.mark.parametrize("epoch", [0, 1, 2, 7])
def test_image_loss_takes_turns(alternate, epoch):
    config = ImageLossConfig(fine=0.5, basic=0.25, rank=2.0, margin=0.6, alternate=alternate)
    outputs = some_outputs()
    fine, basic, rank = parts_by_formula(outputs, config)
    total, parts = image_loss(outputs, FINE, BASIC, config, epoch=epoch)
    softmax_turn, rank_turn = (epoch % 2 == 0, epoch % 2 == 1) if alternate else (True, True)
    expected = softmax_turn * (0.5 * fine + 0.25 * basic) + rank_turn * 2.0 * rank
    assert total.item() == pytest.approx(expected, rel=1e-6)
    assert {name: part.item() for name, part in parts.items()} == pytest.approx(
        {"fine": fine, "basic": basic, "rank": rank}, rel=1e-6
    )
    assert not any(part.requires_grad for part in parts.values())


def test_image_loss_of_the_ranking_turn_leaves_the_upper_classes_alone():
    outputs = some_outputs()
    total, _ = image_loss(outputs, FINE, BASIC, ImageLossConfig(margin=2.0), epoch=1)
    total.backward()
    assert outputs.basic.grad is None
    assert (outputs.fine.grad[:, 0] == 0).all()


@pytest.mark.parametrize("epoch", [0, 1])
def test_a_turn_without_weight_is_left_out(epoch):
    config = ImageLossConfig(fine=1.0, basic=0.0, rank=0.0)
    outputs = Outputs(drawn(3, 1, 4), None)
    total, parts = image_loss(outputs, FINE, BASIC, config, epoch=epoch)
    assert set(parts) == {"fine"}
    assert total.item() == softmax_losses(outputs.fine, FINE).item()
    ranked, parts = image_loss(
        some_outputs(), FINE, BASIC, ImageLossConfig(fine=0, basic=0, rank=1, margin=2.0), epoch=epoch
    )
    assert set(parts) == {"rank"}
    assert ranked.item() == pytest.approx(parts["rank"].item())


def test_image_loss_without_weights_or_outputs_is_an_error():
    with pytest.raises(ConfigError, match="no loss has a weight"):
        image_loss(some_outputs(), FINE, BASIC, ImageLossConfig(fine=0, basic=0, rank=0), epoch=0)
    with pytest.raises(ConfigError, match="no outputs for the upper classes"):
        image_loss(Outputs(drawn(3, 2, 4), None), FINE, BASIC, ImageLossConfig(), epoch=0)


@pytest.mark.parametrize("scales", [2, 3])
def test_margin_met_counts_samples_whose_finer_scale_is_surer(scales):
    logits = drawn(200, scales, 5) * 2
    target = torch.arange(200) % 5
    probabilities = softmax64(logits.detach().numpy())
    met = [
        probabilities[row, scale + 1, row % 5] - probabilities[row, scale, row % 5] >= 0.05
        for row in range(200)
        for scale in range(scales - 1)
    ]
    actual = margin_met(logits.softmax(2), target, margin=0.05)
    assert not actual.requires_grad
    assert actual.item() == pytest.approx(np.mean(met), abs=1e-6)
    assert 0.1 < actual.item() < 0.9


def test_arcface_by_hand():
    # cos(60 deg) with a margin of 30 deg becomes cos(90 deg) = 0; the other class keeps its cosine.
    logits = arcface_logits(
        torch.tensor([[0.5, 0.25]]), torch.tensor([0]), scale=64.0, margin=float(np.pi / 6)
    )
    assert logits[0].tolist() == pytest.approx([0.0, 16.0], abs=1e-5)


def test_arcface_against_its_formula_and_falls_with_the_angle():
    angles = np.linspace(0.01, np.pi - 0.01, 60)
    cosines = torch.from_numpy(np.stack([np.cos(angles), np.zeros(60)], 1)).float()
    logits = arcface_logits(cosines, torch.zeros(60, dtype=torch.int64), scale=10.0, margin=0.5).numpy()
    inside = angles + 0.5 < np.pi
    np.testing.assert_allclose(logits[inside, 0], 10 * np.cos(angles[inside] + 0.5), atol=2e-5)
    outside = 10 * (np.cos(angles[~inside]) - 0.5 * np.sin(0.5))
    np.testing.assert_allclose(logits[~inside, 0], outside, atol=2e-5)
    assert (np.diff(logits[:, 0]) < 0).all()
    assert (logits[:, 1] == 0).all()


def test_arcface_has_finite_gradients_at_the_ends():
    cosines = torch.tensor([[1.0, 0.2], [-1.0, 0.1]], requires_grad=True)
    arcface_logits(cosines, torch.tensor([0, 0]), scale=64.0, margin=0.5).sum().backward()
    assert torch.isfinite(cosines.grad).all()

"""Optimisers against their formulas in numpy, schedules against literals."""

import numpy as np
import pytest
import torch
from torch import nn

from fgbench.config import OptimiserConfig
from fgbench.errors import ConfigError
from fgbench.training.optimisation import build_optimiser, gradient_norm, rate_factor, set_rate


def steps(config, groups, gradients):
    optimiser = build_optimiser(groups, config)
    for gradient in gradients:
        for group in optimiser.param_groups:
            for parameter in group["params"]:
                parameter.grad = torch.full_like(parameter, gradient)
        optimiser.step()


def test_sgd_has_momentum_and_weight_decay():
    config = OptimiserConfig(learning_rate=0.1, momentum=0.9, weight_decay=0.01)
    parameter = nn.Parameter(torch.tensor([2.0]))
    steps(config, [{"params": [parameter]}], [1.0, -0.5, 3.0])
    value, speed = 2.0, 0.0
    for gradient in (1.0, -0.5, 3.0):
        speed = 0.9 * speed + gradient + 0.01 * value
        value -= 0.1 * speed
    assert parameter.item() == pytest.approx(value, rel=1e-6)


def test_adamw_is_loshchilovs():
    config = OptimiserConfig(kind="adamw", learning_rate=0.1, weight_decay=0.2)
    parameter = nn.Parameter(torch.tensor([2.0]))
    steps(config, [{"params": [parameter]}], [1.0, -0.5, 3.0])
    value, first, second = 2.0, 0.0, 0.0
    for t, gradient in enumerate((1.0, -0.5, 3.0), 1):
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        value *= 1 - 0.1 * 0.2
        value -= 0.1 * (first / (1 - 0.9**t)) / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
    assert parameter.item() == pytest.approx(value, rel=1e-5)


def test_groups_keep_their_own_rate_and_frozen_parameters_are_left_out():
    config = OptimiserConfig(learning_rate=1e-4, momentum=0.0, weight_decay=0.0)
    slow, fast, frozen = (nn.Parameter(torch.zeros(1)) for _ in range(3))
    frozen.requires_grad_(False)
    optimiser = build_optimiser([{"params": [slow, frozen]}, {"params": [fast], "lr": 1e-3}], config)
    assert [len(group["params"]) for group in optimiser.param_groups] == [1, 1]
    assert set_rate(optimiser, 0.5) == pytest.approx(5e-5)
    assert [group["lr"] for group in optimiser.param_groups] == pytest.approx([5e-5, 5e-4])
    set_rate(optimiser, 1.0)
    assert [group["lr"] for group in optimiser.param_groups] == pytest.approx([1e-4, 1e-3])


def test_nothing_to_train_is_an_error():
    frozen = nn.Parameter(torch.zeros(1), requires_grad=False)
    with pytest.raises(ConfigError, match="no parameter"):
        build_optimiser([{"params": [frozen]}], OptimiserConfig())


def course(**settings):
    config = OptimiserConfig(**settings)
    return [
        rate_factor(config, epoch=epoch, step=step, steps=4)
        for epoch in range(config.epochs)
        for step in range(4)
    ]


def test_the_constant_schedule_is_constant():
    assert course(epochs=3) == [1.0] * 12


def test_the_cosine_falls_from_the_whole_rate_to_almost_nought():
    factors = course(epochs=2, schedule="cosine")
    expected = [0.5 * (1 + np.cos(np.pi * step / 8)) for step in range(8)]
    assert factors == pytest.approx(expected)
    assert factors[0] == 1.0
    assert factors[4] == pytest.approx(0.5)


def test_the_rate_rises_to_the_whole():
    assert course(epochs=2, warmup_epochs=1.0) == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1, 1, 1])
    warm = course(epochs=3, warmup_epochs=1.0, schedule="cosine")
    assert warm[:5] == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])
    assert warm[8] == pytest.approx(0.5)
    assert course(epochs=1, warmup_epochs=2.0, schedule="cosine") == pytest.approx([0.125, 0.25, 0.375, 0.5])
    assert course(epochs=1, warmup_epochs=1.0, schedule="cosine")[-1] == 1.0
    assert max(course(epochs=2, warmup_epochs=0.3, schedule="cosine")) <= 1.0


@pytest.mark.parametrize(("clip_norm", "factor"), [(0.0, 1.0), (10.0, 1.0), (2.5, 0.5)])
def test_gradients_are_clipped_together(clip_norm, factor):
    first, second, unused = (nn.Parameter(torch.zeros(1)) for _ in range(3))
    first.grad, second.grad = torch.tensor([3.0]), torch.tensor([-4.0])
    norm = gradient_norm([first, second, unused], clip_norm=clip_norm)
    assert norm.item() == pytest.approx(5.0)
    assert first.grad.item() == pytest.approx(3.0 * factor, rel=1e-5)
    assert second.grad.item() == pytest.approx(-4.0 * factor, rel=1e-5)

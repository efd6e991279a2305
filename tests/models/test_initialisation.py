"""First values of recurrent and three-dimensional layers; the others are tested with the trunk."""

import pytest
import torch
from torch import nn

from fgbench.models.initialisation import initialise


def drawn(module, seed=0):
    initialise(module, torch.Generator().manual_seed(seed))
    return module


def test_lstm():
    lstm = drawn(nn.LSTM(30, 50))
    for weight in (lstm.weight_ih_l0, lstm.weight_hh_l0):
        assert weight.abs().max() <= 50**-0.5
        assert abs(weight.std() - 50**-0.5 / 3**0.5) < 0.01 * 50**-0.5
    # Gates are input, forget, cell, output: in torch's equations their biases are b_ih + b_hh.
    assert torch.equal(
        (lstm.bias_ih_l0 + lstm.bias_hh_l0).reshape(4, 50).detach(),
        torch.tensor([0.0, 1.0, 0.0, 0.0])[:, None].expand(4, 50),
    )


def test_an_lstm_remembers_at_first():
    lstm = drawn(nn.LSTM(4, 4))
    state = torch.zeros(1, 1, 4), torch.ones(1, 1, 4)
    with torch.no_grad():
        lstm.weight_ih_l0.zero_()
        lstm.weight_hh_l0.zero_()
    _, (_, cell) = lstm(torch.zeros(1, 1, 4), state)
    torch.testing.assert_close(cell, torch.full((1, 1, 4), 0.7310586))  # 1 / (1 + exp(-1))


def test_volumes():
    module = drawn(nn.Sequential(nn.Conv3d(4, 64, 3), nn.BatchNorm3d(64)))
    assert abs(module[0].weight.std() - (2 / (4 * 27)) ** 0.5) < 0.005
    assert not module[0].bias.any()
    assert (module[1].weight == 1).all()
    assert not module[1].bias.any()


@pytest.mark.parametrize("make", [lambda: nn.LSTM(3, 4), lambda: nn.Conv3d(2, 3, 3)])
def test_values_follow_from_the_generator_alone(make):
    torch.manual_seed(1)
    one = drawn(make()).state_dict()
    torch.manual_seed(2)
    two, other = drawn(make()).state_dict(), drawn(make(), seed=1).state_dict()
    assert all(torch.equal(value, two[name]) for name, value in one.items())
    assert any(not torch.equal(value, other[name]) for name, value in one.items())

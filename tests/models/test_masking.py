"""Steps without padding, and back; the last state of an LSTM against a loop over clips."""

import pytest
import torch
from torch import nn

from fgbench.models.masking import features_of, last_state, put, take

MASK = torch.tensor(
    [[True, False, True, False], [True, True, True, True], [False] * 4, [False, True, False, False]]
)


def test_steps_go_and_come_back():
    steps = torch.arange(4 * 4 * 2 * 3.0).reshape(4, 4, 2, 3) + 1
    rows = take(steps, MASK)
    assert rows.shape == (7, 2, 3)
    assert torch.equal(rows[1], steps[0, 2])
    assert torch.equal(rows[6], steps[3, 1])
    back = put(rows, MASK)
    assert torch.equal(back[MASK], steps[MASK])
    assert not back[~MASK].any()
    assert put(rows[:0], torch.zeros(2, 3, dtype=torch.bool)).shape == (2, 3, 2, 3)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (torch.ones(2, 4), r"bool mask of shape \(2, 3\), got torch.float32 of shape \(2, 4\)"),
        (torch.ones(2, 3), r"got torch.float32"),
        (torch.ones(3, 2, dtype=torch.bool), r"got torch.bool of shape \(3, 2\)"),
    ],
)
def test_masks_that_do_not_fit_are_refused(mask, message):
    with pytest.raises(ValueError, match=message):
        take(torch.zeros(2, 3, 5), mask)


def test_a_backbone_sees_all_steps_at_once_and_no_padding():
    seen = []

    class Backbone(nn.Module):
        n_features = 5

        def forward(self, x):
            seen.append(x.clone())
            return x.sum((1, 2))[:, None].expand(-1, 5)

    steps = torch.rand(4, 4, 2, 3).masked_fill(~MASK[..., None, None], torch.nan)
    assert features_of(Backbone(), steps, MASK).shape == (7, 5)
    assert len(seen) == 1
    assert torch.equal(seen[0], steps[MASK])
    assert features_of(Backbone(), steps, torch.zeros_like(MASK)).shape == (0, 5)
    assert len(seen) == 1, "there is nothing to see"


def test_the_last_state_is_that_of_each_clip_alone():
    torch.manual_seed(0)
    lstm = nn.LSTM(3, 6, batch_first=True).double()
    steps = torch.randn(4, 4, 3, dtype=torch.float64)
    got = last_state(lstm, take(steps, MASK), MASK)
    assert got.shape == (4, 6)
    for clip in (0, 1, 3):
        _, (hidden, _) = lstm(steps[clip][MASK[clip]][None])
        torch.testing.assert_close(got[clip], hidden[0, 0], rtol=1e-12, atol=1e-12)
    assert not got[2].any()


@pytest.mark.parametrize("width", [0, 2])
def test_the_last_state_of_nothing_is_zero(width):
    lstm = nn.LSTM(3, 6, batch_first=True)
    got = last_state(lstm, torch.zeros(0, 3), torch.zeros(2, width, dtype=torch.bool))
    assert torch.equal(got, torch.zeros(2, 6))


@pytest.mark.parametrize("frozen", [False, True])
def test_a_backbone_without_a_step_has_gradients_of_0(frozen):
    backbone = nn.Linear(3, 2)
    backbone.n_features = 2
    backbone.bias.requires_grad_(not frozen)
    steps, mask = torch.rand(4, 5, 3), torch.zeros(4, 5, dtype=torch.bool)
    rows = features_of(backbone, steps, mask)
    assert rows.shape == (0, 2)
    put(rows, mask).sum().backward()
    assert (backbone.weight.grad == 0).all()
    assert backbone.bias.grad is None if frozen else (backbone.bias.grad == 0).all()
    with torch.no_grad():
        assert features_of(backbone, steps, mask).shape == (0, 2)

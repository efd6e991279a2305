"""Which negatives count, checked by counting."""

import numpy as np
import pytest

from fgbench.methods.action_units.labels import balanced_mask


def labels():
    drawn = np.random.default_rng(3).choice([-1, 0, 1], (500, 4), p=[0.8, 0.1, 0.1]).astype(np.int8)
    drawn[:, 2] = np.where(drawn[:, 2] == 1, -1, drawn[:, 2])  # never present
    drawn[:, 3] = 1  # always present
    return drawn


@pytest.mark.parametrize("ratio", [0.5, 2.0, 100.0])
def test_surplus_negatives_are_masked_and_nothing_else(ratio):
    given = labels()
    kept = given.copy()
    actual = balanced_mask(given, ratio, seed=1, epoch=0)
    np.testing.assert_array_equal(given, kept)
    assert actual.dtype == np.int8
    changed = actual != given
    assert (given[changed] == -1).all()
    assert (actual[changed] == 0).all()
    for unit in range(4):
        positives, negatives = (int((given[:, unit] == sign).sum()) for sign in (1, -1))
        assert (actual[:, unit] == 1).sum() == positives
        assert (actual[:, unit] == -1).sum() == min(negatives, int(positives * ratio))


def test_a_ratio_of_0_keeps_all():
    np.testing.assert_array_equal(balanced_mask(labels(), 0, seed=1, epoch=0), labels())


def test_other_negatives_count_in_other_epochs_and_all_do_some_time():
    first, again, other = (balanced_mask(labels(), 2, seed=1, epoch=epoch) for epoch in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first != balanced_mask(labels(), 2, seed=2, epoch=0)).any()
    ever = np.any([balanced_mask(labels(), 2, seed=1, epoch=epoch) == -1 for epoch in range(60)], axis=0)
    np.testing.assert_array_equal(ever[:, 0], labels()[:, 0] == -1)

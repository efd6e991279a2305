"""Cross-entropy of probabilities against shares of votes, by scipy."""

import numpy as np
import pytest
from scipy.stats import entropy

from fgbench.evaluation.vote_entropy import LEAST_PROBABILITY, vote_entropy


def drawn(seed, n=20, n_classes=5):
    random = np.random.default_rng(seed)
    shares = random.multinomial(5, np.full(n_classes, 1 / n_classes), size=n) / 5
    return shares, random.dirichlet(np.ones(n_classes), size=n)


def test_it_is_entropy_plus_divergence():
    """Samples without votes or without a prediction are left out."""
    shares, probabilities = drawn(0)
    shares[3], probabilities[4] = np.nan, np.nan
    kept = [row for row in range(20) if row not in (3, 4)]
    actual = vote_entropy(shares, probabilities)
    own = entropy(shares[kept], axis=1)
    assert actual.n == 18
    assert actual.lower == pytest.approx(own.mean())
    assert actual.cross == pytest.approx((own + entropy(shares[kept], probabilities[kept], axis=1)).mean())


def test_the_votes_themselves_reach_the_lower_bound():
    shares, _ = drawn(1)
    actual = vote_entropy(shares, shares)
    assert actual.cross == pytest.approx(actual.lower, abs=1e-12)


def test_a_certain_error_is_finite():
    actual = vote_entropy(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]], np.float32))
    assert actual.cross == pytest.approx(-np.log(LEAST_PROBABILITY))
    assert actual.lower == 0


def test_without_any_sample_with_both_there_is_none():
    shares, probabilities = drawn(2)
    assert vote_entropy(np.full(shares.shape, np.nan), probabilities) is None
    assert vote_entropy(shares[:0], probabilities[:0]) is None
    with pytest.raises(ValueError, match="expected one shape"):
        vote_entropy(shares[:, :3], probabilities)

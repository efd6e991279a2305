"""Rule ``dawid-skene``: the most probable label where each annotator has a confusion matrix.

Dawid and Skene, Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm, Applied
Statistics 28 (1979), 20-28; begun from the shares of the votes. Not stated in the paper.

EM is two products with one sparse matrix (labels that annotators gave, by clip), so that 100,000 clips of
five votes take seconds; the package crowd-kit, which the other models are taken from, joins tables for it.
Sums are exact, so that labels with as many reasons stay a tie, whatever clips, annotators and labels are
called.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from fgbench.preparation.settling._exact_sums import exact_sums
from fgbench.preparation.settling._limits import check_size
from fgbench.preparation.settling._rule import Floats, Indices, LatestVotes, Rule

_LARGEST = 100_000_000
"""Votes times labels, e.g. 600,000 clips of five votes for 33 labels; chosen for 2 GB."""
_ROUNDS = 500
_GAIN = 1e-7
"""EM ends where a round raises the mean log-likelihood of a vote by less."""
_LEAST = 1e-10
"""Least share of a class, and least of the votes of an annotator that are counted for a label."""


def _fit(votes: LatestVotes) -> Floats:
    check_size("dawid-skene", votes, _LARGEST)
    return fitted(votes)


def fitted(votes: LatestVotes, *, rounds: int = _ROUNDS, gain: float = _GAIN) -> Floats:
    """Probability of each label for each clip, (N, C) float64; rows add up to 1.

    Args:
        votes: The votes; every clip has one.
        rounds: Most rounds of EM.
        gain: Least rise of the mean log-likelihood of a vote by a round; a round that raises it less is the
            last one.
    """
    from scipy import sparse

    n_clips, n_labels = len(votes.clip_ids), len(votes.labels)
    given, kind = np.unique(votes.annotator * n_labels + votes.label, return_inverse=True)
    first: Indices = np.flatnonzero(np.diff(given // n_labels, prepend=-1))
    sizes = np.diff(first, append=len(given))
    ones = np.ones(len(kind))
    by_clip = sparse.csr_array((ones, (votes.clip, kind)), shape=(n_clips, len(given)))
    by_kind = by_clip.T.tocsr()
    most_of_kind, most_of_clip = int(np.bincount(kind).max()), int(np.bincount(votes.clip).max())

    estimate: Floats = sparse.csr_array(
        (ones, (votes.clip, votes.label)), shape=(n_clips, n_labels)
    ).toarray()
    estimate /= estimate.sum(axis=1, keepdims=True)
    before = -np.inf
    for _ in range(rounds):
        shares = exact_sums(_over_clips, estimate, n_clips, keeps_small=True) / n_clips
        errors: Floats = exact_sums(by_kind.__matmul__, estimate, most_of_kind, keeps_small=True)
        np.maximum(errors, _LEAST, out=errors)
        totals = exact_sums(
            partial(np.add.reduceat, indices=first), errors, n_labels, largest=most_of_kind, keeps_small=True
        )
        errors /= np.repeat(totals, sizes, axis=0)
        np.log(errors, out=errors)
        del estimate  # as large as the next one
        estimate = exact_sums(by_clip.__matmul__, errors, most_of_clip, largest=_largest(errors))
        estimate += np.log(np.maximum(shares, _LEAST))
        top = estimate.max(axis=1, keepdims=True)
        estimate -= top
        np.exp(estimate, out=estimate)
        total = exact_sums(_over_labels, estimate, n_labels)
        estimate /= total
        logs = top + np.log(total)
        likelihood = float(exact_sums(_over_clips, logs, n_clips, largest=_largest(logs))[0]) / len(kind)
        if likelihood - before < gain:
            break
        before = likelihood
    return estimate


def _over_clips(terms: Floats) -> Floats:
    return np.asarray(terms.sum(axis=0))


def _over_labels(terms: Floats) -> Floats:
    return np.asarray(terms.sum(axis=1, keepdims=True))


def _largest(terms: Floats) -> float:
    """Bound of terms, whatever their signs."""
    return max(1.0, float(np.abs(terms).max()))


RULE = Rule(
    version=3,
    about="if it is the most probable by the model of Dawid and Skene (1979; a confusion matrix of each "
    "annotator), fitted to the latest votes on all clips, with a probability of at least {min_certainty:g}",
    fit=_fit,
)

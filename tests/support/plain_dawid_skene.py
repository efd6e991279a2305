"""Dawid and Skene's EM written out in NumPy, and the example of their paper."""

from __future__ import annotations

import numpy as np

EXAMPLE = """\
1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343 1111111
2223212 1211111 1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111
2322222 1111111 1111111 1121121 1111111 3333233 1111111 2222222 2223232 4334343 2212232 2323233 3333432
1111111 1111111 1212111 2322222 1211111 2222222
"""
"""Patients by five anaesthetists, in four classes (Dawid and Skene 1979, table 1); the first one judged three
times."""
EXAMPLE_RATERS = (0, 0, 0, 1, 2, 3, 4)
EXAMPLE_SHARES = (0.40, 0.42, 0.11, 0.07)
"""Shares of the classes that the paper gives (table 2)."""


def probabilities(item, rater, label, n_rounds=500):
    """Probability of each label for each item, (N, C), begun from the shares of the votes.

    Args:
        item: (V,) item of each vote, from 0.
        rater: (V,) rater.
        label: (V,) label.
        n_rounds: Rounds of EM.
    """
    n_items, n_raters, n_labels = (int(max(column)) + 1 for column in (item, rater, label))
    given = np.zeros((n_items, n_raters, n_labels))
    for which in zip(item, rater, label, strict=True):
        given[which] += 1
    estimate = given.sum(axis=1) / given.sum(axis=(1, 2))[:, None]
    for _ in range(n_rounds):
        shares = estimate.mean(axis=0)
        errors = np.einsum("it,irl->rtl", estimate, given)
        errors = np.maximum(errors, 1e-10)
        errors /= errors.sum(axis=2, keepdims=True)
        log = np.log(np.maximum(shares, 1e-10)) + np.einsum("irl,rtl->it", given, np.log(errors))
        estimate = np.exp(log - log.max(axis=1, keepdims=True))
        estimate /= estimate.sum(axis=1, keepdims=True)
    return estimate

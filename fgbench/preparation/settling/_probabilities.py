"""Choices by the probabilities that a model gives the labels of clips."""

from __future__ import annotations

import math

import numpy as np

from fgbench.preparation.settling._rule import Choice, Floats, LatestVotes, Rule

TIE = 1e-6
"""Probabilities that differ by less count as equal: no label is chosen of two, and one with the least
certainty stands."""
_DECIMALS = 2
"""Decimals of probabilities in details, so that a new vote elsewhere changes few of them."""

NO_VOTES = Choice(None, "none of the votes is for a class")
"""Choice of clips without a vote for a class."""


def fitted_choices(rule: Rule, votes: LatestVotes, min_certainty: float) -> dict[str, Choice]:
    """Clip to the choice of a rule with a model, for all clips with a vote for a class.

    Where all votes are for one label there is nothing to estimate: it stands.

    Args:
        rule: A rule with :attr:`~fgbench.preparation.settling.Rule.fit`.
        votes: Votes on all clips.
        min_certainty: Least probability of a label that stands.

    Raises:
        ConfigError: If there are more votes than the rule can be computed for.
        DependencyError: If the rule needs a package that is not installed.
    """
    assert rule.fit is not None
    if len(votes.labels) < 2:
        return dict.fromkeys(votes.clip_ids, Choice(votes.labels[0])) if votes.labels else {}
    probabilities = rule.fit(votes)
    top = probabilities.max(axis=1)
    n_best = (probabilities >= top[:, None] - TIE).sum(axis=1)
    first = probabilities.argmax(axis=1)
    stands = np.isfinite(probabilities).all(axis=1) & (n_best == 1) & (top >= min_certainty - TIE)
    standing = [Choice(label) for label in votes.labels]
    return {
        clip_id: standing[first[at]]
        if stands[at]
        else _choice(probabilities[at], votes.labels, min_certainty)
        for at, clip_id in enumerate(votes.clip_ids)
    }


def _choice(row: Floats, labels: tuple[str, ...], min_certainty: float) -> Choice:
    if not np.isfinite(row).all():
        return Choice(None, "the model gives no probability")
    top = float(row.max())
    best = [labels[index] for index in np.flatnonzero(row >= top - TIE)]
    certainty = f"{round(top, _DECIMALS):.{_DECIMALS}f}"
    if len(best) > 1:
        return Choice(None, f"a tie of {', '.join(best)}, certainty {certainty} each")
    if top < min_certainty - TIE:
        least = 10**_DECIMALS
        below = math.floor((top + TIE) * least) / least  # not told as the one that it is below
        return Choice(best[0], f"certainty of {best[0]} {below:.{_DECIMALS}f}, {min_certainty:.2f} needed")
    return Choice(best[0])

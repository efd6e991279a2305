"""Rule ``dawid-skene``: the most probable label where each annotator has a confusion matrix.

Dawid and Skene, Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm, Applied
Statistics 28 (1979), 20-28; as crowd-kit computes it, begun from the shares of the votes. Not stated in the
paper.
"""

from __future__ import annotations

from fgbench.preparation.settling._crowd_kit import fitted
from fgbench.preparation.settling._rule import Floats, LatestVotes, Rule

_LARGEST = 20_000_000
"""Votes times labels, e.g. 120,000 clips of five votes for 33 labels; chosen to stay below 1.5 GB."""


def _fit(votes: LatestVotes) -> Floats:
    return fitted("dawid-skene", "DawidSkene", votes, largest=_LARGEST, n_iter=100, tol=1e-5)


RULE = Rule(
    version=1,
    about="if it is the most probable by the model of Dawid and Skene (1979; a confusion matrix of each "
    "annotator), fitted to the latest votes on all clips, with a probability of at least {min_certainty:g}",
    fit=_fit,
)

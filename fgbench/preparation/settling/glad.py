"""Rule ``glad``: the most probable label where annotators differ in skill and clips in difficulty.

Whitehill et al., Whose Vote Should Count More, NIPS 2009; as crowd-kit computes it. Not stated in the paper.
"""

from __future__ import annotations

from fgbench.preparation.settling._crowd_kit import fitted
from fgbench.preparation.settling._rule import Floats, LatestVotes, Rule

_LARGEST = 1_000_000
"""Votes times labels, e.g. 6,000 clips of five votes for 33 labels; chosen for a minute or two."""


def _fit(votes: LatestVotes) -> Floats:
    return fitted("glad", "GLAD", votes, largest=_LARGEST, n_iter=10, m_step_max_iter=5)


RULE = Rule(
    version=2,
    about="if it is the most probable by the model GLAD (Whitehill et al., 2009; skill of annotators, "
    "difficulty of clips), fitted to the latest votes on all clips, with a probability of at least "
    "{min_certainty:g}",
    fit=_fit,
    needs_crowd_kit=True,
)

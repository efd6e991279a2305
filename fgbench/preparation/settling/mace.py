"""Rule ``mace``: the most probable label where an annotator either knows it or guesses in a way of their own.

Hovy et al., Learning Whom to Trust with MACE, NAACL-HLT 2013; as crowd-kit computes it (variational Bayes).
Starts are drawn from one generator of a fixed seed: with a number for a seed all starts of crowd-kit are the
same. Not stated in the paper.
"""

from __future__ import annotations

import numpy as np

from fgbench.preparation.settling._crowd_kit import fitted
from fgbench.preparation.settling._rule import Floats, LatestVotes, Rule

_LARGEST = 4_000_000
"""Votes times labels, e.g. 24,000 clips of five votes for 33 labels; chosen for a minute or two."""
_STARTS = 3
_ITERATIONS = 20
_SEED = 0


def _fit(votes: LatestVotes) -> Floats:
    generator = np.random.default_rng(_SEED)
    return fitted(
        "mace",
        "MACE",
        votes,
        largest=_LARGEST,
        n_restarts=_STARTS,
        n_iter=_ITERATIONS,
        random_state=generator,
    )


RULE = Rule(
    version=2,
    about="if it is the most probable by the model MACE (Hovy et al., 2013; an annotator knows the label or "
    "guesses), fitted to the latest votes on all clips, with a probability of at least {min_certainty:g}",
    fit=_fit,
    needs_crowd_kit=True,
)

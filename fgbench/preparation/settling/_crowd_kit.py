"""Models of the package crowd-kit, fitted to votes: input made, output put in order, size bounded.

The package is imported when a model is fitted: that takes seconds.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from fgbench.errors import package_missing
from fgbench.preparation.settling._limits import check_size
from fgbench.preparation.settling._rule import Floats, LatestVotes


def require_library(rule: str) -> None:
    """Do nothing where crowd-kit is installed; does not import it.

    Args:
        rule: Name of the rule that needs it.

    Raises:
        DependencyError: If it is not installed.
    """
    from importlib.util import find_spec

    if find_spec("crowdkit") is None:
        raise package_missing(f"votes settled by {rule} need", "crowd-kit", extra="votes")


def fitted(rule: str, model: str, votes: LatestVotes, *, largest: int, **settings: Any) -> Floats:
    """Probability of each label for each clip, (N, C), by a model of crowd-kit; NaN where it has none.

    Annotators and labels are numbered in the order in which they come, which crowd-kit 1.4 assumes: MACE
    mixes up their parameters otherwise. The votes come sorted, so that their order in a file changes nothing.

    Args:
        rule: Name of the rule, for messages.
        model: Class of ``crowdkit.aggregation``.
        votes: The votes.
        largest: Most votes times labels that the model is fitted to, which bounds its time and memory.
        settings: Arguments of the class.

    Raises:
        ConfigError: If there are more votes times labels.
        DependencyError: If crowd-kit is not installed.
    """
    check_size(rule, votes, largest)
    require_library(rule)
    import pandas as pd
    from crowdkit import aggregation

    annotator, _ = pd.factorize(votes.annotator)
    label, came = pd.factorize(votes.label)
    data = pd.DataFrame({"task": votes.clip, "worker": annotator, "label": label})
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # notes on deprecations of pandas
        estimated = getattr(aggregation, model)(**settings).fit_predict_proba(data)
    probabilities = np.full((len(votes.clip_ids), len(votes.labels)), np.nan)
    rows = estimated.index.to_numpy()
    probabilities[rows[:, None], came[estimated.columns.to_numpy(np.int64)]] = estimated.to_numpy(np.float64)
    return probabilities

"""Cross-entropy of the probabilities of runs against the annotators' votes, in nats.

Reads ``clips.parquet`` of the manifests. Not stated in the paper, whose labels are hard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.evaluation.vote_entropy import VoteEntropy, vote_entropy
from fgbench.naming import counted
from fgbench.reports.accuracies import over_seeds
from fgbench.reports.comparison.contenders import Contender
from fgbench.reports.rendering.render import text
from fgbench.reports.rendering.table import Cell
from fgbench.runs.predictions import Predictions
from fgbench.runs.soft_labels import SoftLabels, read_soft_labels, shares_of
from fgbench.workfolders.layout import MANIFESTS

CROSS = "cross-entropy against votes"
"""Name of the measure in tables."""
LOWER = "entropy of the votes"
"""Name of its lower bound."""

_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEntropy:
    """Cross-entropy of a run against the votes, over its seeds.

    Attributes:
        cross: The cross-entropy.
        lower: Its least possible value, the entropy of the votes on the same samples.
        n: Samples with a prediction and votes that are all for classes of the run, of the first seed.
    """

    cross: Cell
    lower: Cell
    n: int


def run_entropies(runs: Sequence[Contender]) -> list[RunEntropy] | None:
    """Cross-entropy of runs of the same samples, on those with votes that all of them predict.

    ``None`` where there is no such sample.

    Args:
        runs: At least one; of several, each with the same samples in the same order.

    Raises:
        ManifestError: If manifests are damaged.
    """
    soft = read_soft_labels(runs[0].workdir / MANIFESTS)
    if not soft:
        return None
    together = np.logical_and.reduce([_predicted(seed) for one in runs for seed in one.seeds])
    found = []
    for one in runs:
        each = [_entropy(seed, soft, together) for seed in one.seeds]
        kept = [entropy for entropy in each if entropy is not None]
        if len(kept) < len(each):
            return None
        found.append(
            RunEntropy(
                cross=over_seeds([entropy.cross for entropy in kept]),
                lower=kept[0].lower,
                n=kept[0].n,
            )
        )
    return found


def entropy_rows(one: Contender) -> tuple[list[list[Cell]], list[str]]:
    """Rows of the measures of a run, and a note on them; empty without votes."""
    found = run_entropies([one])
    if found is None:
        return [], []
    rows: list[list[Cell]] = [[CROSS, found[0].cross, None, None], [LOWER, found[0].lower, None, None]]
    return rows, [entropy_note(found)]


def entropy_note(found: Sequence[RunEntropy]) -> str:
    """Sentence on the cross-entropy: its meaning, number of samples, and lower bound."""
    return (
        f"{CROSS.capitalize()}: mean over {counted(found[0].n, 'sample')} with a prediction and votes, all "
        "for classes of the run, in nats, of - sum of share of the votes times logarithm of the probability; "
        f"lower is better. Not below the entropy of the votes, {text(found[0].lower)}, which probabilities "
        "equal to their shares reach."
    )


def _predicted(seed: Predictions) -> _Flags:
    """(N,) whether each sample has probabilities."""
    named = np.array([one is not None for one in seed.predicted], bool)
    return np.asarray(named & np.isfinite(seed.probabilities).all(axis=1), np.bool_)


def _entropy(seed: Predictions, soft: SoftLabels, rows: _Flags) -> VoteEntropy | None:
    shares = shares_of(soft, seed.clip_ids, seed.classes)
    return vote_entropy(shares[rows], seed.probabilities[rows].astype(np.float64))

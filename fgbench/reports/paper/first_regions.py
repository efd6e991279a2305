"""First regions of MSAU-Net for pleasant and unpleasant expressions (paper section V-E)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fgbench.reports.accuracies import pooled
from fgbench.reports.experiment import Experiment
from fgbench.reports.experiments import NoRunError
from fgbench.reports.paper.methods import MSAU
from fgbench.reports.run.regions import PARTS, REGIONS, Region, first_cells, part_of, read_regions
from fgbench.runs.predictions import Predictions
from fgbench.taxonomy import leaf

VALENCES = ("pleasant", "unpleasant")


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """Predictions and regions of an experiment, of its first seed.

    Attributes:
        experiment: The experiment.
        folders: Folders of the runs.
        predictions: Predictions of all folds.
        regions: Sample id to regions by rank, of the samples with a prediction.
    """

    experiment: Experiment
    folders: Sequence[Path]
    predictions: Predictions
    regions: Mapping[str, list[Region]]

    def of_valence(self, valence: str) -> list[str]:
        """Samples with regions whose true class has a valence."""
        pairs = zip(self.predictions.sample_ids, self.predictions.labels, strict=True)
        return [name for name, label in pairs if name in self.regions and leaf(label).valence == valence]


def read_looked(experiments: Sequence[Experiment]) -> Looked:
    """Read predictions and regions of the first of some experiments that kept its regions.

    Raises:
        NoRunError: If none did.
        ManifestError: If a run is damaged.
    """
    for experiment in experiments:
        runs = experiment.of_seed(experiment.seeds[0])
        if experiment.is_whole and all((run.folder / REGIONS).is_file() for run in runs):
            return Looked(
                experiment=experiment,
                folders=[run.folder for run in runs],
                predictions=pooled([run.predictions() for run in runs]),
                regions={name: regions for run in runs for name, regions in read_regions(run.folder).items()},
            )
    names = ", ".join(experiment.name for experiment in experiments)
    raise NoRunError(f"no complete run of {names} has {REGIONS}", f"run: {MSAU.command} --force")


def cell_shares(looked: Looked, valence: str) -> npt.NDArray[np.float64]:
    """(6, 6) share of the faces of a valence whose first region is each cell; NaN without faces."""
    counts = first_cells(looked.regions, looked.of_valence(valence))
    return counts / counts.sum() if counts.any() else np.full(counts.shape, np.nan)


def part_shares(
    looked: Looked, landmarks: Mapping[str, npt.NDArray[np.float64]]
) -> dict[str, dict[str, float]]:
    """Valence to part of the face to share of the first regions nearest to it.

    For faces with landmarks; a valence without any is left out.
    """
    shares = {}
    for valence in VALENCES:
        names = [name for name in looked.of_valence(valence) if name in landmarks]
        if names:
            counts = Counter(part_of(looked.regions[name][0], landmarks[name]) for name in names)
            shares[valence] = {part: counts[part] / len(names) for part in PARTS}
    return shares


def part_notes(shares: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Sentences that compare the parts of the first regions with the paper's observation."""
    if set(shares) != set(VALENCES):
        return [
            "Which part of the face the first region lies at is not told: it needs pleasant and unpleasant "
            "faces with 68 landmarks."
        ]
    lines = [f"{valence} {_listed(shares[valence], PARTS)}" for valence in VALENCES]
    mouth = [shares[valence]["mouth"] for valence in VALENCES]
    above = [shares[valence]["brows"] + shares[valence]["eyes"] for valence in VALENCES]
    return [
        f"Part of the face nearest to the first region, of faces with 68 landmarks: {'; '.join(lines)}.",
        "The paper (section V-E) has the mouth usually first for pleasant expressions, eyes or brows for "
        f"unpleasant ones. Here the mouth is first for {mouth[0]:.0%} of pleasant and {mouth[1]:.0%} of "
        f"unpleasant faces, eyes or brows for {above[0]:.0%} and {above[1]:.0%}: the mouth is "
        f"{_compared(mouth[0], mouth[1])} often first for pleasant faces than for unpleasant ones, and eyes "
        f"or brows are {_compared(above[1], above[0])} often first for unpleasant than for pleasant ones.",
    ]


def _listed(shares: Mapping[str, float], parts: Collection[str]) -> str:
    return ", ".join(f"{part} {shares[part]:.0%}" for part in parts if shares[part] > 0)


def _compared(first: float, second: float) -> str:
    return "more" if first > second else "not more"

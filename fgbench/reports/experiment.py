"""Values of reports: a finished run; an experiment over folds and seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench.runs.predictions import Predictions
from fgbench.runs.results import verify
from fgbench.workfolders.layout import RUNS


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished run.

    Attributes:
        folder: Its folder.
        fold: Name of the fold.
        seed: Seed.
        result: Its ``result.json``.
    """

    folder: Path
    fold: str
    seed: int
    result: Mapping[str, Any]

    def predictions(self) -> Predictions:
        """Predictions of the run, checked to be those that its scores were computed from.

        Raises:
            ManifestError: If they are not, or are damaged.
        """
        return verify(self.folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """The finished runs of an experiment.

    Attributes:
        name: Name of the experiment.
        method: Its method of the paper.
        runs: Finished runs by seed, then by fold.
        missing: ``<fold>/<seed>`` of unfinished runs that other seeds or folds of the experiment imply: the
            experiment has no scores until they are finished.
        unfinished: Seeds without any finished run, which are left out.
        damaged: ``<fold>/<seed>`` of runs that are damaged and left out.
        of_others: ``<fold>/<seed>`` of runs of another protocol (parts beside folds, or other numbers of
            folds), which lie beside the others and are left out.
        is_mixed: Whether its seeds were tested on different samples; it then has no scores either.
    """

    name: str
    method: str
    runs: Sequence[Run]
    missing: Sequence[str]
    unfinished: Sequence[int]
    damaged: Sequence[str] = ()
    of_others: Sequence[str] = ()
    is_mixed: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether it has scores: no run is missing, and all seeds were tested on the same samples."""
        return not self.missing and not self.is_mixed

    @property
    def gap(self) -> str:
        """Reason why it has no scores and what to do, as the end of a sentence; empty if it has."""
        if self.missing:
            lost = ", ".join(f"{RUNS}/{self.name}/{gap}" for gap in self.missing)
            is_or_are = "is" if len(self.missing) == 1 else "are"
            return f"since {lost} {is_or_are} missing; finish it."
        if self.is_mixed:
            return (
                f"since the seeds of {RUNS}/{self.name} were tested on different samples; run them again on "
                "the manifests as they are now."
            )
        return ""

    @property
    def other_protocol(self) -> str:
        """Sentence on runs of another protocol; empty without any."""
        if not self.of_others:
            return ""
        left_out = ", ".join(f"{RUNS}/{self.name}/{key}" for key in self.of_others)
        return f"{left_out}: of another protocol than the others, and left out."

    @property
    def details(self) -> Mapping[str, Any]:
        """Details of the first run."""
        details: Mapping[str, Any] = self.runs[0].result["details"]
        return details

    @property
    def seeds(self) -> list[int]:
        """Seeds with finished runs."""
        return sorted({run.seed for run in self.runs})

    def of_seed(self, seed: int) -> list[Run]:
        """Runs of one seed, by fold."""
        return [run for run in self.runs if run.seed == seed]

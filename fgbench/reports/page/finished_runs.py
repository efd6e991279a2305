"""All finished runs of a work folder, of classes and of action units; a damaged run is listed, not fatal.

Reads ``runs/<experiment>/<fold>/<seed>/``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fgbench.errors import FgbenchError, ManifestError
from fgbench.files.hashing import digest_file
from fgbench.reports.experiment import Run
from fgbench.reports.freshness import Present, State, read_present
from fgbench.reports.page.extra_files import read_boxes, read_history, read_opinions, read_weights
from fgbench.reports.paper.methods import METHODS, PROGRESSIVE, Method
from fgbench.reports.unit_freshness import units_state
from fgbench.runs import unit_results as action_units
from fgbench.runs.digests import check_texts
from fgbench.runs.predictions import Predictions
from fgbench.runs.results import RESULT, read_result
from fgbench.workfolders.layout import RUNS


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRun:
    """A finished run that classifies.

    Attributes:
        experiment: Name of the experiment.
        run: The run.
        predictions: Its predictions, checked to be those that its scores were computed from.
        method: Its method of the paper; ``None`` if it has none, or does not state it.
        dataset: Name of the data set.
        synthetic: Whether the data are drawn.
        state: State of its data; ``None`` if there is nothing to compare with.
    """

    experiment: str
    run: Run
    predictions: Predictions
    method: Method | None
    dataset: str
    synthetic: bool
    state: State | None = None

    @property
    def key(self) -> str:
        """``<experiment>/<fold>/<seed>``."""
        return f"{self.experiment}/{self.run.fold}/{self.run.seed}"

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return self.run.seed

    @property
    def source(self) -> Literal["image", "video"]:
        """Whether its samples are images or whole clips."""
        same = list(self.predictions.sample_ids) == list(self.predictions.clip_ids)
        return "video" if same else "image"

    @property
    def is_from_elsewhere(self) -> bool:
        """Whether the network was trained on other data than these."""
        details = self.run.result["details"]
        transfer = details.get("transfer") or {}
        return "clips_trained_on" in details or transfer.get("kind") == "zero-shot"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRun:
    """A finished run that detects action units.

    Attributes:
        key: ``<experiment>/<fold>/<seed>``.
        folder: Its folder.
        result: Its ``au_result.json``.
        scores: Scores per unit, from its predictions.
        synthetic: Whether the data are drawn.
        state: See :class:`ClassRun`.
    """

    key: str
    folder: Path
    result: Mapping[str, Any]
    scores: Sequence[action_units.UnitScore]
    synthetic: bool
    state: State | None = None

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return int(self.folder.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderRuns:
    """Runs of a work folder.

    Attributes:
        runs: Runs of classes, by name, fold and seed.
        units: Runs of action units, likewise.
        faults: ``(key, fault)`` of unfinished and damaged runs; all files of a listed run can be read.
    """

    runs: Sequence[ClassRun]
    units: Sequence[UnitRun]
    faults: Sequence[tuple[str, str]]


def find_runs(workdir: Path, *, dataset: str, synthetic: bool) -> FolderRuns:
    """Find every run of a work folder.

    Args:
        workdir: Work folder.
        dataset: Name of its data set, for runs that do not state theirs.
        synthetic: Whether it is drawn, likewise.
    """
    runs, units, faults = [], [], []
    present = read_present(workdir)
    folders = [path for path in (workdir / RUNS).glob("*/*/*") if path.is_dir() and path.name.isdecimal()]
    for folder in sorted(folders, key=lambda path: (path.parts[-3], path.parts[-2], int(path.name))):
        key = "/".join(folder.parts[-3:])
        try:
            if (folder / RESULT).exists():
                runs.append(_class_run(folder, present, dataset=dataset, synthetic=synthetic))
            elif (folder / action_units.RESULT).exists():
                units.append(_unit_run(folder, key, present, synthetic=synthetic))
            else:
                faults.append((key, "not finished: it has no result"))
        except (FgbenchError, OSError, KeyError, TypeError, ValueError) as error:
            message = error.message if isinstance(error, FgbenchError) else f"damaged: {error!r}"
            faults.append((key, message))
    return FolderRuns(runs=runs, units=units, faults=faults)


def _class_run(folder: Path, present: Present | None, *, dataset: str, synthetic: bool) -> ClassRun:
    result = read_result(folder)
    run = Run(folder=folder, fold=folder.parent.name, seed=int(folder.name), result=result)
    predictions = run.predictions()
    read_history(folder)
    read_opinions(folder, predictions)
    read_boxes(folder, predictions)
    read_weights(folder)
    details = result["details"]
    experiment = folder.parent.parent.name
    return ClassRun(
        experiment=experiment,
        run=run,
        predictions=predictions,
        method=_method(experiment, details.get("method")),
        dataset=str(details.get("dataset", dataset)),
        synthetic=bool(details.get("synthetic", synthetic)),
        state=None if present is None else present.state(result, predictions, folder),
    )


def _unit_run(
    folder: Path,
    key: str,
    present: Present | None,
    *,
    synthetic: bool,
) -> UnitRun:
    result = action_units.read_au_result(folder)
    check_texts(folder, result, again="run the experiment again")
    read_history(folder)
    if digest_file(folder / action_units.PREDICTIONS) != result["predictions_sha256"]:
        raise ManifestError(
            f"{folder / action_units.PREDICTIONS} is not the file that {action_units.RESULT} tells of",
            "run the experiment again",
        )
    read = action_units.read_au_predictions(folder)
    return UnitRun(
        key=key,
        folder=folder,
        result=result,
        scores=action_units.unit_scores(read.labels, read.probabilities, read.units),
        synthetic=bool(result["details"].get("synthetic", synthetic)),
        state=units_state(folder, result, read, present),
    )


def _method(experiment: str, stated: str | None) -> Method | None:
    """Method that a run states; a conventional baseline may be implied by its name."""
    for method in (*METHODS, PROGRESSIVE):
        if method.name == stated or (
            stated is None and not method.is_ablation and method.recipe == experiment
        ):
            return method
    return None

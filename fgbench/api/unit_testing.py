"""Detectors of action units tested again: on the data that they were scored on, or on others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.notebook_lines import NotebookLines

if TYPE_CHECKING:
    from fgbench.runs.unit_results import AuPredictions
    from fgbench.runs.weights import Trained
    from fgbench.training.context import TrainingContext


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsEvaluated(NotebookLines):
    """A detector of action units that was tested again.

    Attributes:
        folder: Folder of the run that holds the scores.
        predictions: Labels and probabilities of the test frames.
        details: Details of the run.
        remarks: Lines on the data and the comparison.
        largest_difference: Largest difference from the predictions of the run; ``None`` on other data.
    """

    folder: Path
    predictions: AuPredictions
    details: Mapping[str, Any]
    remarks: tuple[str, ...]
    largest_difference: float | None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        from fgbench.runs.unit_results import mean_f1, unit_scores

        scores = unit_scores(self.predictions.labels, self.predictions.probabilities, self.predictions.units)
        return {
            "run": str(self.folder),
            "details": dict(self.details),
            "units": [asdict(score) for score in scores],
            "mean_f1": mean_f1(scores),
            "n": len(self.predictions.sample_ids),
            "largest_difference": self.largest_difference,
        }

    def lines(self, *, full: bool = False) -> list[str]:
        """Return lines of text: scores, in full of every unit, and the remarks."""
        from fgbench.api.finished import FULL
        from fgbench.reports.rendering.render import markdown
        from fgbench.reports.run.summary import unit_lines
        from fgbench.reports.run.unit_scores import scored_table

        table = scored_table(self.folder.parent.parent.name, [self.predictions], self.details)
        scores = [markdown(table)] if full else [*unit_lines(table), f"every unit: {FULL}"]
        return [*scores, f"run: {self.folder}", *self.remarks]


def units_again(trained: Trained, contexts: Sequence[TrainingContext]) -> UnitsEvaluated:
    """Return the scores of a detector on the data that it was scored on, predicted anew.

    Raises:
        ManifestError: If the run or the data are damaged.
    """
    from fgbench.inference.unit_test import evaluate_units
    from fgbench.reports.freshness import read_present, state_notes
    from fgbench.reports.unit_freshness import units_state
    from fgbench.runs.unit_results import read_au_result

    anew = evaluate_units(trained, contexts)
    folder = trained.path.parent
    result = read_au_result(folder)
    state = units_state(folder, result, anew.predictions, read_present(contexts[0].workdir))
    n, most = len(anew.predictions.sample_ids), anew.largest_difference
    outcome = f"differ from those of the run by up to {most:.1e}" if most else "are equal to those of the run"
    return UnitsEvaluated(
        folder=folder,
        predictions=anew.predictions,
        details=result["details"],
        remarks=(f"the predictions of {n} frames {outcome}", *state_notes([(trained.name, state)])),
        largest_difference=most,
    )


def units_elsewhere(trained: Trained, context: TrainingContext) -> UnitsEvaluated:
    """Return the scores of a detector on other data than it was scored on.

    Raises:
        DatasetError: If the data have no labels of action units.
        ManifestError: If they are damaged.
    """
    from fgbench.inference.origin_lines import origin_lines
    from fgbench.inference.unit_transfer import evaluate_units_elsewhere
    from fgbench.methods.steps.units import required_unit_data
    from fgbench.runs.unit_results import read_au_predictions, read_au_result

    data = required_unit_data(context, hint="evaluate on one that has them, e.g. BP4D or DISFA")
    folder = evaluate_units_elsewhere(trained, data)
    predictions, details = read_au_predictions(folder), read_au_result(folder)["details"]
    are_labelled = (predictions.labels != 0).any(0)
    bare = [unit for unit, is_there in zip(predictions.units, are_labelled, strict=True) if not is_there]
    lines = [f"not annotated here, so not scored: {', '.join(bare)}"] if bare else []
    return UnitsEvaluated(
        folder=folder,
        predictions=predictions,
        details=details,
        remarks=(*origin_lines(details), *lines),
        largest_difference=None,
    )

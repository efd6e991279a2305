"""Scores of a finished run as numbers by name, whatever it recognises."""

from __future__ import annotations

from pathlib import Path

from fgbench.runs.results import read_result
from fgbench.runs.unit_results import RESULT as UNIT_RESULT
from fgbench.runs.unit_results import read_au_result


def final_scores(folder: Path) -> dict[str, float]:
    """Return the scores of a run on the test part.

    Args:
        folder: Folder of the run, of classes or of action units.

    Returns:
        Of classes all measures that are numbers (``accuracy``, ``uar``, ...); of action units ``mean_f1`` and
        ``f1/<unit>`` of each that is present in the test part.

    Raises:
        ManifestError: If the run is not finished or damaged.
    """
    if (folder / UNIT_RESULT).exists():
        result = read_au_result(folder)
        scores = {"mean_f1": result["mean_f1"]}
        scores |= {"f1/" + unit["name"]: unit["f1"] for unit in result["units"]}
    else:
        scores = read_result(folder)["metrics"]
    return {name: value for name, value in scores.items() if isinstance(value, int | float)}

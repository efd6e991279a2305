"""The middle of a training: the engine runs, then one process writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fgbench.config import OptimiserConfig
from fgbench.training.context import Place
from fgbench.training.history import History
from fgbench.training.loop import fit
from fgbench.training.processes import write_once
from fgbench.training.task import Task


def fit_and_finish(
    task: Task,
    optimiser: OptimiserConfig,
    place: Place,
    folder: Path,
    *,
    fingerprint: str,
    finish: Callable[[History], object],
    measure: str = "UAR",
) -> None:
    """Train a task in a folder, continuing what was interrupted, and let the main process finish the run.

    Args:
        task: What is trained; its network is in evaluation mode when ``finish`` is called.
        optimiser: Section of the recipe.
        place: Where; ``force`` begins anew.
        folder: Folder of the run.
        fingerprint: Of all that decides what the training gives.
        finish: Predicts and writes; called in one of the processes that train together.
        measure: What the score on validation is called.

    Raises:
        ConfigError: If training diverges, or an unfinished run is that of another recipe.
        ResourceError: If memory or disk are full.
    """
    history = fit(
        task,
        optimiser,
        seed=place.seed,
        device=place.device,
        folder=folder,
        fingerprint=fingerprint,
        resume=place.resume,
        progress=place.progress,
        note=place.note,
        measure=measure,
    )
    task.model.eval()
    write_once(place.device, lambda: finish(history))

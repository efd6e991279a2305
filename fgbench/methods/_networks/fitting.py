"""Training of a task by all processes, after which one process writes the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fgbench.config import OptimiserConfig
from fgbench.runs.final_scores import final_scores
from fgbench.training.context import TrainingContext
from fgbench.training.history import History
from fgbench.training.loop import fit
from fgbench.training.processes import join_processes, write_once
from fgbench.training.task import Task
from fgbench.training.trackers import tracked


def fit_and_finish(
    task: Task,
    optimiser: OptimiserConfig,
    context: TrainingContext,
    folder: Path,
    *,
    fingerprint: str,
    settings: Mapping[str, Any],
    finish: Callable[[History], object],
    measure: str = "UAR",
) -> None:
    """Train a task in a folder, resuming an interrupted training, and let the main process finish the run.

    Args:
        task: Task to train; its network is in evaluation mode when ``finish`` is called.
        optimiser: Section of the recipe.
        context: Context of the run; ``force`` begins anew.
        folder: Folder of the run.
        fingerprint: Digest of everything that the training's result depends on.
        settings: The recipe as plain values, for trackers.
        finish: Predicts and writes; called in one of the processes that train together.
        measure: Name of the score on validation.

    Raises:
        ConfigError: If training diverges, or an unfinished run is that of another recipe.
        ResourceError: If memory or disk are full.
    """
    # Joined before trackers start: accelerate's need to know the processes.
    is_main = join_processes(context.device).main
    with tracked(
        context.trackers if is_main else (),
        settings,
        run="/".join(folder.parts[-3:]),
        facts={name: context.details[name] for name in ("dataset", "synthetic")} | {"seed": context.seed},
        note=context.note,
    ) as reported:
        history = fit(
            task,
            optimiser,
            seed=context.seed,
            device=context.device,
            folder=folder,
            fingerprint=fingerprint,
            resume=context.resume,
            progress=context.progress,
            note=context.note,
            measure=measure,
            ended=reported.epoch,
        )
        task.model.eval()
        write_once(context.device, lambda: finish(history))
        if reported.names:
            reported.scores(final_scores(folder), epochs=len(history.epochs))

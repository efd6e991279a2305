"""Baselines: plugins with their own recipe, in every fold and for every seed, their features first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Unpack

from fgbench import plugins
from fgbench.config import load_baseline, with_changes
from fgbench.methods.steps.contexts import How, each_run, open_training, open_work
from fgbench.runs.lock import is_first_process
from fgbench.runs.results import discard_run

if TYPE_CHECKING:
    from fgbench.runs.context import RunContext

KIND = "methods"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A baseline, ready to run.

    Attributes:
        name: Its name in commands.
        module: Its plugin.
        config: Its recipe.
    """

    name: str
    module: ModuleType
    config: Any

    @property
    def is_network(self) -> bool:
        """Whether it needs a device."""
        return hasattr(self.module, "DEVICE")


def read_baseline(name: str, recipe: str | None = None, changes: Sequence[str] = ()) -> Baseline:
    """Return a baseline by name, with a recipe.

    Args:
        name: Its name in commands.
        recipe: Packed recipe or file of one; ``None`` takes the baseline's own.
        changes: Settings of it to change, see :func:`fgbench.config.with_changes`.

    Raises:
        ConfigError: If there is no such baseline, or its recipe is not valid.
    """
    module = plugins.load(KIND, name)
    config = with_changes(load_baseline(name, module.RECIPE, recipe), changes)
    return Baseline(name=name, module=module, config=config)


def run_baseline(
    baseline: Baseline,
    workdir: Path | str,
    *,
    device: str | None = None,
    fold: str | None = None,
    seeds: int = 1,
    **how: Unpack[How],
) -> list[Path]:
    """Run a baseline in every fold and for every seed; existing runs are left as they are.

    Args:
        baseline: See :func:`read_baseline`.
        workdir: Work folder.
        device: This and what follows: see :class:`fgbench.methods.steps.contexts.Runs`; for networks only.

    Returns:
        Folders of the runs.

    Raises:
        FgbenchError: As the baseline raises, and :func:`fgbench.methods.steps.contexts.open_training`.
    """
    stages = baseline.module.NEEDS
    context: RunContext
    if baseline.is_network:
        context = open_training(workdir, device, stages=stages, **how)
    else:
        context = open_work(workdir, stages=stages, **how)
    return [_run_in(baseline, each) for each in each_run(context, fold=fold, seeds=seeds)]


def _run_in(baseline: Baseline, context: RunContext) -> Path:
    """Run one fold, unless it is finished."""
    name, config = baseline.name, baseline.config
    in_fold = f", fold {context.fold}" if context.division.n_folds else ""
    finished = context.finished(config.name, config.model_dump(mode="json"))
    if finished is not None:
        context.note(
            f"{name}, seed {context.seed}{in_fold}, is there already: {finished} (--force computes it anew)"
        )
        return finished
    context.note(f"{name} on {context.details['dataset']} in {context.workdir}{in_fold}")
    with context.hold(config.name):
        if context.force and is_first_process():
            discard_run(context.workdir, experiment=config.name, fold=context.fold, seed=context.seed)
        folder: Path = baseline.module.run(config, context)
    return folder

"""Baselines: plugins with their own recipe, in every fold and for every seed, their features first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Unpack

from fgbench import plugins
from fgbench.config import load_baseline
from fgbench.methods.steps.work import How, each_run, open_place, open_work
from fgbench.runs.lock import is_first_process
from fgbench.runs.results import discard_run

if TYPE_CHECKING:
    from fgbench.runs.context import RunPlace

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


def read_baseline(name: str, recipe: str | None = None) -> Baseline:
    """Return a baseline by name, with a recipe.

    Args:
        name: Its name in commands.
        recipe: Packed recipe or file of one; ``None`` takes the baseline's own.

    Raises:
        ConfigError: If there is no such baseline, or its recipe is not valid.
    """
    module = plugins.load(KIND, name)
    return Baseline(name=name, module=module, config=load_baseline(name, module.RECIPE, recipe))


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
        device: This and what follows: see :class:`fgbench.methods.steps.work.Runs`; for networks only.

    Returns:
        Folders of the runs.

    Raises:
        FgbenchError: As the baseline raises, and :func:`fgbench.methods.steps.work.open_place`.
    """
    stages = baseline.module.NEEDS
    place: RunPlace
    if baseline.is_network:
        place = open_place(workdir, device, stages=stages, **how)
    else:
        place = open_work(workdir, stages=stages, **how)
    return [_run_in(baseline, each) for each in each_run(place, fold=fold, seeds=seeds)]


def _run_in(baseline: Baseline, place: RunPlace) -> Path:
    """Run one fold, unless it is finished."""
    name, config = baseline.name, baseline.config
    in_fold = f", fold {place.fold}" if place.division.n_folds else ""
    finished = place.finished(config.name, config.model_dump(mode="json"))
    if finished is not None:
        place.note(
            f"{name}, seed {place.seed}{in_fold}, is there already: {finished} (--force computes it anew)"
        )
        return finished
    place.note(f"{name} on {place.details['dataset']} in {place.workdir}{in_fold}")
    with place.hold(config.name):
        if place.force and is_first_process():
            discard_run(place.workdir, experiment=config.name, fold=place.fold, seed=place.seed)
        folder: Path = baseline.module.run(config, place)
    return folder

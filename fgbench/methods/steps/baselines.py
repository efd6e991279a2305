"""Baselines: plugins with their own recipe, in every fold and for every seed, their features first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Unpack

from fgbench import plugins
from fgbench.config import load_baseline, with_changes
from fgbench.errors import ArgumentError, ConfigError
from fgbench.methods.steps.contexts import CommonOptions, each_run, open_training, open_work
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
        arguments: Further arguments of its ``run``, by name, where it has options of its own.
    """

    name: str
    module: ModuleType
    config: Any
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_network(self) -> bool:
        """Whether it needs a device."""
        return hasattr(self.module, "DEVICE")

    def stages(self) -> tuple[str, ...]:
        """Return the stages of features that it needs.

        Raises:
            ConfigError: If recipe and arguments do not go together.
        """
        if not hasattr(self.module, "needs"):
            return tuple(self.module.NEEDS)
        return tuple(self.module.needs(self.config, **self.arguments))


def check_options(name: str, options: Mapping[str, Any]) -> str | None:
    """Refuse values of a method's own options that do not go together.

    Args:
        name: Name of the method.
        options: Value by name.

    Returns:
        Name of the small recipe for them; ``None``, or the name of the method, for its own.

    Raises:
        ArgumentError: If they do not go together.
        DependencyError: If one that the method needs is not given.
    """
    module = plugins.load(KIND, name)
    if not hasattr(module, "check_options"):
        return None
    try:
        small: str | None = module.check_options(**options)
    except ConfigError as error:
        raise ArgumentError(error.message, error.hint, argument=next(iter(options))) from error
    return small


def read_baseline(
    name: str,
    recipe: str | None = None,
    changes: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
) -> Baseline:
    """Return a baseline by name, with a recipe.

    Args:
        name: Its name in commands.
        recipe: Packed recipe or file of one; ``None`` takes the baseline's own.
        changes: Settings of it to change, see :func:`fgbench.config.with_changes`.
        options: Values of the options of its own; those left out are ``None``. Flags are for its
            ``check_options`` alone, switches for its ``run`` too.

    Raises:
        ConfigError: If there is no such baseline, it has no such option, or its recipe is not valid or does
            not go with the options.
    """
    module = plugins.load(KIND, name)
    own = getattr(module, "OPTIONS", {})
    if unknown := [key for key, value in (options or {}).items() if key not in own and value is not None]:
        raise ConfigError(f"{name} takes no {', '.join(unknown)}", "leave it out")
    arguments = {key: (options or {}).get(key) for key, (kind, _) in own.items() if kind != "flag"}
    config = with_changes(load_baseline(name, module.RECIPE, recipe), changes)
    baseline = Baseline(name=name, module=module, config=config, arguments=arguments)
    baseline.stages()
    return baseline


def run_baseline(
    baseline: Baseline,
    workdir: Path | str,
    *,
    device: str | None = None,
    fold: str | None = None,
    seeds: int = 1,
    **how: Unpack[CommonOptions],
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
    stages = baseline.stages()
    context: RunContext
    if baseline.is_network:
        context = open_training(workdir, device, stages=stages, **how)
    else:
        context = open_work(workdir, stages=stages, **how)
    return [_run_in(baseline, each) for each in each_run(context, fold=fold, seeds=seeds)]


def _run_in(baseline: Baseline, context: RunContext) -> Path:
    """Run one fold, unless it is finished, which a method with arguments of its own decides itself."""
    name, config = baseline.name, baseline.config
    if baseline.arguments:
        context.note(f"recipe {config.name} on {context.details['dataset']} in {context.workdir}")
        started: Path = baseline.module.run(config, context, **baseline.arguments)
        return started
    in_fold = f", fold {context.fold}" if context.division.n_folds else ""
    finished = context.finished(config.name, config.model_dump(mode="json"))
    if finished is not None:
        context.note(
            f"{name}, seed {context.seed}{in_fold}, is there already: {finished} (force computes it anew)"
        )
        return finished
    context.note(f"{name} on {context.details['dataset']} in {context.workdir}{in_fold}")
    with context.hold(config.name):
        if context.force and is_first_process():
            discard_run(context.workdir, experiment=config.name, fold=context.fold, seed=context.seed)
        folder: Path = baseline.module.run(config, context)
    return folder

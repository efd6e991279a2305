"""Baselines: the recipe that is meant, and the run itself, see :mod:`fgbench.api.training`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.api.training import Training, default_recipe

if TYPE_CHECKING:
    from fgbench.methods.steps.contexts import Runs


def recipe_baseline(
    name: str,
    workdir: Path,
    *,
    recipe: str | None = None,
    changes: Sequence[str] = (),
    image_run: str | None = None,
    weights: Path | None = None,
    device: str | None = None,
) -> Training:
    """Return the training of a baseline that is a recipe of MSAU-Net or TMSAU-Net.

    Args:
        name: One of :func:`fgbench.api.method_list.recipe_methods`.
        workdir: Work folder.
        recipe: This and what follows: as of :func:`fgbench.api.training.tmsau`.

    Raises:
        ConfigError: If the recipe or a change is not valid, or makes another network of it.
    """
    from fgbench.catalogue.recipe_baselines import RECIPE_BASELINES
    from fgbench.config import TrainClipConfig, TrainImageConfig, load_training, with_changes

    baseline = RECIPE_BASELINES[name]
    settings = recipe or default_recipe(name, workdir, device)
    model: type[TrainImageConfig | TrainClipConfig]
    model = TrainImageConfig if baseline.train == "msau" else TrainClipConfig
    config = with_changes(load_training(settings, model), changes)
    baseline.check(config)

    def run(how: Runs) -> list[Path]:
        from fgbench.methods.steps.clips import train_clips
        from fgbench.methods.steps.images import train_images

        if isinstance(config, TrainImageConfig):
            return train_images(config, workdir, **how)
        return train_clips(config, workdir, image_run=image_run, weights=weights, **how)

    return Training(workdirs=(workdir,), device=device, on_device=True, _run=run)


def baseline(
    name: str,
    workdir: Path,
    *,
    recipe: str | None = None,
    changes: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    device: str | None = None,
) -> Training:
    """Return a baseline of a module of its own, of fgbench or of another package.

    Args:
        name: Its name, e.g. ``"lbp-svm"``.
        workdir: Work folder.
        recipe: Packed recipe or file; ``None``: the baseline's own.
        changes: As of :func:`fgbench.api.training.units`.
        options: Values of the options of its own, see :class:`fgbench.api.method_list.Method`.
        device: As of :func:`fgbench.api.training.units`.

    Raises:
        ArgumentError: If options of its own do not go together.
        ConfigError: If there is no such baseline, or its recipe or a change is not valid.
        DependencyError: If an option that it needs is not given.
    """
    from fgbench.methods.steps.baselines import check_options, read_baseline, run_baseline

    if options:
        small = check_options(name, options)
        if small is not None and small != name:
            recipe = recipe or default_recipe(name, workdir, device, small=small)
    read = read_baseline(name, recipe, changes, options)
    return Training(
        workdirs=(workdir,),
        device=device,
        on_device=read.is_network,
        _run=lambda how: run_baseline(read, workdir, **how),
    )

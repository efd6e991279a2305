"""Any method by the name that a user types: its recipe read, what it is made of first, then every fold and
seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

from fgbench import plugins
from fgbench.catalogue.recipe_baselines import RECIPE_BASELINES
from fgbench.config import (
    TrainAuConfig,
    TrainClipConfig,
    TrainImageConfig,
    load_training,
    recipe_names,
    with_changes,
)
from fgbench.methods.steps.contexts import Runs
from fgbench.methods.steps.mistaken_names import no_method

UNITS = "au"


def method_names() -> list[str]:
    """Return the names of all methods, those of other packages too, sorted."""
    recipes = recipe_names("train")
    trained = {
        name
        for name in recipes
        if f"{name}-small" in recipes
        and not any(name.startswith(f"{baseline}-") for baseline in RECIPE_BASELINES)
    }
    baselines = {name.replace("_", "-") for name in plugins.names("methods")}
    return sorted({*trained, *RECIPE_BASELINES, *baselines})


def has_small(method: str) -> bool:
    """Return whether a method has a small recipe beside the paper's, for machines without GPU."""
    return any(f"{method}-small" in recipe_names(kind) for kind in ("train", "baseline"))


def run_method(
    method: str,
    workdir: Path | str,
    *,
    recipe: str | None = None,
    weights: Path | None = None,
    changes: Sequence[str] = (),
    **runs: Unpack[Runs],
) -> list[Path]:
    """Run a method in every fold and for every seed; networks and features that it is made of are made first.

    Args:
        method: Its name, e.g. ``"msau"``, ``"tmsau-vgg-lstm"``, ``"au"``, ``"plain-cnn"``, ``"lbp-svm"``.
        workdir: Work folder.
        recipe: Packed recipe of that method, or path of a YAML file; ``None``: the paper's, which has its
            name.
        weights: To start from, for methods that take any.
        changes: Settings of the recipe to change, see :func:`fgbench.config.with_changes`.
        runs: See :class:`fgbench.methods.steps.contexts.Runs`.

    Returns:
        Folders of the runs.

    Raises:
        ConfigError: If there is no such method, or its recipe is of another one or not valid.
        FgbenchError: As the method raises, and :func:`fgbench.methods.steps.contexts.open_training`.
    """
    methods = method_names()
    if method.replace("_", "-") not in methods:
        raise no_method(method, methods)
    method = method.replace("_", "-")
    if method == UNITS:
        from fgbench.methods.steps.units import train_units

        units = with_changes(load_training(recipe or method, TrainAuConfig), changes)
        seeds = train_units(units, workdir, **_of_units(runs))
        return [folder for of_seed in seeds for folder in of_seed]
    if method in RECIPE_BASELINES or method in recipe_names("train"):
        return _trained(method, recipe or method, changes, workdir, weights, runs)
    from fgbench.methods.steps.baselines import read_baseline, run_baseline

    own = {key: value for key, value in runs.items() if key != "device"}
    baseline = read_baseline(method, recipe, changes, {"weights": weights})
    return run_baseline(baseline, workdir, **(runs if baseline.is_network else own))


def _trained(
    method: str,
    recipe: str,
    changes: Sequence[str],
    workdir: Path | str,
    weights: Path | None,
    runs: Runs,
) -> list[Path]:
    from fgbench.methods.steps.clips import train_clips
    from fgbench.methods.steps.images import train_images

    baseline = RECIPE_BASELINES.get(method)
    is_of_clips = baseline.train == "tmsau" if baseline else method.startswith("tmsau")
    if is_of_clips:
        clips = with_changes(load_training(recipe, TrainClipConfig), changes)
        if baseline:
            baseline.check(clips)
        return train_clips(clips, workdir, weights=weights, **runs)
    images = with_changes(load_training(recipe, TrainImageConfig), changes)
    if baseline:
        baseline.check(images)
    return train_images(images, workdir, au_weights=weights, **runs)


def _of_units(runs: Runs) -> Any:
    """Return the arguments that the training of action units takes: no file of folds."""
    return {key: value for key, value in runs.items() if key != "fold_file"}

"""Baselines: the recipe that is meant, and the run itself, see :mod:`fgbench.api.training`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.api.training import Training, default_recipe
from fgbench.errors import ArgumentError

if TYPE_CHECKING:
    from fgbench.methods.steps.work import Runs


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
    from fgbench.config import TrainImageConfig, TrainVideoConfig, load_training, with_changes

    baseline = RECIPE_BASELINES[name]
    settings = recipe or default_recipe(name, workdir, device)
    model: type[TrainImageConfig | TrainVideoConfig]
    model = TrainImageConfig if baseline.train == "msau" else TrainVideoConfig
    config = with_changes(load_training(settings, model), changes)
    baseline.check(config)

    def run(how: Runs) -> list[Path]:
        from fgbench.methods.steps.clips import train_clips
        from fgbench.methods.steps.images import train_images

        if isinstance(config, TrainImageConfig):
            return train_images(config, workdir, **how)
        return train_clips(config, workdir, image_run=image_run, weights=weights, **how)

    return Training(workdirs=(workdir,), device=device, on_device=True, _run=run)


def insightface(
    workdir: Path,
    *,
    weights: Path | None = None,
    from_scratch: bool = False,
    recipe: str | None = None,
    changes: Sequence[str] = (),
    device: str | None = None,
) -> Training:
    """Return the fine-tuning of InsightFace's network for face recognition on the image set.

    Args:
        workdir: Work folder.
        weights: Backbone to fine-tune, InsightFace's ``backbone.pth``.
        from_scratch: Whether the backbone is trained from random values instead.
        recipe: This and what follows: as of :func:`fgbench.api.training.units`.

    Raises:
        ArgumentError: If both weights and ``from_scratch`` are given.
        ConfigError: If the recipe or a change is not valid, or freezes random values.
        DependencyError: If neither is given.
    """
    from fgbench.config import InsightFaceConfig, load_baseline, with_changes
    from fgbench.errors import DependencyError

    if from_scratch and weights is not None:
        raise ArgumentError("takes no --weights", argument="from_scratch")
    if not from_scratch and weights is None:
        raise DependencyError(
            "insightface fine-tunes a backbone, which does not come with fgbench, and no --weights are given",
            "download backbone.pth of an IResNet-50 from the model zoo of arcface_torch "
            "(github.com/deepinsight/insightface; for non-commercial research only) and name it with "
            "--weights; or say --from-scratch to train without (on the embedded data set: a small network)",
        )
    # The small one with weights freezes its backbone, which is no use for random values.
    small = "insightface-small-from-scratch" if from_scratch else None
    settings = recipe or default_recipe("insightface", workdir, device, small=small)
    config = with_changes(load_baseline("insightface", InsightFaceConfig, settings), changes)
    if weights is None:
        config.check_trainable()

    def run(how: Runs) -> list[Path]:
        from fgbench.methods.steps.images import train_faces

        return train_faces(config, workdir, weights, **how)

    return Training(workdirs=(workdir,), device=device, on_device=True, _run=run)


def baseline(
    name: str,
    workdir: Path,
    *,
    recipe: str | None = None,
    changes: Sequence[str] = (),
    device: str | None = None,
) -> Training:
    """Return a baseline of a module of its own, of fgbench or of another package.

    Args:
        name: Its name, e.g. ``"lbp-svm"``.
        workdir: Work folder.
        recipe: Packed recipe or file; ``None``: the baseline's own.
        changes: This and what follows: as of :func:`fgbench.api.training.units`.

    Raises:
        ConfigError: If there is no such baseline, or its recipe or a change is not valid.
    """
    from fgbench.methods.steps.baselines import read_baseline, run_baseline

    read = read_baseline(name, recipe, changes)
    return Training(
        workdirs=(workdir,),
        device=device,
        on_device=read.is_network,
        _run=lambda how: run_baseline(read, workdir, **how),
    )

"""A work folder opened for runs: its features first, then a context for every fold and every seed.

Imports torch only for runs that need a device: support vector machines run without.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, TypeVar, Unpack

from fgbench.callbacks import Note, Progress, ignore
from fgbench.errors import package_missing
from fgbench.methods.steps.needed_features import ensure_features
from fgbench.preparation.soundness import require
from fgbench.runs.context import RunContext
from fgbench.runs.division_reading import read_division
from fgbench.runs.face_origin import FACE_ORIGIN, faces_of
from fgbench.runs.labels import read_labels
from fgbench.runs.read_digest import read_digest, votes_digest
from fgbench.training.tracker_names import check_trackers
from fgbench.workfolders.folder import refuse_links
from fgbench.workfolders.manifest_index import content_digest, read_index

if TYPE_CHECKING:
    import torch

    from fgbench.training.context import TrainingContext

_P = TypeVar("_P", bound=RunContext)


class CommonOptions(TypedDict, total=False):
    """Options of a run, with the defaults of :func:`open_work`."""

    fold_file: Path | None  # CSV of ids and folds, kept in the work folder from then on
    seed: int  # of the run, or of the first of several
    jobs: int  # processes, or threads that decode
    resume: bool  # whether an unfinished run is continued
    force: bool  # whether a finished run is made again
    progress: Progress  # called with a name, the number done, and the total
    note: Note  # called with sentences for the user
    trackers: Sequence[str]  # that trainings report to, see fgbench.training.tracker_names


class Runs(CommonOptions, total=False):
    """Options of several runs; see :func:`open_runs`."""

    device: str | None  # as fgbench.training.device.resolve takes it
    fold: str | None  # the fold to run; None: all
    seeds: int  # how many to run, from ``seed`` on


def open_work(
    workdir: Path | str,
    *,
    stages: Sequence[str] = (),
    fold_file: Path | None = None,
    seed: int = 0,
    jobs: int = 1,
    resume: bool = True,
    force: bool = False,
    progress: Progress = ignore,
    note: Note = ignore,
    trackers: Sequence[str] = (),
) -> RunContext:
    """Return the context of a run in a prepared work folder, in the first of its folds.

    Args:
        workdir: Work folder.
        stages: Stages of features that are needed; those that are missing are computed.
        fold_file: This and what follows: see :class:`CommonOptions`.

    Raises:
        ConfigError: If the folds do not divide the work folder, or there is no such tracker.
        DependencyError: If the package of a tracker is not installed.
        DatasetError: If features have to be computed, and the work folder has no classes.
        ManifestError: If the work folder has no manifests, or they are damaged.
        ResourceError: If a folder of the work folder is a link.
    """
    reported_to = check_trackers(trackers)
    workdir = Path(workdir)
    refuse_links(workdir)
    ensure_features(workdir, stages, jobs=jobs, progress=progress, note=note)
    index = read_index(workdir)
    require(workdir, index)
    labels = read_labels(index)
    division = read_division(workdir, index, fold_file=fold_file)
    digest = read_digest(workdir, index, stages)
    return RunContext(
        workdir=workdir,
        manifest_digest=digest,
        votes_digest=votes_digest(workdir, digest),
        samples_digest=read_digest(workdir, index),
        earlier_digests=frozenset({content_digest(index, stages), content_digest(index)}),
        details={
            "dataset": index["dataset"],
            "synthetic": index["synthetic"],
            "scheme": labels.name,
            "protocol": division.to_json(),
            FACE_ORIGIN: faces_of(workdir),
        },
        seed=seed,
        resume=resume,
        force=force,
        jobs=jobs,
        progress=progress,
        note=note,
        trackers=reported_to,
        labels=labels,
        division=division,
        fold=division.folds[0],
    )


def open_training(
    workdir: Path | str,
    device: str | None = None,
    *,
    stages: Sequence[str] = (),
    **how: Unpack[CommonOptions],
) -> TrainingContext:
    """Return the context of a training: as :func:`open_work`, with a device.

    Raises:
        FgbenchError: As of :func:`find_device` and :func:`open_work`.
    """
    on = find_device(device)
    from fgbench.training.context import TrainingContext

    return TrainingContext.on(on, open_work(workdir, stages=stages, **how))


def open_runs(
    workdir: Path | str,
    *,
    stages: Sequence[str] = (),
    device: str | None = None,
    fold: str | None = None,
    seeds: int = 1,
    **how: Unpack[CommonOptions],
) -> list[TrainingContext]:
    """Return the context of every fold and seed of a classifier.

    Raises:
        FgbenchError: As of :func:`open_training` and :func:`each_run`.
    """
    return each_run(open_training(workdir, device, stages=stages, **how), fold=fold, seeds=seeds)


def each_run(context: _P, *, fold: str | None, seeds: int) -> list[_P]:
    """Return the context of every seed in every fold, or in one.

    Raises:
        ConfigError: If the work folder has no such fold.
        DatasetError: If a class has no training clip in a fold.
        ManifestError: If the manifests are missing or damaged.
    """
    return [each for one in context.trained_folds(fold) for each in seeded(one, seeds)]


def where(context: TrainingContext) -> str:
    """Return data set, work folder, device and fold of a run in words."""
    words = f"{context.details['dataset']} in {context.workdir}, {context.device}"
    return f"{words}, fold {context.fold}" if context.division.n_folds else words


def seeded(context: _P, seeds: int) -> list[_P]:
    """Return the contexts of a number of seeds, from its own on."""
    return [context.with_seed(context.seed + number) for number in range(seeds)]


def find_device(device: str | None) -> torch.device:
    """Return the device of a name, see :func:`fgbench.training.device.resolve`.

    Raises:
        ConfigError: If the name is not valid.
        DependencyError: If torch is not installed.
        ResourceError: If there is no such device.
    """
    try:
        from fgbench.training import context as context
        from fgbench.training.device import resolve
    except ImportError as error:
        raise package_missing("training needs", error.name) from error
    return resolve(device)

"""What the commands that make runs share: their options, the work folder made ready, the result printed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from fgbench.cli import completion, places
from fgbench.cli.console import note, print_json, progress_bars, say
from fgbench.cli.next_steps import after_runs, sheet_command
from fgbench.cli.prepare import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fgbench.runs.context import RunPlace
    from fgbench.training.context import Place

_P = TypeVar("_P", bound="RunPlace")

Workdir = Annotated[
    Path, typer.Option("--workdir", help="Work folder.", show_default="./fgbench-data/demo/work")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the run.")]
Seeds = Annotated[
    int,
    typer.Option(
        "--seeds",
        min=1,
        max=100,
        help="Run so many seeds, from --seed on, each with networks of its own all through, but for weights "
        "that are named.",
    ),
]
Fold = Annotated[
    str | None,
    typer.Option("--fold", help="Run one fold of the data set's protocol.", show_default="all, one by one"),
]
FoldFile = Annotated[
    Path | None,
    typer.Option(
        "--fold-file",
        help="CSV of ids and folds, kept in the work folder from then on.",
        show_default="the work folder's, else dealt from the ids",
    ),
]
SizedRecipe = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        help="Packed recipe or .yaml file.",
        show_default="the paper's; where the CPU computes, and on the embedded data set, the small one",
        autocompletion=completion.recipe,
    ),
]

FULL = "the same command with --full"
"""What prints the tables that a summary is taken from."""


def named_weights(run: str, workdir: Path) -> Path:
    """The weights that a user means, of the work folder or of another one below ``fgbench-data``.

    Raises:
        ConfigError: If several runs are meant.
        ManifestError: If none is.
    """
    from fgbench.runs.weights import find_weights, work_folder

    found = find_weights(run, workdir, places.work_folders())
    own = work_folder(found)
    is_named = Path(run).exists()
    if own is not None and not is_named and own.resolve() != workdir.resolve():
        # As it was named, and not from the root of the disk.
        note(f"{'/'.join(found.parts[-4:-1])} is taken from {found.parents[4]}")
    return found


def default_recipe(name: str, workdir: Path, device: str | None, *, small: str | None = None) -> str:
    """The recipe of a network that is meant when none is named, which is said in a line.

    The small one for the embedded data set, and wherever the CPU computes, on which the paper's takes days.

    Args:
        name: Of the paper's recipe.
        workdir: Work folder.
        device: Name of the device, as the user gave it.
        small: Name of the small recipe; ``None``: as the paper's, with ``-small``.
    """
    small = small or f"{name}-small"
    if workdir == places.DEMO_WORKDIR:
        return small
    if _is_cpu(device):
        note(
            f"no --recipe: {small} is taken, as the CPU computes; what it gives was measured on the "
            f"embedded data set alone (--recipe {name}: the paper's settings, for a GPU)"
        )
        return small
    note(f"no --recipe: {name} is taken, the paper's settings (--recipe {small}: made for the CPU)")
    return name


def _is_cpu(device: str | None) -> bool:
    """Whether a device is the CPU; of one that is not named, whether there is no GPU."""
    if device is not None:
        return device.partition(":")[0] == "cpu"
    try:
        import torch
    except ImportError:
        return False  # who opens the place says what to install
    return not torch.cuda.is_available()


@contextmanager
def run_place(
    workdir: Path,
    *,
    stages: Sequence[str] = (),
    seed: int,
    jobs: int,
    resume: bool = True,
    force: bool,
    quiet: bool,
    fold_file: Path | None = None,
) -> Iterator[RunPlace]:
    """The place of a run: the work folder with its features, prepared if it is the embedded one and bare.

    Args:
        workdir: Work folder.
        stages: Stages of features that are needed.
        seed: Seed of the run.
        jobs: Processes or threads.
        resume: Whether an unfinished run is continued.
        force: Whether a finished run is made again.
        quiet: Whether no progress is shown.
        fold_file: Folds of the user's.

    Raises:
        ConfigError: If the folds do not divide the work folder.
        DatasetError: If features have to be computed, and the work folder has no classes.
        ManifestError: If the work folder has no manifests, or they are damaged.
        ResourceError: If a folder of the work folder is a link.
    """
    from fgbench.preparation.soundness import require
    from fgbench.runs.context import RunPlace
    from fgbench.runs.division import read_division
    from fgbench.runs.face_origin import FACE_ORIGIN, faces_of
    from fgbench.runs.labels import read_labels
    from fgbench.runs.read_digest import read_digest
    from fgbench.workfolders.folder import refuse_links
    from fgbench.workfolders.manifest_index import content_digest, read_index

    refuse_links(workdir)
    ensure_features(workdir, stages, jobs=jobs, quiet=quiet)
    index = read_index(workdir)
    require(workdir, index)
    labels = read_labels(index)
    division = read_division(workdir, index, fold_file=fold_file)
    with progress_bars(quiet=quiet) as progress:
        yield RunPlace(
            workdir=workdir,
            manifest_digest=read_digest(workdir, index, stages),
            samples_digest=read_digest(workdir, index),
            earlier_digests=frozenset({content_digest(index, stages), content_digest(index)}),
            details={
                "dataset": index["dataset"],
                "synthetic": index["synthetic"],
                "scheme": labels.name,
                "protocol": division.told(),
                FACE_ORIGIN: faces_of(workdir),
            },
            seed=seed,
            resume=resume,
            force=force,
            jobs=jobs,
            progress=progress,
            note=note,
            labels=labels,
            division=division,
            fold=division.folds[0],
        )


@contextmanager
def opened(
    workdir: Path,
    device: str | None,
    *,
    stages: Sequence[str] = (),
    seed: int,
    jobs: int,
    resume: bool,
    force: bool,
    quiet: bool,
    fold_file: Path | None = None,
) -> Iterator[Place]:
    """A place to train in: as :func:`run_place`, and the device.

    Raises:
        ConfigError: If the device's name is none.
        DependencyError: If torch is not installed.
        ManifestError: If the work folder has no manifests.
        ResourceError: If the device is not there.
    """
    from fgbench.errors import DependencyError

    try:
        from fgbench.training.context import Place
        from fgbench.training.device import resolve
    except ImportError as error:
        raise DependencyError(
            f"training needs a package that is not installed ({error.name})", "pip install 'fgbench[train]'"
        ) from error
    found = resolve(device)
    with run_place(
        workdir,
        stages=stages,
        seed=seed,
        jobs=jobs,
        resume=resume,
        force=force,
        quiet=quiet,
        fold_file=fold_file,
    ) as place:
        yield Place.on(found, place)


def seeded(place: _P, seeds: int) -> list[_P]:
    """The place of each of so many seeds, from its own on."""
    return [place.with_seed(place.seed + number) for number in range(seeds)]


def show_run(folder: Path, *, full: bool, json: bool) -> None:
    """Print a finished run's scores, in full with classes and confusions; write its ``confusion.csv``."""
    from fgbench.reports.rendering.render import markdown
    from fgbench.reports.run.confusion import confusion_json, confusion_tables, write_confusion
    from fgbench.reports.run.scores import scores_table
    from fgbench.reports.run.summary import run_summary
    from fgbench.runs.results import read_result

    write_confusion(folder)
    if json:
        print_json({**read_result(folder), "confusion": confusion_json(folder)})
        return
    if full:
        for table in (scores_table(folder), *confusion_tables(folder)):
            say(markdown(table))
    else:
        _lines([*run_summary(folder), f"every class, confusions: {FULL}"])
    experiment, fold, seed = folder.parts[-3:]
    sheet = sheet_command(folder.parents[3], f"{experiment}/{fold}/{seed}")
    say(f"calibration, coverage, errors in the class tree: {sheet}")
    say(f"run: {folder}")


def show_runs(folders: Sequence[Path], *, full: bool, json: bool) -> None:
    """Print finished runs: one by one, or the folds and seeds of an experiment together.

    Args:
        folders: Runs; those of one experiment follow each other, and differ in fold or seed.
        full: Whether with every class, fold and seed.
        json: Whether as JSON.
    """
    from itertools import groupby

    for _, group in groupby(folders, key=lambda folder: folder.parent.parent):
        runs = list(group)
        if len(runs) == 1:
            show_run(runs[0], full=full, json=json)
        elif len({folder.name for folder in runs}) > 1:
            show_seeds(runs, full=full, json=json)
        else:
            show_folds(runs, full=full, json=json)
    if not json:
        after_runs(folders[0].parents[3])


def show_folds(folders: Sequence[Path], *, full: bool, json: bool) -> None:
    """Print the scores of an experiment over its folds: pooled, and their mean; in full each, too."""
    from fgbench.reports.rendering.render import markdown
    from fgbench.reports.run.confusion import write_confusion
    from fgbench.reports.run.fold_scores import fold_tables, folds_json
    from fgbench.reports.run.summary import folds_summary
    from fgbench.runs.results import read_result

    for folder in folders:
        write_confusion(folder)
    if json:
        print_json({**folds_json(folders), "runs": [read_result(folder) for folder in folders]})
        return
    if full:
        for table in fold_tables(folders):
            say(markdown(table))
    else:
        _lines([*folds_summary(folders), f"every class and fold: {FULL}"])
    for folder in folders:
        say(f"run: {folder}")


def show_seeds(folders: Sequence[Path], *, full: bool, json: bool) -> None:
    """Print the scores of an experiment over its seeds: their mean, and what varied; in full each, too."""
    from fgbench.reports.rendering.render import markdown
    from fgbench.reports.run.confusion import write_confusion
    from fgbench.reports.run.seed_scores import seed_table, seeds_json
    from fgbench.reports.run.summary import seeds_summary
    from fgbench.runs.results import read_result

    for folder in folders:
        write_confusion(folder)
    if json:
        print_json({**seeds_json(folders), "runs": [read_result(folder) for folder in folders]})
        return
    if full:
        say(markdown(seed_table(folders)))
    else:
        _lines([*seeds_summary(folders), f"every seed: {FULL}"])
    for folder in folders:
        say(f"run: {folder}")


def _lines(lines: Sequence[str]) -> None:
    for line in lines:
        say(line)


def ensure_features(workdir: Path, stages: Sequence[str], *, jobs: int, quiet: bool) -> None:
    """Prepare what is missing: the embedded data set, and features that the recipe leaves out.

    Raises:
        DatasetError: If features are left out and there are no classes that they would tell apart.
    """
    from fgbench.preparation.pipeline import lacking, with_features
    from fgbench.preparation.prepare import run, saved
    from fgbench.runs.labels import read_labels
    from fgbench.workfolders.manifest_index import is_published, read_index

    if workdir == places.DEMO_WORKDIR and not is_published(workdir):
        note("the embedded data set is not prepared yet: preparing it")
        prepare(jobs=jobs)
    config, root = saved(workdir)
    left_out = lacking(config, stages)
    if not left_out and is_published(workdir):
        return
    if left_out and is_published(workdir):
        read_labels(read_index(workdir)).check_classes()
    for stage in left_out:
        note(f"the work folder has no {stage}: computing it")
    with progress_bars(quiet=quiet) as progress:
        run(with_features(config, left_out), root, workdir, jobs=jobs, progress=progress)

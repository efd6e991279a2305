"""The features that a run reads, computed where the manifests do not have them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.cli import places
from fgbench.cli.console import note, progress_bars
from fgbench.cli.prepare import prepare

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fgbench.config import PrepareConfig


def ensure_features(workdir: Path, stages: Sequence[str], *, jobs: int, quiet: bool) -> None:
    """Prepare what is missing: the embedded data set, and features that the manifests do not have.

    What an interrupted run has left is continued: its recipe is kept before anything is computed, and does
    not tell what the manifests have.

    Args:
        workdir: Work folder.
        stages: Stages of features that are needed.
        jobs: Worker processes.
        quiet: Whether no progress is shown.

    Raises:
        DatasetError: If features are missing and there are no classes that they would tell apart.
        ManifestError: If it is no work folder, or its manifests or recipe are damaged.
    """
    from fgbench.preparation.prepare import run, saved
    from fgbench.runs.labels import read_labels
    from fgbench.workfolders.manifest_index import is_published, read_index

    if workdir == places.DEMO_WORKDIR and not is_published(workdir):
        note("the embedded data set is not prepared yet: preparing it")
        prepare(jobs=jobs)
    config, root = saved(workdir)
    enabled = {stage: getattr(config, stage).model_copy(update={"enabled": True}) for stage in stages}
    config = config.model_copy(update=enabled)
    is_ready = is_published(workdir)
    missing = list(_missing(workdir, config, stages)) if is_ready else list(stages)
    if is_ready and not missing:
        return
    if is_ready:
        read_labels(read_index(workdir)).check_classes()
    for stage in missing:
        note(f"the work folder has no {stage} yet: computing it")
    with progress_bars(quiet=quiet) as progress:
        run(config, root, workdir, jobs=jobs, progress=progress)


def _missing(workdir: Path, config: PrepareConfig, stages: Iterable[str]) -> Iterable[str]:
    """Stages whose features the manifests do not have, or have otherwise than a recipe wants them."""
    from pydantic import ValidationError

    from fgbench.workfolders.folder import published_recipe

    made = published_recipe(workdir)
    for stage in stages:
        wanted = getattr(config, stage)
        try:
            is_there = type(wanted).model_validate(made.get(stage, {})) == wanted
        except ValidationError:
            is_there = False  # of an earlier version
        if not is_there:
            yield stage

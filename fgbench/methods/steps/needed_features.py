"""Features that a run reads, computed where the manifests lack them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ValidationError

from fgbench.callbacks import Note, Progress, ignore
from fgbench.config import PrepareConfig
from fgbench.errors import ManifestError
from fgbench.preparation.lone_tables import recipe_of_manifests
from fgbench.preparation.pipeline import with_features
from fgbench.preparation.prepare import run as prepare
from fgbench.preparation.prepare import saved
from fgbench.runs.labels import read_labels
from fgbench.workfolders.folder import has_tables_alone, published_recipe
from fgbench.workfolders.manifest_index import is_published, read_index


def ensure_features(
    workdir: Path, stages: Sequence[str], *, jobs: int = 1, progress: Progress = ignore, note: Note = ignore
) -> None:
    """Prepare missing manifests, which an earlier run left unfinished, and missing features.

    An interrupted run is continued: its recipe is saved before anything is computed, so that it does not show
    what the manifests contain.

    Args:
        workdir: Work folder.
        stages: Stages of features that are needed.
        jobs: Worker processes.
        progress: Called with a name, the number done, and the total.
        note: Called with sentences for the user.

    Raises:
        DatasetError: If features are missing and there are no classes.
        ManifestError: If it is no work folder, its manifests or recipe are damaged, or tables alone lack
            features.
    """
    is_alone = has_tables_alone(workdir)
    config, root = (recipe_of_manifests(workdir), None) if is_alone else saved(workdir)
    config = with_features(config, stages)
    is_ready = is_published(workdir)
    missing = list(_missing(workdir, config, stages)) if is_ready else list(stages)
    if is_ready and not missing:
        return
    if root is None:
        raise ManifestError(
            f"the tables in {workdir} lack what is needed: {', '.join(missing)}, computed of the clips",
            "fgbench prepare, with the clips, into another folder",
        )
    if is_ready:
        read_labels(read_index(workdir)).check_classes()
    for stage in missing:
        note(f"the work folder has no {stage} yet: computing it")
    prepare(config, root, workdir, jobs=jobs, progress=progress)


def _missing(workdir: Path, config: PrepareConfig, stages: Iterable[str]) -> Iterable[str]:
    """Iterate over stages whose features the manifests lack, or have with other settings than a recipe's."""
    made = published_recipe(workdir)
    of_others = made.get("features", {})
    for stage in stages:
        if stage in config.features:
            if of_others.get(stage) != config.features[stage]:
                yield stage
            continue
        wanted = getattr(config, stage)
        try:
            is_there = type(wanted).model_validate(made.get(stage, {})) == wanted
        except ValidationError:
            is_there = False  # of an earlier version
        if not is_there:
            yield stage

"""Preparation as the command line and the Python API begin it: recipe, data and work folder from what is
given."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.callbacks import Progress
from fgbench.config import PrepareConfig, load_prepare, with_changes
from fgbench.errors import ConfigError, ManifestError
from fgbench.workfolders import default_folders

if TYPE_CHECKING:
    from fgbench.preparation.report import RunReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """A preparation to be run.

    Attributes:
        config: The recipe.
        root: Folder of the data set.
        workdir: Work folder.
        is_embedded: Whether it is the embedded data set, which is drawn where it is absent.
    """

    config: PrepareConfig
    root: Path
    workdir: Path
    is_embedded: bool


class NoDataError(ConfigError):
    """A recipe needs a data set, and none is given."""


def preparation(recipe: str | None, root: Path | None, workdir: Path | None) -> Preparation:
    """Return what is meant: without data the embedded set, or the data set of the recipe below
    ``FGBENCH_DATA``.

    Args:
        recipe: Packed recipe or path of a YAML file.
        root: Folder of the data set.
        workdir: Work folder; ``None``: the default place, which is refused where it is of other data.

    Raises:
        ConfigError: If the recipe is not valid, or the default work folder is of another data set.
        NoDataError: If the recipe needs a data set.
    """
    from fgbench.catalogue.data_roots import remembered_root
    from fgbench.synthetic.dataset import is_complete

    is_embedded = root is None and recipe in (None, "demo")
    config = load_prepare(recipe or ("demo" if is_embedded else "default"))
    if root is None and not is_embedded:
        root = remembered_root(config.name, config.dataset.adapter)
        if root is None:
            raise NoDataError(f"recipe {recipe!r} needs a data set", "give its folder")
    root = root or default_folders.DEMO_ROOT
    work = workdir or (
        default_folders.DEMO_WORKDIR if is_embedded else default_folders.workdir_for(root, recipe)
    )
    if workdir is None and not is_embedded:
        _refuse_other_data(work, root)
    if not config.dataset.synthetic and is_complete(root):
        config = config.model_copy(update={"dataset": config.dataset.model_copy(update={"synthetic": True})})
    return Preparation(config=config, root=root, workdir=work, is_embedded=is_embedded)


def draw_embedded(root: Path, *, jobs: int, progress: Progress) -> None:
    """Draw the embedded data set."""
    from fgbench.synthetic.dataset import SynthOptions, generate

    generate(root, SynthOptions(), jobs=jobs, progress=lambda done, total: progress("draw", done, total))


def prepared(
    data: str | os.PathLike[str] | None,
    recipe: str | os.PathLike[str] | None,
    *,
    changes: Sequence[str] = (),
    workdir: str | os.PathLike[str] | None,
    jobs: int | None,
    force: bool,
    progress: Progress,
) -> Path:
    """Prepare, and return the work folder; arguments and errors as of :func:`fgbench.prepare`."""
    from fgbench.api.progress import LOGGER, log
    from fgbench.cores import n_cores
    from fgbench.preparation.prepare import run
    from fgbench.synthetic.dataset import is_complete

    wanted = preparation(
        None if recipe is None else os.fspath(recipe),
        None if data is None else Path(data),
        None if workdir is None else Path(workdir),
    )
    jobs = jobs or n_cores()
    if wanted.is_embedded and not is_complete(wanted.root):
        log(f"the embedded data set is absent: drawing it into {wanted.root} (synthetic faces)")
        draw_embedded(wanted.root, jobs=jobs, progress=progress)
    report: RunReport = run(
        with_changes(wanted.config, changes),
        wanted.root,
        wanted.workdir,
        jobs=jobs,
        force=force,
        progress=progress,
    )
    for line in (*report.notes, report.persons):
        log(line)
    for line in report.look:
        LOGGER.warning("%s", line)
    return wanted.workdir


def _refuse_other_data(work: Path, root: Path) -> None:
    """Raise if the default work folder is of another data set whose folder has the same name."""
    from fgbench.workfolders.folder import read_origin

    try:
        _, before = read_origin(work)
    except ManifestError:
        return
    if before != root.resolve() and before.exists():
        raise ConfigError(
            f"{work} is the work folder of the data set {before}, not of {root}",
            "name another one: --workdir DIR",
        )

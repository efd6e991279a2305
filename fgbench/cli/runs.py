"""Common steps of the commands that make runs: weights, recipes and work folders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.cli.console import note, progress_bars
from fgbench.cli.embedded import prepare_embedded
from fgbench.workfolders import default_places as places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fgbench.cli.options import RunOptions
    from fgbench.methods.steps.work import Runs
    from fgbench.training.context import TrainingContext


def named_weights(run: str, workdir: Path) -> Path:
    """Find the weights that a user means, in the work folder or in another below ``fgbench-data``.

    Raises:
        ConfigError: If several runs match.
        ManifestError: If none does.
    """
    from fgbench.runs.weights import find_weights, work_folder

    weights = find_weights(run, workdir, places.work_folders())
    own = work_folder(weights)
    is_named = Path(run).exists()
    if own is not None and not is_named and own.resolve() != workdir.resolve():
        # As named, not as an absolute path.
        note(f"{'/'.join(weights.parts[-4:-1])} is taken from {weights.parents[4]}")
    return weights


def default_recipe(name: str, workdir: Path, device: str | None, *, small: str | None = None) -> str:
    """Default recipe of a network, with a line that announces it.

    The small one for the embedded data set, and on the CPU, where the paper's takes days.

    Args:
        name: Name of the paper's recipe.
        workdir: Work folder.
        device: Name of the device, as the user gave it.
        small: Name of the small recipe; ``None``: that of the paper's, with ``-small``.
    """
    from fgbench.methods.steps.recipe_choice import recipe_for

    recipe, why = recipe_for(name, device, is_embedded=workdir == places.DEMO_WORKDIR, small=small)
    if why:
        note(why)
    return recipe


@contextmanager
def begun(run: RunOptions, *further: Path, on_device: bool = True) -> Iterator[Runs]:
    """Prepare for runs and yield arguments for `fgbench.methods.steps`; progress is shown meanwhile.

    Args:
        run: The user's options.
        further: Work folders beside that of the runs.
        on_device: Whether the runs need a device, which is then looked for before anything is prepared.

    Raises:
        FgbenchError: As for :func:`fgbench.methods.steps.work.find_device`.
    """
    from fgbench.methods.steps.work import find_device

    if on_device:
        find_device(run.device)
    for workdir in (run.workdir, *further):
        prepare_embedded(workdir, jobs=run.jobs)
    with progress_bars(quiet=run.json) as progress:
        yield {
            "device": run.device,
            "fold": run.fold,
            "fold_file": run.fold_file,
            "seed": run.seed,
            "seeds": run.seeds,
            "jobs": run.jobs,
            "resume": run.resume,
            "force": run.force,
            "progress": progress,
            "note": note,
        }


@contextmanager
def opened(
    workdir: Path, device: str | None, *, stages: Sequence[str] = (), jobs: int, quiet: bool
) -> Iterator[TrainingContext]:
    """Context of a test (:func:`fgbench.methods.steps.work.open_training`), begun as by :func:`begun`."""
    from fgbench.methods.steps.work import find_device, open_training

    find_device(device)
    prepare_embedded(workdir, jobs=jobs)
    with progress_bars(quiet=quiet) as progress:
        yield open_training(
            workdir, device, stages=stages, jobs=jobs, resume=False, progress=progress, note=note
        )

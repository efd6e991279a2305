"""What the commands that make runs share: what they are asked for found, the work folder made ready."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.cli import places
from fgbench.cli.console import note, progress_bars
from fgbench.cli.prepare import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fgbench.cli.options import RunOptions
    from fgbench.methods.steps.work import Runs
    from fgbench.training.context import Place


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
def begun(run: RunOptions, *further: Path, on_device: bool = True) -> Iterator[Runs]:
    """What the functions of `fgbench.methods.steps` are told of runs; progress is shown meanwhile.

    Args:
        run: What the user says of them.
        further: Work folders beside that of the runs.
        on_device: Whether they need a device, which is then looked for before anything is prepared.

    Raises:
        FgbenchError: As of :func:`fgbench.methods.steps.work.find_device`.
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
) -> Iterator[Place]:
    """A place to test in: as :func:`fgbench.methods.steps.work.open_place`, begun as :func:`begun`."""
    from fgbench.methods.steps.work import find_device, open_place

    find_device(device)
    prepare_embedded(workdir, jobs=jobs)
    with progress_bars(quiet=quiet) as progress:
        yield open_place(
            workdir, device, stages=stages, jobs=jobs, resume=False, progress=progress, note=note
        )


def prepare_embedded(workdir: Path, *, jobs: int) -> None:
    """Prepare the embedded data set, if the work folder is its own and bare."""
    from fgbench.workfolders.manifest_index import is_published

    if workdir == places.DEMO_WORKDIR and not is_published(workdir):
        note("the embedded data set is not prepared yet: preparing it")
        prepare(jobs=jobs)

"""Labels of action units that a run keeps as known to its network, those of its start included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fgbench.methods.action_units.frames import Frames
from fgbench.runs.trained_units import TRAINED_UNITS, TrainedUnits, read_trained_units, write_trained_units
from fgbench.runs.weights import Trained


def write_labelled_frames(
    folder: Path, trained: Sequence[Frames], tested: Frames, *, units: Sequence[str], frame_step: int
) -> None:
    """Write the labels that a network of action units was trained and selected on.

    Args:
        folder: Folder of the run.
        trained: Frames that are trained on, or chosen on.
        tested: All other labelled frames of the same work folders.
        units: Names of the units, in the order of the labels.
        frame_step: Of the recipe.

    Raises:
        ResourceError: If the folder cannot be written.
    """
    frames: dict[tuple[str, str, int], tuple[int, ...] | None] = dict.fromkeys(
        [*_keys(tested), *tested.left_out]
    )
    for part in trained:
        frames |= dict(zip(_keys(part), map(tuple, part.labels.tolist()), strict=True))
    trained_units = TrainedUnits(units=tuple(units), frame_step=frame_step, frames=frames, images={})
    write_trained_units(folder, trained_units)


def write_carried_units(
    folder: Path,
    start: Trained | None,
    *,
    dataset: str,
    images: Mapping[tuple[str, int], tuple[int, ...]],
) -> None:
    """Write the labels that a network knows by its start, and those that it was trained on itself.

    Without either, a table of an earlier run in the folder is removed.

    Args:
        folder: Folder of the run.
        start: Network that it started from, or that describes its frames.
        dataset: Name of the data set of the run.
        images: Clip and frame of each image that was trained on along with labels, to those of the start's
            units; empty where they were not used.

    Raises:
        ManifestError: If the table of the start is damaged.
        ResourceError: If the folder cannot be written.
    """
    table = None if start is None else read_trained_units(start.path.parent)
    own = {(dataset, *key): labels for key, labels in images.items()}
    if own and table is None:
        assert start is not None  # the units are those of its outputs
        units = tuple(start.metadata["action_units"])
        table = TrainedUnits(units=units, frame_step=1, frames={}, images={})
    if table is None:
        (folder / TRAINED_UNITS).unlink(missing_ok=True)
        return
    write_trained_units(folder, replace(table, images={**table.images, **own}))


def _keys(frames: Frames) -> list[tuple[str, str, int]]:
    names = [one.dataset for one in frames.data]
    return [(names[n], *key) for n, key in zip(frames.folders, frames.keys, strict=True)]

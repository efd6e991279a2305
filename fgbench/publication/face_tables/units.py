"""Action units of the frames of a work folder: labels of its data set, or predictions of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fgbench.callbacks import Note
from fgbench.catalogue.carried_listing import adapter_of
from fgbench.catalogue.listing import unit_source
from fgbench.errors import ConfigError, DatasetError, ManifestError
from fgbench.preparation.prepare import saved
from fgbench.runs.unit_results import RESULT, read_au_predictions
from fgbench.workfolders.layout import RUNS

_WHOLE = -1  # in place of a frame: labels of all frames without labels of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameUnits:
    """Action units by clip and frame.

    Attributes:
        units: Names, sorted, e.g. ``"au12"``; empty where there are none.
        pseudo: The detector that made the labels; empty if people did, or it is a run's predictions.
    """

    units: tuple[str, ...] = ()
    pseudo: str = ""
    _frames: Mapping[str, Mapping[int, Mapping[str, float]]] = field(default_factory=dict)

    def of(self, clip_id: str, frame_index: int) -> Mapping[str, float]:
        """Return name to presence (1, 0 or a probability) of those known in a frame."""
        frames = self._frames.get(clip_id, {})
        return frames.get(frame_index, frames.get(_WHOLE, {}))


def labelled_units(workdir: Path, note: Note) -> FrameUnits:
    """Return the labels of action units of the data set of a work folder; none if it has none.

    Args:
        workdir: Work folder.
        note: Takes a sentence where the data set is not there.

    Raises:
        DatasetError: If labels are damaged.
        ManifestError: If the work folder is damaged.
    """
    asked, root = saved(workdir)
    adapter = adapter_of(asked.dataset, root)
    if not hasattr(adapter, "action_units"):
        return FrameUnits()
    if not root.is_dir():
        note(f"{root} is not there: without labels of action units")
        return FrameUnits()
    try:
        rows = list(adapter.action_units(root))
    except DatasetError:  # the adapter reads such labels, but this data set has none
        return FrameUnits()
    shared: dict[int, Mapping[str, float]] = {}  # frames share the mappings of their labels
    frames: dict[str, dict[int, Mapping[str, float]]] = {}
    for row in rows:
        labels = shared.get(id(row.labels))
        if labels is None:
            labels = {unit: float(label > 0) for unit, label in row.labels.items() if label}
            shared[id(row.labels)] = labels
        index = _WHOLE if row.frame_index is None else row.frame_index
        frames.setdefault(row.clip_id, {})[index] = labels
    units = sorted({unit for labels in shared.values() for unit in labels})
    pseudo = unit_source(adapter, root, asked.dataset.variant).pseudo
    return FrameUnits(units=tuple(units), pseudo=pseudo, _frames=frames)


def predicted_units(workdir: Path, run: str) -> FrameUnits:
    """Return the probabilities that a run of action units predicted for the frames that it was tested on.

    Args:
        workdir: Work folder.
        run: Name of the run, ``experiment/fold/seed`` or a folder.

    Raises:
        ConfigError: If several runs match.
        ManifestError: If there is none, or it is damaged.
    """
    folders = [folder for folder in (Path(run), workdir / RUNS / run) if folder.is_dir()]
    runs = sorted({path.parent for folder in folders[:1] for path in folder.rglob(RESULT)})
    if not runs:
        raise ManifestError(
            f"{run} is no run of action units in {workdir / RUNS}", "fgbench train au makes one"
        )
    if len(runs) > 1:
        names = ", ".join("/".join(one.parts[-3:]) for one in runs[:4])
        raise ConfigError(f"{run} is {len(runs)} runs, expected one", f"name one of {names}")
    predictions = read_au_predictions(runs[0])
    frames: dict[str, dict[int, Mapping[str, float]]] = {}
    for sample_id, clip_id, row in zip(
        predictions.sample_ids, predictions.clip_ids, predictions.probabilities.tolist(), strict=True
    ):
        number = sample_id.removeprefix(f"{clip_id}-f")
        if number.isdecimal():
            frames.setdefault(clip_id, {})[int(number)] = dict(zip(predictions.units, row, strict=True))
    return FrameUnits(units=tuple(sorted(predictions.units)), _frames=frames)

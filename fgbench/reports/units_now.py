"""The labels of action units that the data set of a work folder has now, and whether a run knows others.

The manifests hold no labels of action units: methods read them from the data set. Reads its tables, and those
of runs; writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path

from fgbench import plugins, storage
from fgbench.errors import FgbenchError
from fgbench.files.hashing import digest_file
from fgbench.preparation.prepare import saved
from fgbench.records import AuRow
from fgbench.runs.frames import labels_by_frame, usable_frames
from fgbench.runs.trained_units import TRAINED_UNITS, TrainedUnits, read_trained_units
from fgbench.workfolders.layout import MANIFESTS

Frame = tuple[str, int]
"""Clip and number of a frame."""


class UnitsNow:
    """Labels of action units that a data set has now; its tables are read once, when they are asked for."""

    def __init__(self, workdir: Path) -> None:
        """Labels of the data set of a work folder."""
        self._workdir = workdir
        self._stale: dict[str, bool] = {}

    @cached_property
    def _rows(self) -> tuple[AuRow, ...] | None:
        try:
            config, root = saved(self._workdir)
            adapter = plugins.load("datasets", config.dataset.adapter)
            if not hasattr(adapter, "action_units"):
                return None
            with plugins.explained("datasets", config.dataset.adapter):
                return tuple(adapter.action_units(root))
        except (FgbenchError, OSError):
            return None

    @cached_property
    def _usable(self) -> frozenset[Frame] | None:
        try:
            return usable_frames(self._workdir / MANIFESTS)
        except (FgbenchError, OSError):
            return None

    def of(self, frames: Collection[Frame]) -> Mapping[Frame, Mapping[str, int]] | None:
        """Labels of frames, of those that have some; ``None`` where the data set is not at hand, or has none.

        Args:
            frames: Clip and number of each.
        """
        return None if self._rows is None else labels_by_frame(self._rows, {*frames})

    def differ_from(self, run: Path, dataset: str) -> bool:
        """Whether frames of the data set have other labels than those that a network was trained on, or more
        frames are labelled; false where the data set is not at hand, or the run is not known to use any.

        Args:
            run: Folder of the run.
            dataset: Name of the data set.

        Raises:
            ManifestError: If the table of labels in the run is damaged.
        """
        path = run / TRAINED_UNITS
        if not path.is_file():
            return False
        with storage.explained(path):
            digest = digest_file(path)
        if digest not in self._stale:  # the runs on one trunk have equal tables
            trained = read_trained_units(run)
            self._stale[digest] = trained is not None and self._differ(trained, dataset)
        return self._stale[digest]

    def _differ(self, trained: TrainedUnits, dataset: str) -> bool:
        frames = {(clip, n): labels for (of, clip, n), labels in trained.frames.items() if of == dataset}
        images = {(clip, n): labels for (of, clip, n), labels in trained.images.items() if of == dataset}
        now = self.of({*frames, *images}) if frames or images else None
        if now is None:
            return False
        for key, labels in [*frames.items(), *images.items()]:
            current = now.get(key)
            is_gone = current is None and key in frames
            if labels is not None and (is_gone or _vector(current or {}, trained.units) != labels):
                return True
        if not frames:
            return False
        candidates = {key for key in self._usable or () if key[1] % trained.frame_step == 0}
        return bool(self.of(candidates - frames.keys()))


def _vector(labels: Mapping[str, int], units: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(labels.get(unit, 0) for unit in units)

"""``fgbench.open``: work folders as values."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fgbench.api.arguments import path_of
from fgbench.api.divided import Divided
from fgbench.api.inspected import Inspected
from fgbench.api.outside import Outside
from fgbench.api.progress import LOGGER, Shown
from fgbench.api.reported import Reported
from fgbench.api.running import Running
from fgbench.api.runs import SYNTHETIC
from fgbench.api.showing import paragraph, table
from fgbench.naming import counted
from fgbench.records import SPLITS
from fgbench.workfolders.manifest_index import read_index

if TYPE_CHECKING:
    import pandas as pd

    from fgbench.publication.face_tables.export import FaceTables


class Work(Running, Inspected, Divided, Reported, Outside):
    """A prepared work folder: clips, faces, pictures, runs. See :func:`fgbench.open` and
    :func:`fgbench.prepare`.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        from fgbench.api.work_folders import here

        self.path = here(path_of("workdir", path, example="fgbench-data/my-clips/work", takes_url=True))
        self._index = read_index(self.path)

    @property
    def name(self) -> str:
        """Name of the data set."""
        return str(self._index["dataset"])

    @property
    def is_synthetic(self) -> bool:
        """Whether the data set is drawn."""
        return bool(self._index["synthetic"])

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of probabilities; empty where there are none."""
        from fgbench.runs.labels import read_labels

        return read_labels(self._index).labels if self._index.get("classes", True) else ()

    @property
    def ledger(self) -> pd.DataFrame:
        """A row per reading of the test part by an evaluation, in their order.

        Time (UTC), run, command, digests of configuration, samples and predictions, and the hash; see
        :class:`fgbench.runs.ledger.chain.Reading`.

        Faults of the chain of hashes are logged as warnings.
        """
        from dataclasses import asdict, fields

        import pandas as pd

        from fgbench.runs.ledger.chain import LEDGER, Reading, read_ledger

        ledger = read_ledger(self.path)
        for fault in ledger.faults:
            LOGGER.warning("%s: %s", self.path / LEDGER, fault)
        columns = [field.name for field in fields(Reading)]
        return pd.DataFrame([asdict(reading) for reading in ledger.readings], columns=columns)

    def export_faces(
        self,
        layout: str,
        out: str | os.PathLike[str] | None = None,
        *,
        units: str | None = None,
        progress: Shown = None,
    ) -> FaceTables:
        """Write boxes, landmarks, poses and action units as tables of another program, as ``fgbench export
        faces`` does: a CSV file per clip, a row per sampled frame.

        Args:
            layout: ``"openface"`` (OpenFace 2.2, ``FeatureExtraction -2Dfp -pose -aus``; radians in the axes
                of the camera) or ``"fex"`` (py-feat 2.1; radians, yaw and roll to the subject's right).
                Landmarks are in px of the upright frame in both.
            out: Folder to write: new, empty, or written by an earlier export in this layout; ``None``:
                ``faces-<layout>`` beside the work folder.
            units: Run of action units whose probabilities are written; ``None``: labels of the data set.
            progress: Whether bars are shown; ``None``: in terminals and notebooks.

        Returns:
            The folder, and how many clips, frames and faces it holds.

        Raises:
            ConfigError: If there is no such layout, the faces have no 68 landmarks, or the folder holds
                something else, which is left alone.
            ManifestError: If manifests or predictions are missing or damaged.
            ResourceError: If the tables cannot be written.
        """
        from fgbench.api.exporting import export_faces

        return export_faces(self.path, layout, out, units=units, progress=progress)

    def __repr__(self) -> str:
        parts = self.clips["split"].tolist()
        counts = ", ".join(f"{parts.count(part)} {part}" for part in SPLITS if part in parts)
        if self._division.n_folds:
            counts = counted(self._division.n_folds, "fold")
        note = f"; {SYNTHETIC}" if self.is_synthetic else ""
        return f"<Work {self.name}: {len(self.clips)} clips ({counts}), {len(self.classes)} classes{note}>"

    def _repr_html_(self) -> str:
        columns = "fold" if self._division.n_folds else "split"
        counts = self.clips.pivot_table(
            index="label", columns=columns, values="clip_id", aggfunc="count", fill_value=0
        )
        return f"{paragraph(repr(self)[1:-1])}{table(counts)}"


def open_work(workdir: str | os.PathLike[str]) -> Work:
    """Return a prepared work folder.

    Args:
        workdir: The folder, e.g. ``fgbench-data/my-clips/work``; or its URL in a storage, see
            :doc:`clusters`: then its tables are fetched into a copy, where runs and reports go.

    Raises:
        ManifestError: If it has no manifests, or they are damaged.
        ResourceError: If it may not be read.
    """
    return Work(workdir)

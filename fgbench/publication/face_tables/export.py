"""``fgbench export faces``: faces of a work folder as CSV tables of another program, one per clip.

Reads manifests, and labels of action units of the data set or predictions of a run; writes one folder. Clips
are read and written one after another, so that memory does not grow with their number, but for the labels.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from fgbench import storage
from fgbench.callbacks import Note, Progress
from fgbench.errors import ConfigError
from fgbench.faces.geometry import N_IBUG_POINTS
from fgbench.faces.pose import Pose
from fgbench.faces.status import OK
from fgbench.naming import counted, is_text
from fgbench.notebook_lines import NotebookLines
from fgbench.publication.face_rows import FaceRows
from fgbench.publication.face_tables import fex, openface
from fgbench.publication.face_tables.faces import COLUMNS, ClipFacts, FrameFace
from fgbench.publication.face_tables.units import FrameUnits, labelled_units, predicted_units
from fgbench.publication.owned_folder import OwnedFolder, check_names
from fgbench.runs.pseudo_labels import MARK
from fgbench.workfolders.layout import MANIFESTS
from fgbench.workfolders.manifest_index import read_index

FORMATS: Mapping[str, ModuleType] = {"openface": openface, "fex": fex}
"""Layouts by name."""

_MOST_BYTES = 255  # of the name of a file

_AGAIN = "prepare it with faces.align: always, in another --workdir"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceTables(NotebookLines):
    """Tables that were written.

    Attributes:
        folder: Their folder.
        clips: Number of tables.
        frames: Number of rows.
        faces: Number of rows with landmarks.
        units: Action units of the tables.
        pseudo: The detector that made their labels; empty if people did, or a run predicted them.
    """

    folder: Path
    clips: int
    frames: int
    faces: int
    units: tuple[str, ...]
    pseudo: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "folder": str(self.folder),
            "clips": self.clips,
            "frames": self.frames,
            "faces": self.faces,
            "units": list(self.units),
        }

    def lines(self) -> list[str]:
        """Return lines of text."""
        counts = (
            f"{counted(self.clips, 'clip')}, {counted(self.frames, 'frame')}, {self.faces} with landmarks, "
            f"{counted(len(self.units), 'action unit')}"
        )
        made = f"action units are {MARK}: {self.pseudo} made them, no person did"
        return [counts, *([made] if self.pseudo else []), f"tables: {self.folder}"]


def export_faces(
    workdir: Path, out: Path, format_: str, *, units: str | None, progress: Progress, note: Note
) -> FaceTables:
    """Write the faces of all usable clips, one table per clip, named as the clip.

    Args:
        workdir: Work folder with complete manifests.
        out: Folder to write: new, empty, or written by an earlier export in the same format.
        format_: One of :data:`FORMATS`.
        units: Run of action units whose probabilities are written; ``None``: the labels of the data set.
        progress: Called with the number of written clips.
        note: Takes sentences for the user.

    Raises:
        ConfigError: If there is no such format, the recipe aligns no faces or finds 5 points only, several
            runs match, or something else is in the folder, of which nothing is changed.
        ManifestError: If manifests or predictions are missing or damaged.
        ResourceError: If the tables cannot be written.
    """
    if format_ not in FORMATS:
        raise ConfigError(f"unknown format {format_!r} of faces", f"known: {', '.join(FORMATS)}")
    _refuse_without_landmarks(workdir, read_index(workdir))
    target = OwnedFolder(out, f"faces as {format_}")
    face_units = labelled_units(workdir, note) if units is None else predicted_units(workdir, units)
    clips = _clips(workdir)
    manifests = workdir / MANIFESTS
    rows = FaceRows(sorted((manifests / "faces").glob("*.parquet")), COLUMNS)
    names = {clip_id: f"{clip_id}.csv" for clip_id in rows if clip_id in clips}
    odd = next((clip_id for clip_id in names if not is_text(clip_id)), None)
    if odd is not None:
        raise ConfigError(f"the id of clip {odd!r} is no text, and cannot name a table", "rename its file")
    long = next((n for n in names.values() if len(os.fsencode(n.rpartition("/")[2])) > _MOST_BYTES), None)
    if long is not None:
        raise ConfigError(
            f"{long} would be a table with a name of more than {_MOST_BYTES} bytes; nothing was written",
            "rename the clip's file",
        )
    check_names(names.values(), str(manifests))
    target.begin(set(names.values()))
    layout, n_frames, n_faces = FORMATS[format_], 0, 0
    for done, (clip_id, name) in enumerate(sorted(names.items()), start=1):
        faces = list(_faces(rows, clip_id, face_units))
        _write(out / name, layout, clips[clip_id], faces, face_units.units)
        n_frames += len(faces)
        n_faces += sum(face.landmarks is not None for face in faces)
        progress("clips", done, len(names))
    target.end(set(names.values()))
    return FaceTables(
        folder=out,
        clips=len(names),
        frames=n_frames,
        faces=n_faces,
        units=face_units.units,
        pseudo=face_units.pseudo,
    )


def _refuse_without_landmarks(workdir: Path, index: Mapping[str, Any]) -> None:
    """Raise a ConfigError if the recipe finds no 68 landmarks."""
    recipe = index.get("origin", {}).get("recipe", {}).get("faces", {})
    if recipe.get("align") == "never":
        raise ConfigError(f"{workdir} has no landmarks: its recipe takes pictures as they are", _AGAIN)
    if recipe.get("landmarks", N_IBUG_POINTS) != N_IBUG_POINTS:
        raise ConfigError(
            f"{workdir} has {recipe['landmarks']} landmarks per face, expected {N_IBUG_POINTS}",
            f"prepare it with faces.landmarks: {N_IBUG_POINTS}, in another --workdir",
        )


def _clips(workdir: Path) -> dict[str, ClipFacts]:
    columns = ["clip_id", "path", "width", "height"]
    return {
        row["clip_id"]: ClipFacts(
            clip_id=row["clip_id"], path=row["path"] or "", size=(row["width"], row["height"])
        )
        for row in storage.read_rows(workdir / MANIFESTS / "clips.parquet", columns)
    }


def _faces(rows: FaceRows, clip_id: str, units: FrameUnits) -> Iterator[FrameFace]:
    """Yield the faces of a clip in the order of its frames."""
    table = rows.of(clip_id)
    assert table is not None, "the clip is one of the tables"
    for row in table.sort_by("frame_index").to_pylist():
        angles = [row[name] for name in ("yaw_deg", "pitch_deg", "roll_deg")]
        has_pose = all(angle is not None and np.isfinite(angle) for angle in angles)
        points = row["landmarks"]
        yield FrameFace(
            frame_index=row["frame_index"],
            time_s=row["time_s"],
            is_sure=row["status"] == OK,
            box_xyxy=None if row["box_xyxy"] is None else tuple(row["box_xyxy"]),
            score=row["score"],
            quality=row["quality"],
            landmarks=None if points is None else np.array(points, np.float64).reshape(-1, 2),
            pose=Pose(*angles) if has_pose else None,
            units=units.of(clip_id, row["frame_index"]),
        )


def _write(
    path: Path, layout: ModuleType, clip: ClipFacts, faces: list[FrameFace], units: tuple[str, ...]
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(layout.head(units))
    writer.writerows(layout.cells(clip, face, units) for face in faces)
    storage.write_text(path, text.getvalue())

"""Rejected data: clips with the reason and, if one can be read, a picture; frames without a face.

Reads ``rejects.parquet`` and ``faces`` of the manifests, the clips listed by the ingest stage, and the videos
if they are still below the root that ``fgbench prepare`` noted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.errors import FgbenchError, ManifestError
from fgbench.faces.status import USABLE
from fgbench.media.video import open_video
from fgbench.preparation import pipeline
from fgbench.preparation.markers import find_marker
from fgbench.records import image_id
from fgbench.remote.fetching import is_away
from fgbench.reports.page.sheets import Picture, Sheets
from fgbench.workfolders.folder import read_origin
from fgbench.workfolders.layout import MANIFESTS
from fgbench.workfolders.manifest_index import read_index

N_LISTED = 500
"""Number of rejected clips that are listed; all are counted."""

N_PICTURES = 48
"""Number of rejected clips with a picture, and of frames without a usable face, that are shown."""

SIDE_PX = 96


class Rejected:
    """Rejected clips and frames: pictures are requested first and have cells once they are packed.

    Args:
        workdir: Work folder.
        sheets: Sheets to request pictures from.

    Raises:
        ManifestError: If a table is damaged.
    """

    def __init__(self, workdir: Path, sheets: Sheets) -> None:
        manifests = workdir / MANIFESTS
        path = manifests / "rejects.parquet"
        self._clips = list(storage.read_rows(path)) if path.is_file() else []
        self._frames, self._counts = _unusable(manifests)
        pictures = _middle_frames(workdir, [row["id"] for row in self._clips])
        self._clip_sheet = _ask(sheets, list(pictures))
        for name, picture in pictures.items():
            sheets.give(name, picture)
        self._frame_sheet = _ask(sheets, [row["name"] for row in self._frames])
        self._sheets = sheets

    def json(self) -> dict[str, Any]:
        """Counts by reason, the clips and frames; a picture is ``[sheet, cell]``, cell -1 for none."""
        reasons = Counter((row["stage"], row["reason"]) for row in self._clips)
        return {
            "reasons": [[stage, reason, count] for (stage, reason), count in sorted(reasons.items())],
            "clips": [
                {
                    **{key: row[key] for key in ("id", "stage", "reason", "detail")},
                    "picture": self._cell(self._clip_sheet, f"rejected {row['id']}"),
                }
                for row in self._clips[:N_LISTED]
            ],
            "statuses": sorted(self._counts.items()),
            "frames": [
                {**row, "picture": self._cell(self._frame_sheet, row["name"])} for row in self._frames
            ],
        }

    def _cell(self, sheet: int | None, picture: str) -> list[int]:
        return [-1, -1] if sheet is None else [sheet, self._sheets.cell_of(sheet, picture)]


def _ask(sheets: Sheets, names: Sequence[str]) -> int | None:
    return sheets.want(names, side_px=SIDE_PX)[0] if names else None


def _unusable(manifests: Path) -> tuple[list[dict[str, Any]], Counter[str]]:
    """Frames of the image set without a usable face, one per clip, and their number by status."""
    counts: Counter[str] = Counter()
    seen: set[str] = set()
    shown: list[dict[str, Any]] = []
    for path in sorted((manifests / "faces").glob("*.parquet")):
        for row in storage.read_rows(path, ["clip_id", "frame_index", "role", "status"]):
            if row["role"] in ("image", "both") and row["status"] and row["status"] not in USABLE:
                counts[row["status"]] += 1
                if len(shown) < N_PICTURES and row["clip_id"] not in seen:
                    seen.add(row["clip_id"])
                    name = image_id(row["clip_id"], row["frame_index"])
                    shown.append({"name": name, "clip": row["clip_id"], "status": row["status"]})
    return shown, counts


def _middle_frames(workdir: Path, clip_ids: Sequence[str]) -> dict[str, Picture]:
    """``rejected <clip>`` to a frame from the middle of the clip, for videos that can be read."""
    paths, root = _video_paths(workdir) if clip_ids else ({}, workdir)
    frames: dict[str, Picture] = {}
    for clip in clip_ids:
        if clip in paths and len(frames) < N_PICTURES:
            if is_away(root, paths[clip].relative_to(root).as_posix()):
                continue
            try:
                with open_video(paths[clip]) as reader:
                    for frame in reader.frames([reader.info.n_frames // 2]):
                        frames[f"rejected {clip}"] = frame.rgb()
            except FgbenchError:
                continue  # listed without a picture, with the reason of its rejection
    return frames


def _video_paths(workdir: Path) -> tuple[dict[str, Path], Path]:
    """Clip to its video, for the clips that ingest could read; and the root of the data set."""
    try:
        root = read_origin(workdir)[1].resolve()
    except ManifestError:
        return {}, workdir  # the pictures are left out
    paths = {}
    stages = read_index(workdir).get("origin", {}).get("stages", {})
    for bucket, fingerprint in stages.get("ingest", {}).items():
        marker = find_marker(workdir, "ingest", int(bucket), fingerprint)
        if marker is None or not marker.outputs[pipeline.ROWS]["rows"]:
            continue
        table = pipeline.stage_folder(workdir, "ingest") / marker.outputs[pipeline.ROWS]["file"]
        for row in storage.read_rows(table, ["clip_id", "path"]):
            path = (root / row["path"]).resolve()
            if path.is_relative_to(root):
                paths[row["clip_id"]] = path
    return paths, root

"""Regions of MSAU-Net, and the part of the face that each is nearest to.

Reads ``regions.parquet`` of a run, and landmarks from the ``faces`` tables of the manifests.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.errors import ManifestError
from fgbench.faces.geometry import N_IBUG_POINTS, apply_transform
from fgbench.records import image_id
from fgbench.storage import read_rows

REGIONS = "regions.parquet"
GRID = 6
"""Rows and columns of the cells (paper section V-E: "6 x 6 grids")."""

# Shades of Okabe and Ito.
REGION_STYLES = (("#D55E00", "solid"), ("#009E73", "dashed"), ("#F0E442", "dotted"))
"""Colour and line of the first three regions: red, green and yellow as in the paper."""

PARTS = {"outline": (0, 17), "brows": (17, 27), "nose": (27, 36), "eyes": (36, 48), "mouth": (48, 68)}
"""Parts of the face: first landmark and the one after the last, iBUG order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A region of a face.

    Attributes:
        rank: 0 for the first.
        box_px: ``x0, y0, x1, y1`` in px of the 224 px face.
        cell: ``(row, column)`` on the grid of the last map, from the top left.
    """

    rank: int
    box_px: tuple[float, float, float, float]
    cell: tuple[int, int]


def read_regions(folder: Path, *, grid: int = GRID) -> dict[str, list[Region]]:
    """Regions of the test samples of a run, by sample id, by rank.

    Args:
        folder: Folder of the run.
        grid: Rows, and columns, of the last map of its network.

    Raises:
        ManifestError: If the file is missing or damaged, or a cell is off the grid.
    """
    path = folder / REGIONS
    if not path.is_file():
        raise ManifestError(f"{path} is missing", "train the network again with --force")
    by_sample: dict[str, list[Region]] = {}
    for row in read_rows(path, ["sample_id", "rank", "box", "cell"]):
        if any(value is None for value in (row["rank"], *(row["box"] or [None]), *(row["cell"] or [None]))):
            raise ManifestError(f"{path} has rows with gaps", "train the network again with --force")
        x0, y0, x1, y1 = row["box"]
        down, across = row["cell"]
        if not (0 <= down < grid and 0 <= across < grid):
            raise ManifestError(
                f"{path} has cell ({down}, {across}), expected 0 to {grid - 1}",
                "train the network again with --force",
            )
        region = Region(rank=row["rank"], box_px=(x0, y0, x1, y1), cell=(down, across))
        by_sample.setdefault(row["sample_id"], []).append(region)
    return {sample: sorted(regions, key=lambda region: region.rank) for sample, regions in by_sample.items()}


def first_cells(regions: Mapping[str, list[Region]], samples: Collection[str]) -> npt.NDArray[np.int64]:
    """(6, 6) int64 number of samples that take each cell first; rows from the top."""
    counts = np.zeros((GRID, GRID), np.int64)
    for sample in samples:
        counts[regions[sample][0].cell] += 1
    return counts


def read_landmarks(files: Collection[Path], samples: Collection[str]) -> dict[str, npt.NDArray[np.float64]]:
    """Landmarks of some images in px of the 224 px face, (68, 2) each; those without 68 are left out.

    Args:
        files: The ``faces`` tables.
        samples: Ids of original images.

    Raises:
        ManifestError: If a table is missing or damaged.
    """
    landmarks = {}
    for path in files:
        for row in read_rows(path, ["clip_id", "frame_index", "landmarks", "transform"]):
            name = image_id(row["clip_id"], row["frame_index"])
            points = _points(row)
            if name in samples and points is not None:
                landmarks[name] = points
    return landmarks


def part_of(region: Region, landmarks: npt.NDArray[np.float64]) -> str:
    """Part of the face whose landmark is nearest to the centre of a region's box.

    Args:
        region: The region.
        landmarks: (68, 2) in px of the face.
    """
    x0, y0, x1, y1 = region.box_px
    away = np.hypot(landmarks[:, 0] - (x0 + x1 - 1) / 2, landmarks[:, 1] - (y0 + y1 - 1) / 2)
    nearest = int(np.argmin(away))
    return next(name for name, (begin, end) in PARTS.items() if begin <= nearest < end)


def _points(row: Mapping[str, Any]) -> npt.NDArray[np.float64] | None:
    if row["landmarks"] is None or row["transform"] is None:
        return None
    points = np.asarray(row["landmarks"], np.float64).reshape(-1, 2)
    if len(points) != N_IBUG_POINTS or not np.isfinite(points).all():
        return None
    return apply_transform(np.asarray(row["transform"], np.float64).reshape(2, 3), points)

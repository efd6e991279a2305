"""Features without a work folder: ``fgbench.lbp`` of faces, ``fgbench.dense_trajectories`` of videos."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fgbench.api.arguments import is_whole, path_of, shown
from fgbench.api.faces import Face
from fgbench.api.progress import Shown, bars
from fgbench.api.sections import section
from fgbench.config import LbpConfig
from fgbench.errors import ArgumentError, ConfigError

if TYPE_CHECKING:
    from fgbench.features.dense_trajectories import Trajectories
    from fgbench.features.trajectory_file import TrajectoryFile


def lbp(
    faces: Face | npt.NDArray[np.uint8] | Sequence[Face | npt.NDArray[np.uint8]],
    *,
    settings: LbpConfig | Mapping[str, Any] | None = None,
) -> npt.NDArray[np.float32]:
    """Return histograms of local binary patterns of faces, as ``fgbench prepare`` computes them.

    Args:
        faces: N faces of :func:`fgbench.align`, or pictures of aligned faces, (S, S, 3) uint8 RGB or (S, S)
            uint8 grey. The grid covers dlib's square about a face of :func:`fgbench.align`, and all of a
            picture.
        settings: Section ``lbp`` of a recipe, or a dict of what differs from its defaults; ``None`` has the
            defaults (8 points, 7 x 6 cells).

    Returns:
        (N, D) float32, cells row by row; (D,) of a single face. The histogram of a cell adds up to 1.

    Raises:
        ConfigError: If a picture has another shape or type, or is too small for the grid; or what is given is
            no face.
    """
    if isinstance(faces, Face) or (isinstance(faces, np.ndarray) and _is_single(faces)):
        histograms: npt.NDArray[np.float32] = lbp([faces], settings=settings)[0]
        return histograms
    from fgbench.features.lbp import length

    config = section("lbp", settings, LbpConfig)
    given: object = faces
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable) or _has_no_rows(given):
        raise ConfigError(
            f"{shown(given)} is no face, expected those of fgbench.align or pixels",
            "align the picture first: fgbench.align; it gives None where there is no face",
        )
    rows = [_histograms(face, config) for face in given]
    return np.stack(rows) if rows else np.empty((0, length(config)), np.float32)


def dense_trajectories(video: str | os.PathLike[str], *, max_side_px: int = 320) -> Trajectories:
    """Return the dense trajectories of a whole video with their descriptors (Wang et al., 2013).

    Args:
        video: Its path.
        max_side_px: Longer side that larger frames are reduced to; 0 keeps their size.

    Returns:
        Arrays with a row per trajectory; coordinates are px of the frames as they were reduced.

    Raises:
        ConfigError: If the longer side is below 0.
        MediaError: If the file cannot be read, or its frames are smaller than 32 px when reduced.
    """
    from fgbench.features.dense_trajectories import dense_trajectories as of_frames
    from fgbench.features.trajectory_file import reduced_frames, reduced_size
    from fgbench.media.video import open_video

    if not is_whole(max_side_px) or max_side_px < 0:
        raise ConfigError(
            f"longer side of {shown(max_side_px)} px, expected at least 0", "e.g. 320; 0 keeps the size"
        )
    with open_video(path_of("video", video, example="'clip.mp4'")) as reader:
        size = reduced_size(reader.info.width, reader.info.height, int(max_side_px))
        return of_frames(reduced_frames(reader.frames(), size))


def _has_no_rows(given: object) -> bool:
    """Return whether something is a table, which lists its columns, or an array without rows."""
    return hasattr(given, "columns") or getattr(given, "ndim", 1) == 0


def write_trajectories(
    video: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    max_side_px: int | None = None,
    force: bool = False,
    progress: Shown = None,
) -> TrajectoryFile:
    """Write the dense trajectories of a video to a Parquet file, which appears when it is complete.

    Columns are those of the features of a work folder: a row per trajectory, float16 descriptors (TRAJ, HOG,
    HOF, MBHx, MBHy).

    Args:
        video: Its path; the name without suffix is the clip's id.
        out: The file; ``None``: ``<name>.dense_trajectories.parquet`` in the current folder.
        max_side_px: Longer side that larger frames are reduced to; 0 keeps their size; ``None``: as in the
            recipes (320).
        force: Whether a file that is there is replaced.
        progress: Whether bars are shown; ``None``: in terminals and notebooks; or a function that is called
            with a name, the number done, and the total.

    Raises:
        ArgumentError: If the file is there, or a folder.
        ConfigError: If the file is the video itself.
        MediaError: If the video cannot be read, or its frames are smaller than 32 px when reduced.
        ResourceError: If the file cannot be written.
    """
    from fgbench.config import DenseTrajectoriesConfig
    from fgbench.features.trajectory_file import write_trajectory_file

    source = Path(video)
    target = Path(f"{source.stem}.dense_trajectories.parquet") if out is None else Path(out)
    if target.is_dir():
        raise ArgumentError(f"{target} is a folder, expected the name of a file", argument="out")
    if target.exists() and source.exists() and target.samefile(source):
        raise ConfigError(
            f"{target} is the video itself, expected another file for the table", "name another file"
        )
    if target.exists() and not force:
        raise ArgumentError(f"{target} is there already", "force replaces it", argument="out")
    side_px = DenseTrajectoriesConfig().max_side_px if max_side_px is None else max_side_px
    with bars(progress) as update:
        return write_trajectory_file(
            source, target, max_side_px=side_px, progress=lambda done, total: update("frames", done, total)
        )


def _is_single(faces: npt.NDArray[np.uint8]) -> bool:
    return faces.ndim == 2 or (faces.ndim == 3 and faces.shape[2] == 3)


def _histograms(face: Face | npt.NDArray[np.uint8], config: LbpConfig) -> npt.NDArray[np.float32]:
    from fgbench.features.lbp import lbp_histograms
    from fgbench.preparation.stages.lbp import grid

    if face is None:
        raise ConfigError("None is among the faces", "leave out pictures in which fgbench.align finds none")
    chip = face.chip if isinstance(face, Face) else np.asarray(face)
    position = {"landmarks": face.landmarks, "transform": face.transform} if isinstance(face, Face) else None
    radius_px, area = grid(position, config, chip.shape[0] if chip.ndim else 0)
    try:
        histograms: npt.NDArray[np.float32] = lbp_histograms(
            _grey(chip)[None], config, radius_px=radius_px, area=area
        )[0]
    except ValueError as error:
        raise ConfigError(str(error), "give aligned faces, uint8, e.g. those of fgbench.align") from error
    return histograms


def _grey(chip: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    if chip.ndim != 3 or chip.shape[2] != 3 or chip.dtype != np.uint8:
        return chip
    import cv2

    grey: npt.NDArray[np.uint8] = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY)
    return grey

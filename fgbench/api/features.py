"""``fgbench.lbp`` and ``fgbench.dense_trajectories``: features of faces and videos, without a work folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fgbench.api.arguments import is_whole, path_of, shown
from fgbench.api.faces import Face
from fgbench.api.sections import section
from fgbench.config import LbpConfig
from fgbench.errors import ConfigError

if TYPE_CHECKING:
    from fgbench.features.dense_trajectories import Trajectories


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

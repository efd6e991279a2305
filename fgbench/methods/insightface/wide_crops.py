"""Crops of :mod:`fgbench.methods.insightface.crops`, cut from the wider faces of stage ``wide_faces``.

Reads ``manifests/features/wide_faces``, ``manifests/faces`` and ``manifests/images`` (parameters of copies).
A copy is made here from the wider face as stage ``augment`` makes it from the stored one: the same turn,
scale and, where the stored face lies, the same noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from pydantic import ValidationError
from torch import Tensor

from fgbench.callbacks import Progress, ignore
from fgbench.config import WideFacesConfig
from fgbench.errors import ManifestError
from fgbench.faces.geometry import Transform, apply_transform, compose, invert
from fgbench.inputs.manifest_pictures import FACE_PX, Pixels
from fgbench.media.images import decode
from fgbench.methods.insightface.crops import CROP_PX, copies_of, crop_transform, landmark_rows, warp_crop
from fgbench.preparation.augmentation import Augmentation, movement
from fgbench.records import image_id
from fgbench.storage import read_rows
from fgbench.workfolders.folder import read_origin

TABLE = "features/wide_faces"
"""Folder of the wider faces, below the manifests."""

_TOGETHER = 64


def load_wide_crops(
    manifests: Path,
    sample_ids: Sequence[str],
    *,
    device: torch.device,
    jobs: int = 1,
    progress: Progress = ignore,
) -> Tensor:
    """Load the crops of the image set, (N, 3, 112, 112) uint8 RGB on the device, in the order of the ids.

    Args:
        manifests: Folder of the manifests.
        sample_ids: Ids of the image set, of copies too, none twice.
        device: Device to put them on.
        jobs: Threads that decode.
        progress: Called as pictures are decoded.

    Raises:
        ManifestError: If a sample has no wider face, or the manifests are missing or damaged.
        MediaError: If a picture cannot be decoded.
    """
    copies = copies_of(manifests, set(sample_ids))
    samples: dict[str, list[tuple[int, Augmentation | None]]] = {}
    for index, name in enumerate(sample_ids):
        parent, augmentation = copies.get(name, (name, None))
        samples.setdefault(parent, []).append((index, augmentation))
    faces = landmark_rows(manifests, set(samples))
    crops = torch.empty((len(sample_ids), 3, CROP_PX, CROP_PX), dtype=torch.uint8)
    left = set(samples)
    rows = (row for row in wide_rows(manifests) if row[0] in left)

    def work(row: tuple[str, Mapping[str, Any]]) -> str:
        name, wide = row
        for index, shown, points in wide_faces(wide, faces[name], samples[name]):
            crops[index] = torch.from_numpy(warp_crop(shown, crop_transform(points))).permute(2, 0, 1)
        return name

    with ThreadPoolExecutor(max(1, jobs), thread_name_prefix="decode") as pool:
        while block := list(islice(rows, _TOGETHER)):
            left.difference_update(pool.map(work, block))
            progress("decode", len(samples) - len(left), len(samples))
    if left:
        raise ManifestError(
            f"{len(left)} images have no wider face in {manifests / TABLE}, e.g. {min(left)}",
            "prepare the work folder with wide_faces enabled and faces.align: always; or set crops: stored "
            "in the recipe",
        )
    return crops.to(device)


def wide_margin(workdir: Path) -> float:
    """Return the margin of a work folder's wider faces at each side, as a share of the stored face's side.

    Raises:
        ManifestError: If it is no work folder, or its recipe is damaged.
    """
    recipe, _ = read_origin(workdir)
    try:
        return WideFacesConfig.model_validate(recipe.get("wide_faces") or {}).margin
    except ValidationError as error:
        raise ManifestError(
            f"the recipe of {workdir} does not tell how wide faces are", "run fgbench prepare again"
        ) from error


def wide_copy(
    wide: Pixels, augmentation: Augmentation, to_wide: Transform
) -> tuple[Pixels, npt.NDArray[np.float64]]:
    """Make an augmented copy of a wider face.

    Args:
        wide: (S, S, 3) uint8 RGB.
        augmentation: Augmentation of the stored face.
        to_wide: From the stored face to the wider one; a shift by whole px.

    Returns:
        The copy, and the (2, 3) movement from the wider face to it.
    """
    moved_face = movement(augmentation, width_px=FACE_PX, height_px=FACE_PX)
    moves = compose(compose(invert(to_wide), moved_face), to_wide)
    moved = cv2.warpAffine(
        wide, moves, wide.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    random = np.random.default_rng(augmentation.noise_seed)
    own = random.standard_normal((FACE_PX, FACE_PX, 3), dtype=np.float32)
    noise = random.standard_normal(wide.shape, dtype=np.float32)
    left, top = np.rint(to_wide[:, 2]).astype(int).tolist()
    noise[top : top + FACE_PX, left : left + FACE_PX] = own
    noisy = np.rint(moved + augmentation.noise_sigma * noise)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8), moves


def wide_faces(
    wide: Mapping[str, Any],
    face: tuple[Transform, npt.NDArray[np.float64]],
    samples: Sequence[tuple[int, Augmentation | None]],
) -> Iterator[tuple[int, Pixels, npt.NDArray[np.float64]]]:
    """Iterate over an original's wider face and its copies.

    Args:
        wide: A row of :func:`wide_rows`.
        face: Of the original, see :func:`fgbench.methods.insightface.crops.landmark_rows`.
        samples: Index and augmentation of each; ``None`` is the original itself.

    Yields:
        Index, wider face (S, S, 3) uint8 RGB, and its five points (5, 2) in px of it.
    """
    to_face, points = face
    to_wide = np.array(wide["transform"], np.float64).reshape(2, 3)
    shift = compose(invert(to_face), to_wide)
    picture = decode(wide["image"]["bytes"])
    moved = apply_transform(to_wide, points)
    for index, augmentation in samples:
        shown, shown_points = picture, moved
        if augmentation is not None:
            shown, moves = wide_copy(picture, augmentation, shift)
            shown_points = apply_transform(moves, moved)
        yield index, shown, shown_points


def wide_rows(manifests: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Iterate over ids of images and rows of the table of wider faces, in the order of storage.

    Raises:
        ManifestError: If a table is damaged.
    """
    for path in sorted((manifests / TABLE).glob("*.parquet")):
        for row in read_rows(path, ["clip_id", "frame_index", "transform", "image"]):
            yield image_id(row["clip_id"], row["frame_index"]), row

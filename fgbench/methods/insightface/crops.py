"""The crops that InsightFace's networks take: 112 x 112, aligned by eyes, nose and corners of the mouth.

Reads ``manifests/faces/*.parquet`` (landmarks and transforms) and ``manifests/images/*.parquet`` (faces,
parameters of copies). Coordinates are px, the centre of the top left pixel at (0, 0).

Crops are cut from the wider faces of stage ``wide_faces`` (:mod:`fgbench.methods.insightface.wide_crops`);
or, where a recipe says ``crops: stored``, from the stored 224 px faces, which needs no videos. What the
latter costs, against crops averaged from the video frame (a face of each of 40 drawn clips / of 3 clips of
real faces, stored in dlib's geometry with a padding of 0.25): inside the stored face they differ by 1.1 / 1.0
grey levels on average, about as much as InsightFace's own unfiltered sampling does (0.9 / 1.2). But 26 % / 24
% of a crop (at most 32 %), most of it above the brows, lies outside the stored face. The border is continued
there, so that whole crops differ by 5.8 / 9.7 grey levels (left black: 30 / 26). Of faces stored in geometry
``face`` 21 % / 22 % of a crop lie outside (at most 25 % / 31 %; 33 drawn clips, 3 clips of real faces).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fgbench.callbacks import Progress, ignore
from fgbench.errors import ManifestError
from fgbench.faces.geometry import (
    N_FIVE_POINTS,
    N_IBUG_POINTS,
    Floats,
    Transform,
    apply_transform,
    chip_frame,
    compose,
    mean_face,
    similarity,
)
from fgbench.inputs.image_set import decode_all
from fgbench.inputs.manifest_pictures import FACE_PX, Pixels, decode_face, find_images
from fgbench.preparation.augmentation import Augmentation, movement
from fgbench.records import image_id
from fgbench.storage import read_rows

CROP_PX = 112
"""Side of the crops."""

TEMPLATE = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
"""Positions of the points in a crop: eye on the left of the picture, eye on the right, tip of the nose,
corners of the mouth (``arcface_dst`` in deepinsight/insightface,
python-package/insightface/utils/face_align.py)."""

_LEFT_EYE, _RIGHT_EYE = slice(36, 42), slice(42, 48)
_NOSE, _MOUTH_LEFT, _MOUTH_RIGHT = 30, 48, 54
_OVERSAMPLED = 2


def five_points(landmarks: Floats) -> npt.NDArray[np.float64]:
    """Return the centres of both eyes, tip of the nose and corners of the mouth, (5, 2) float64.

    dlib's 5-point model gives corners of the eyes and the base of the nose only: then the points are those of
    dlib's mean face, aligned to the model's points.

    Args:
        landmarks: (68, 2) points in iBUG order, or (5, 2) points of dlib's 5-point model.

    Raises:
        ValueError: If there are neither 68 nor 5 points.
    """
    if landmarks.shape == (N_FIVE_POINTS, 2):
        mean = np.full((N_IBUG_POINTS, 2), np.nan)
        mean[N_IBUG_POINTS - len(mean_face()) :] = mean_face()
        return apply_transform(chip_frame(landmarks), five_points(mean))
    if landmarks.shape != (N_IBUG_POINTS, 2):
        raise ValueError(f"landmarks of shape {landmarks.shape}, expected (68, 2) or (5, 2)")
    eyes = [landmarks[eye].mean(axis=0, dtype=np.float64) for eye in (_LEFT_EYE, _RIGHT_EYE)]
    return np.array([*eyes, *landmarks[[_NOSE, _MOUTH_LEFT, _MOUTH_RIGHT]].astype(np.float64)])


def crop_transform(points: Floats) -> Transform:
    """Return the similarity (2, 3) from the picture of the points to the crop, fitted by least squares.

    Args:
        points: (5, 2), as :func:`five_points` returns.
    """
    return similarity(points, np.array(TEMPLATE))


def crop_transforms(manifests: Path, sample_ids: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the similarities from stored faces to crops, (N, 2, 3) float64, in the order of the ids.

    Args:
        manifests: Folder of the manifests.
        sample_ids: Ids of the image set, of copies too.

    Raises:
        ManifestError: If a face has no landmarks, or the manifests are missing or damaged.
    """
    wanted = set(sample_ids)
    copies = copies_of(manifests, wanted)
    parents = wanted - copies.keys() | {parent for parent, _ in copies.values()}
    faces = landmark_rows(manifests, parents, needed=False)
    points = {name: apply_transform(transform, five) for name, (transform, five) in faces.items()}
    transforms = np.empty((len(sample_ids), 2, 3))
    for row, name in enumerate(sample_ids):
        parent, augmentation = copies.get(name, (name, None))
        if parent not in points:
            raise _without_landmarks(name, parent)
        moved = points[parent]
        if augmentation is not None:
            moved = apply_transform(movement(augmentation, width_px=FACE_PX, height_px=FACE_PX), moved)
        transforms[row] = crop_transform(moved)
    return transforms


def warp_crop(face: Pixels, transform: Transform) -> Pixels:
    """Crop a face: sampled bilinearly with twice the resolution, then averaged over 2 x 2 pixels.

    Outside the picture its edge is continued; black, as in InsightFace, would put strong edges into the crop.

    Args:
        face: (H, W, 3) uint8, of any order of colours.
        transform: (2, 3), from the face to the crop.

    Returns:
        (112, 112, 3) uint8, of the same order of colours.
    """
    half = (_OVERSAMPLED - 1) / 2  # centres of the small pixels about that of a large one
    finer = np.array([[_OVERSAMPLED, 0.0, half], [0.0, _OVERSAMPLED, half]])
    side = _OVERSAMPLED * CROP_PX
    warped = cv2.warpAffine(
        face,
        compose(transform, finer),
        (side, side),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    crop: Pixels = cv2.resize(warped, (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA)
    return crop


def load_crops(
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
        sample_ids: Ids, none twice.
        device: Device to put them on.
        jobs: Threads that decode.
        progress: Called as pictures are decoded.

    Raises:
        ManifestError: If a sample has no picture or no landmarks, or the manifests are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
        ValueError: If an id comes twice.
    """
    transforms = dict(zip(sample_ids, crop_transforms(manifests, sample_ids), strict=True))
    return decode_all(
        find_images(manifests, sample_ids),
        device=device,
        jobs=jobs,
        progress=progress,
        decode=_cropper(transforms),
        side_px=CROP_PX,
    )


def _cropper(transforms: Mapping[str, Transform]) -> Callable[[Pixels, bytes, str], None]:
    def decode(planes: Pixels, data: bytes, name: str) -> None:
        crop = warp_crop(decode_face(data, name), transforms[name])
        cv2.split(crop, [planes[2], planes[1], planes[0]])

    return decode


def copies_of(manifests: Path, wanted: set[str]) -> dict[str, tuple[str, Augmentation]]:
    """Return the wanted ids that are copies, to their originals and parameters."""
    copies = {}
    for path in sorted((manifests / "images").glob("*.parquet")):
        for row in read_rows(path, ["image_id", "parent_id", "augmentation"]):
            if row["parent_id"] is not None and row["image_id"] in wanted:
                copies[row["image_id"]] = (row["parent_id"], Augmentation(**row["augmentation"]))
    return copies


def landmark_rows(
    manifests: Path, wanted: set[str], *, needed: bool = True
) -> dict[str, tuple[Transform, npt.NDArray[np.float64]]]:
    """Read the originals' landmarks: transform from the frame to the stored face, and :func:`five_points`.

    Args:
        manifests: Folder of the manifests.
        wanted: Ids of originals.
        needed: Whether all of them have to have landmarks.

    Raises:
        ManifestError: If one lacks landmarks that it has to have, or the manifests are missing or damaged.
    """
    faces = {}
    for path in sorted((manifests / "faces").glob("*.parquet")):
        for row in read_rows(path, ["clip_id", "frame_index", "landmarks", "transform"]):
            name = image_id(row["clip_id"], row["frame_index"])
            if name in wanted and row["landmarks"] is not None:
                landmarks = np.array(row["landmarks"], np.float64).reshape(-1, 2)
                filled = landmarks[np.isfinite(landmarks).all(axis=1)]
                faces[name] = (np.array(row["transform"], np.float64).reshape(2, 3), five_points(filled))
    if needed and wanted - faces.keys():
        name = min(wanted - faces.keys())
        raise _without_landmarks(name, name)
    return faces


def _without_landmarks(name: str, parent: str) -> ManifestError:
    return ManifestError(
        f"image {name} has no landmarks, expected those of {parent} in the table of faces",
        "prepare the work folder with faces.align: always, which finds them or says so",
    )

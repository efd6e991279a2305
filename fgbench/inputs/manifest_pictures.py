"""Finding, reading and decoding the pictures of the manifests.

Reads ``manifests/images/*.parquet``, ``manifests/faces/*.parquet`` and
``manifests/features/optical_flow/*.parquet``, a row group at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.errors import ManifestError, MediaError
from fgbench.records import image_id
from fgbench.runs.frames import table_parts
from fgbench.storage import open_table, read_rows

FACE_PX = 224
"""Side of the faces that networks take."""

FLOW = "features/optical_flow"
"""Table of the optical flow, below the manifests."""

_WHOLE = ((b"\xff\xd8", b"\xff\xd9"), (b"\x89PNG", b"IEND\xaeB`\x82"))  # first and last bytes of JPEG, PNG

Pixels = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stored:
    """Positions in the files of the pictures of N samples.

    Attributes:
        names: N ids, for messages.
        units: Files and indices of row groups that hold some of them, in the order of storage.
        indices: For each unit, the list indices of the samples that it holds, in the order of its rows.
        rows: For each unit, the rows of these samples in the row group.
    """

    names: Sequence[str]
    units: Sequence[tuple[Path, int]]
    indices: Sequence[Indices]
    rows: Sequence[Indices]

    def __len__(self) -> int:
        return len(self.names)


def image_ids(manifests: Path) -> frozenset[str]:
    """Return the ids of all pictures of the image set, copies included; frames without a face have none.

    Raises:
        ManifestError: If the manifests are missing or damaged.
    """
    paths = table_parts(manifests, "images")
    return frozenset(row["image_id"] for path in paths for row in read_rows(path, ["image_id"]))


def find_images(manifests: Path, sample_ids: Sequence[str]) -> Stored:
    """Find pictures of the image set by their ids.

    Args:
        manifests: Folder of the manifests.
        sample_ids: Ids, in any order, none twice.

    Raises:
        ManifestError: If one has no picture, or the manifests are missing or damaged.
        ValueError: If an id comes twice.
    """
    return _find(table_parts(manifests, "images"), ["image_id"], [(name,) for name in sample_ids], sample_ids)


def find_frames(manifests: Path, frames: Sequence[tuple[str, int]]) -> Stored:
    """Find faces of sampled frames by clip and frame number; names and errors as :func:`find_images`."""
    names = [image_id(clip_id, frame_index) for clip_id, frame_index in frames]
    return _find(table_parts(manifests, "faces"), ["clip_id", "frame_index"], frames, names)


def joined(parts: Sequence[tuple[Sequence[int], Stored]], names: Sequence[str]) -> Stored:
    """Join the positions of the pictures of several lists to one list.

    Args:
        parts: Indices in the whole list of the samples of each part, and their positions.
        names: Ids of the whole list.
    """
    in_whole = [np.asarray(indices, np.int64) for indices, _ in parts]
    lists = [stored for _, stored in parts]
    return Stored(
        names=names,
        units=[unit for stored in lists for unit in stored.units],
        indices=[own[part] for own, stored in zip(in_whole, lists, strict=True) for part in stored.indices],
        rows=[rows for stored in lists for rows in stored.rows],
    )


def find_fields(manifests: Path, pairs: Sequence[tuple[str, int]]) -> Stored:
    """Find optical flow by clip and number of the earlier frame; names and errors as :func:`find_images`."""
    names = [image_id(clip_id, frame_index) for clip_id, frame_index in pairs]
    return _find(table_parts(manifests, FLOW), ["clip_id", "frame_index"], pairs, names)


def flow_pairs(manifests: Path) -> frozenset[tuple[str, int]]:
    """Return clip and number of the earlier frame of all pairs of frames that have optical flow.

    Raises:
        ManifestError: If the manifests are missing or damaged.
    """
    paths = table_parts(manifests, FLOW)
    rows = (row for path in paths for row in read_rows(path, ["clip_id", "frame_index"]))
    return frozenset((row["clip_id"], row["frame_index"]) for row in rows)


def read_fields(
    stored: Stored, unit: int, wanted: npt.NDArray[np.bool_] | None = None
) -> list[tuple[bytes, bytes]]:
    """Read the encoded fields u and v of a unit; arguments and errors as of :func:`read_encoded`."""
    path, group = stored.units[unit]
    rows = stored.rows[unit] if wanted is None else stored.rows[unit][wanted]
    with open_table(path) as file:
        table = file.read_row_group(group, columns=["u", "v"]).take(rows)
    return list(zip(table.column("u").to_pylist(), table.column("v").to_pylist(), strict=True))


def read_encoded(stored: Stored, unit: int, wanted: npt.NDArray[np.bool_] | None = None) -> list[bytes]:
    """Read the encoded pictures of a unit, in the order of its samples.

    Args:
        stored: Their positions in the files.
        unit: Index of the unit.
        wanted: Mask of the samples to read; ``None`` reads all.

    Raises:
        ManifestError: If the file is missing or damaged, or a row has no picture.
    """
    path, group = stored.units[unit]
    rows, indices = stored.rows[unit], stored.indices[unit]
    if wanted is not None:
        rows, indices = rows[wanted], indices[wanted]
    with open_table(path) as file:
        column = file.read_row_group(group, columns=["image"]).column("image")
        encoded = [item and item["bytes"] for item in column.take(rows).to_pylist()]
    for index, data in zip(indices, encoded, strict=True):
        if data is None:
            raise ManifestError(
                f"{stored.names[index]} has no picture in {path}, expected a face",
                "run fgbench prepare again",
            )
    return encoded


def decode_into(planes: Pixels, data: bytes, name: str) -> None:
    """Decode a face into planes.

    Args:
        planes: (3, 224, 224), to be filled with R, G, B.
        data: Encoded picture.
        name: For messages.

    Raises:
        MediaError: If it is not a whole JPEG or PNG picture (reason ``unreadable_image``), or has another
            size (``wrong_size``).
    """
    cv2.split(decode_face(data, name), [planes[2], planes[1], planes[0]])


def decode_fields(planes: Pixels, data: tuple[bytes, bytes], name: str) -> None:
    """Decode the optical flow of a pair of frames into planes.

    Args:
        planes: (2, S, S), to be filled with the bytes of u and v; fields of another side are resized, their
            displacements stay in px of the fields that were stored.
        data: Encoded u and v.
        name: For messages.

    Raises:
        MediaError: If it is no picture (reason ``unreadable_image``).
    """
    side_px = planes.shape[-1]
    for plane, encoded in zip(planes, data, strict=True):
        is_whole = encoded is not None and encoded.startswith(_WHOLE[1][0]) and encoded.endswith(_WHOLE[1][1])
        field = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_GRAYSCALE) if is_whole else None
        if field is None:
            raise MediaError(
                f"the optical flow of {name} is not a whole picture, expected PNG",
                "fgbench check --repair, on the work folder, makes damaged files anew",
                reason="unreadable_image",
            )
        if field.shape != (side_px, side_px):
            shrinks = field.shape[0] > side_px
            field = cv2.resize(
                field, (side_px, side_px), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            )
        plane[:] = field


def decode_frame(planes: Pixels, data: bytes, name: str) -> None:
    """Decode a face into planes (3, S, S) of a side of at most 224 px; otherwise as :func:`decode_into`."""
    image, side_px = decode_face(data, name), planes.shape[-1]
    if side_px != FACE_PX:
        image = cv2.resize(image, (side_px, side_px), interpolation=cv2.INTER_AREA)
    cv2.split(image, [planes[2], planes[1], planes[0]])


def decode_face(data: bytes, name: str) -> Pixels:
    """Decode a face to (224, 224, 3) BGR; see :func:`decode_into`."""
    # Decoders fill missing parts with grey, so truncation is checked first.
    is_whole = any(data.startswith(start) and data.endswith(end) for start, end in _WHOLE)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if is_whole else None
    if image is None:
        raise MediaError(
            f"the {len(data)} bytes of image {name} are not a whole picture, expected JPEG or PNG",
            "fgbench check --repair, on the work folder, makes damaged files anew",
            reason="unreadable_image",
        )
    height, width = image.shape[:2]
    if (height, width) != (FACE_PX, FACE_PX):
        raise MediaError(
            f"image {name} is {width} x {height} px, expected {FACE_PX} x {FACE_PX}",
            f"set faces.chip_size to {FACE_PX} in the recipe and run fgbench prepare again",
            reason="wrong_size",
        )
    return image


Decode = Callable[[Pixels, Any, str], None]
"""Decodes data of a name into planes, as :func:`decode_into` and :func:`decode_fields` do."""

Read = Callable[[Stored, int, npt.NDArray[np.bool_] | None], Sequence[Any]]
"""Reads the encoded data of a unit, as :func:`read_encoded` and :func:`read_fields` do."""


def _find(
    paths: Sequence[Path], columns: list[str], keys: Sequence[tuple[Hashable, ...]], names: Sequence[str]
) -> Stored:
    wanted = {key: index for index, key in enumerate(keys)}
    if len(wanted) < len(keys):
        twice = next(name for index, name in enumerate(names) if wanted[keys[index]] != index)
        raise ValueError(f"sample {twice!r} comes twice, expected every sample once")
    units: list[tuple[Path, int]] = []
    indices: list[Indices] = []
    rows: list[Indices] = []
    missing = set(wanted)
    for path in paths:
        with open_table(path) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=columns)
                stored = list(zip(*(table.column(name).to_pylist() for name in columns), strict=True))
                here = [row for row, key in enumerate(stored) if key in missing]
                if here:
                    units.append((path, group))
                    rows.append(np.array(here, np.int64))
                    indices.append(np.array([wanted[stored[row]] for row in here], np.int64))
                    missing.difference_update(stored)
    if missing:
        lost = sorted(names[wanted[key]] for key in missing)
        raise ManifestError(
            f"{len(lost)} of {len(names)} samples have no picture in the manifests, e.g. {lost[0]!r}",
            "run fgbench prepare again",
        )
    return Stored(names=names, units=units, indices=indices, rows=rows)

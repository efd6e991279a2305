"""Frames and optical flow of clips by their index in a list: in memory, or read when they are needed.

Reads ``manifests/faces`` or ``manifests/features/optical_flow``.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from fgbench.callbacks import Progress
from fgbench.inputs.frame_choice import Ints
from fgbench.inputs.image_set import decode_all
from fgbench.inputs.manifest_pictures import (
    Decode,
    Read,
    Stored,
    decode_fields,
    decode_frame,
    find_fields,
    find_frames,
    read_encoded,
    read_fields,
)
from fgbench.inputs.resident import fits, take

Kind = Literal["rgb", "flow"]

CHANNELS: dict[Kind, int] = {"rgb": 3, "flow": 2}
"""Planes of a frame (red, green, blue), and of the flow of a pair (u, v)."""

_CHUNK = 16  # pictures per task of a thread


class FrameRows(Protocol):
    """Pictures of a list, by their indices in it."""

    def __len__(self) -> int: ...

    def take(self, rows: Ints) -> Tensor:
        """Return the pictures of indices (n,), with repetitions: (n, C, S, S) uint8, on the device."""


class HeldRows:
    """Pictures in memory.

    Args:
        pictures: (N, C, S, S) uint8, on the device.
    """

    def __init__(self, pictures: Tensor) -> None:
        self._pictures = pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def take(self, rows: Ints) -> Tensor:
        """See :class:`FrameRows`."""
        return take(self._pictures, torch.from_numpy(rows).to(self._pictures.device))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadRows:
    """Pictures that are read and decoded when they are needed.

    Attributes:
        stored: Their positions in the files.
        kind: Kind of the pictures.
        side_px: Side that they are resized to.
        device: Device to put them on.
        jobs: Threads that decode; results do not depend on them.
        unit_of: (N,) unit of each picture.
        row_of: (N,) its position in the unit.
    """

    stored: Stored
    kind: Kind
    side_px: int
    device: torch.device
    jobs: int
    unit_of: Ints
    row_of: Ints

    def __len__(self) -> int:
        return len(self.stored)

    def take(self, rows: Ints) -> Tensor:
        """See :class:`FrameRows`."""
        wanted, back = np.unique(rows, return_inverse=True)
        read, decode = _CODECS[self.kind]
        shape = (len(wanted), CHANNELS[self.kind], self.side_px, self.side_px)
        pictures = torch.empty(shape, dtype=torch.uint8, pin_memory=self.device.type == "cuda")
        planes = pictures.numpy()
        units = self.unit_of[wanted]

        def work(indices: Ints, encoded: Sequence[object]) -> None:
            for index, data in zip(indices.tolist(), encoded, strict=True):
                decode(planes[index], data, self.stored.names[wanted[index]])

        with ThreadPoolExecutor(max(1, self.jobs), thread_name_prefix="decode") as pool:
            tasks = []
            for unit in np.unique(units).tolist():
                indices = np.flatnonzero(units == unit)
                inside = np.zeros(len(self.stored.indices[unit]), np.bool_)
                inside[self.row_of[wanted[indices]]] = True
                encoded = read(self.stored, unit, inside)
                # The unit has its own order of rows.
                indices = indices[np.argsort(self.row_of[wanted[indices]])]
                tasks += [
                    pool.submit(work, indices[start : start + _CHUNK], encoded[start : start + _CHUNK])
                    for start in range(0, len(indices), _CHUNK)
                ]
            for task in tasks:
                task.result()
        return pictures[torch.from_numpy(back)].to(self.device, non_blocking=True)


_CODECS: dict[Kind, tuple[Read, Decode]] = {
    "rgb": (read_encoded, decode_frame),
    "flow": (read_fields, decode_fields),
}


def open_rows(
    manifests: Path,
    frames: Sequence[tuple[str, int]],
    kind: Kind,
    *,
    side_px: int,
    device: torch.device,
    resident_mb: int,
    jobs: int,
    progress: Progress,
) -> FrameRows:
    """Open frames with usable faces, or the flow from each to the next: in memory if they fit, else read.

    Args:
        manifests: Folder of the manifests.
        frames: Clip and number of each frame, in the order of the rows.
        kind: ``"rgb"``: aligned faces; ``"flow"``: the flow that starts at the frame.
        side_px: Side that they are resized to.
        device: Device of the batches.
        resident_mb: MiB that decoded pictures may take.
        jobs: Threads that decode.
        progress: Called as pictures are decoded.

    Raises:
        ManifestError: If one has no picture, or the manifests are missing or damaged.
        MediaError: If a picture cannot be decoded, at the time of decoding.
    """
    stored = (find_frames if kind == "rgb" else find_fields)(manifests, frames)
    read, decode = _CODECS[kind]
    n_bytes = len(stored) * CHANNELS[kind] * side_px**2
    if fits(n_bytes, device=device, resident_mb=resident_mb):
        return HeldRows(
            decode_all(
                stored,
                device=device,
                jobs=jobs,
                progress=lambda _, done, of: progress(kind, done, of),
                decode=decode,
                read=read,
                channels=CHANNELS[kind],
                side_px=side_px,
            )
        )
    unit_of, row_of = np.zeros(len(stored), np.int64), np.zeros(len(stored), np.int64)
    for unit, indices in enumerate(stored.indices):
        unit_of[indices] = unit
        row_of[indices] = np.arange(len(indices))
    return ReadRows(
        stored=stored,
        kind=kind,
        side_px=side_px,
        device=device,
        jobs=jobs,
        unit_of=unit_of,
        row_of=row_of,
    )

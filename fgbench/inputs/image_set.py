"""The pictures and the classes of a list of samples, ready for training.

Reads the manifests of a work folder: JPEG or PNG faces, decoded by several threads. Encoded pictures are
held a row group (256) at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from fgbench.callbacks import Progress, ignore
from fgbench.inputs.batching import Source
from fgbench.inputs.manifest_pictures import (
    FACE_PX,
    Decode,
    Indices,
    Read,
    Stored,
    decode_into,
    find_images,
    read_encoded,
)
from fgbench.inputs.resident import Resident, fits
from fgbench.inputs.streaming import Streamed
from fgbench.runs.labels import LabelSet, fg33
from fgbench.runs.samples import Sample

_CHUNK = 16  # images per task of a thread


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImageSet:
    """N samples.

    Attributes:
        sample_ids: N ids.
        clip_ids: Clip of each.
        labels: (N,) int64 classes, as indices in the label set, on the device.
        basic: (N,) int64 upper classes, as indices in ``LabelSet.upper``, on the device; zeros where the
            label set has none.
        images: Their pictures, 3 x 224 x 224 uint8 RGB.
    """

    sample_ids: Sequence[str]
    clip_ids: Sequence[str]
    labels: Tensor
    basic: Tensor
    images: Source

    def __len__(self) -> int:
        return len(self.sample_ids)


def open_image_set(
    manifests: Path,
    samples: Sequence[Sample],
    *,
    device: torch.device,
    resident_mb: int,
    jobs: int,
    progress: Progress = ignore,
    labels: LabelSet | None = None,
) -> ImageSet:
    """Open samples of the image set with their pictures: in memory if they fit, else streamed from the disk.

    Args:
        manifests: Folder of the manifests.
        samples: Samples that have pictures, each once; see
            :func:`fgbench.inputs.manifest_pictures.image_ids`.
        device: Device of the batches.
        resident_mb: MiB that the pictures may take.
        jobs: Threads that decode.
        progress: Called as pictures are decoded.
        labels: The classes; ``None`` are the 33 leaves.

    Raises:
        ManifestError: If a sample has no picture, or the manifests are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
        UnknownLabelError: If a class is not in the label set.
    """
    fine, basic = class_targets([sample.label for sample in samples], labels)
    stored = find_images(manifests, [sample.sample_id for sample in samples])
    return ImageSet(
        sample_ids=tuple(sample.sample_id for sample in samples),
        clip_ids=tuple(sample.clip_id for sample in samples),
        labels=fine.to(device),
        basic=basic.to(device),
        images=open_source(stored, device=device, resident_mb=resident_mb, jobs=jobs, progress=progress),
    )


def open_source(
    stored: Stored,
    *,
    device: torch.device,
    resident_mb: int,
    jobs: int,
    progress: Progress = ignore,
) -> Source:
    """Open faces: in memory if they fit, else streamed; see :func:`open_image_set`."""
    if fits(len(stored) * 3 * FACE_PX**2, device=device, resident_mb=resident_mb):
        return Resident(decode_all(stored, device=device, jobs=jobs, progress=progress))
    return Streamed(stored, device=device, jobs=jobs)


def class_targets(names: Sequence[str], labels: LabelSet | None = None) -> tuple[Tensor, Tensor]:
    """Return classes and upper classes as numbers, two (N,) int64; zeros without upper classes.

    Args:
        names: N labels.
        labels: The label set; ``None`` are the 33 leaves.

    Raises:
        UnknownLabelError: If a class is not in the label set.
    """
    label_set = labels or fg33()
    fine = label_set.numbers(names)
    return torch.from_numpy(fine), torch.from_numpy(label_set.upper_numbers(fine))


def load_images(manifests: Path, sample_ids: Sequence[str], *, jobs: int = 1) -> Tensor:
    """Load pictures of the image set, (N, 3, 224, 224) uint8 RGB on the CPU, in the order of the ids.

    Raises:
        ManifestError: If one has no picture, or the manifests are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
        ValueError: If an id comes twice.
    """
    return decode_all(find_images(manifests, sample_ids), device=torch.device("cpu"), jobs=jobs)


def decode_all(
    stored: Stored,
    *,
    device: torch.device,
    jobs: int,
    progress: Progress = ignore,
    decode: Decode = decode_into,
    read: Read = read_encoded,
    channels: int = 3,
    side_px: int = FACE_PX,
) -> Tensor:
    """Decode all pictures.

    Args:
        stored: Their positions in the files.
        device: Device to put them on.
        jobs: Threads that decode.
        progress: Called with ``("decode", pictures done, pictures)``.
        decode: Fills the planes of one picture; called in several threads.
        read: Reads the encoded pictures of a unit.
        channels: Planes of a picture.
        side_px: Side of the planes.

    Returns:
        (N, channels, side_px, side_px) uint8, by default RGB, in the order of the list.

    Raises:
        ManifestError: If the manifests are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
    """
    images = torch.empty((len(stored), channels, side_px, side_px), dtype=torch.uint8, device=device)
    with ThreadPoolExecutor(max(1, jobs), thread_name_prefix="decode") as pool:
        done, begun = 0, None
        for unit in range(len(stored.units)):
            # A row group is read while the threads decode the one before.
            following = _begin(pool, stored, unit, images, decode, read)
            if begun is not None:
                done += _end(begun, images)
                progress("decode", done, len(stored))
            begun = following
        if begun is not None:
            progress("decode", done + _end(begun, images), len(stored))
    return images


@dataclass(frozen=True, slots=True, eq=False)
class _Begun:
    """A row group that is being decoded."""

    indices: Indices
    planes: Tensor
    tasks: Sequence[Future[None]]


def _begin(
    pool: ThreadPoolExecutor, stored: Stored, unit: int, images: Tensor, decode: Decode, read: Read
) -> _Begun:
    """Begin to decode a unit, into its rows of ``images`` on the CPU, else into a separate tensor."""
    encoded, indices = read(stored, unit, None), stored.indices[unit]
    direct = images.device.type == "cpu"
    target = images if direct else torch.empty((len(indices), *images.shape[1:]), dtype=torch.uint8)
    planes = target.numpy()
    rows = indices if direct else np.arange(len(indices))

    def work(start: int) -> None:
        for row in range(start, min(start + _CHUNK, len(indices))):
            decode(planes[rows[row]], encoded[row], stored.names[indices[row]])

    return _Begun(indices, target, [pool.submit(work, start) for start in range(0, len(indices), _CHUNK)])


def _end(begun: _Begun, images: Tensor) -> int:
    """Wait for a unit and copy it into its rows; return its number of pictures."""
    for task in begun.tasks:
        task.result()
    if begun.planes is not images:
        indices = torch.from_numpy(begun.indices).to(images.device)
        images.index_copy_(0, indices, begun.planes.to(images.device))
    return len(begun.indices)

"""Crops of a work folder for a frozen network, streamed in the order of storage.

Memory does not grow with their number. Reads ``manifests/images``; for crops of wider faces
``manifests/features/wide_faces`` and ``manifests/faces``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fgbench.errors import ManifestError
from fgbench.inputs.batching import Batch, Batches, Source
from fgbench.inputs.manifest_pictures import Pixels, find_images
from fgbench.inputs.streaming import Streamed
from fgbench.methods.insightface.crops import copies_of, crop_transform, landmark_rows, warp_crop
from fgbench.methods.insightface.wide_crops import TABLE, wide_faces, wide_rows
from fgbench.preparation.augmentation import Augmentation

_CPU = torch.device("cpu")

Cut = Callable[[Pixels, Any], Pixels]
"""Cuts a crop of a wider face, given its five points."""


def crop_source(manifests: Path, sample_ids: Sequence[str], *, crop: str, jobs: int) -> Source:
    """Return the crops of samples, uint8 RGB on the CPU.

    Args:
        manifests: Folder of the manifests.
        sample_ids: Ids of the image set, of copies too, none twice.
        crop: ``"stored"``, ``"arcface"`` or ``"wide"``.
        jobs: Threads that decode; results do not depend on them.

    Raises:
        ManifestError: If a sample has no picture, or the manifests are missing or damaged.
    """
    if crop == "stored":
        return Streamed(find_images(manifests, sample_ids), device=_CPU, jobs=jobs)
    return WideSource(manifests, sample_ids, cut=arcface_crop if crop == "arcface" else whole, jobs=jobs)


def arcface_crop(shown: Pixels, points: Any) -> Pixels:
    """Return the crop (112, 112, 3) of a wider face by its five points (5, 2)."""
    return warp_crop(shown, crop_transform(points))


def whole(shown: Pixels, _points: Any) -> Pixels:
    """Return a wider face as it is."""
    return shown


class WideSource:
    """Crops of wider faces; see :class:`fgbench.inputs.batching.Source`, without shuffling.

    Args:
        manifests: Folder of the manifests.
        sample_ids: Ids, none twice.
        cut: Cuts the crop of a face.
        jobs: Threads that decode.
    """

    def __init__(self, manifests: Path, sample_ids: Sequence[str], *, cut: Cut, jobs: int) -> None:
        copies = copies_of(manifests, set(sample_ids))
        self._samples: dict[str, list[tuple[int, Augmentation | None]]] = {}
        for index, name in enumerate(sample_ids):
            parent, augmentation = copies.get(name, (name, None))
            self._samples.setdefault(parent, []).append((index, augmentation))
        self._faces = landmark_rows(manifests, set(self._samples))
        self._n = len(sample_ids)
        self._manifests, self._cut, self._jobs = manifests, cut, max(1, jobs)

    def __len__(self) -> int:
        return self._n

    def batches(
        self, *, epoch: int, seed: int, batch: int, shuffle: bool, rank: int = 0, world: int = 1
    ) -> Batches:
        """Return batches in the order of storage; all of them in every process."""
        assert not shuffle, "crops are read once, in order"
        return _Stored(self, batch)

    def crops(self) -> Iterator[tuple[int, Pixels]]:
        """Iterate over indices and crops (S, S, 3) uint8 RGB; threads that decode ahead end with it.

        Raises:
            ManifestError: If samples have no wider face.
        """
        left = set(self._samples)
        pool = ThreadPoolExecutor(self._jobs, thread_name_prefix="decode")
        ahead: deque[Future[list[tuple[int, Pixels]]]] = deque()
        try:
            for name, wide in wide_rows(self._manifests):
                if name not in left:
                    continue
                left.discard(name)
                ahead.append(pool.submit(self._of, name, wide))
                if len(ahead) > 2 * self._jobs:
                    yield from ahead.popleft().result()
            while ahead:
                yield from ahead.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        if left:
            raise ManifestError(
                f"{len(left)} images have no wider face in {self._manifests / TABLE}, e.g. {min(left)}",
                "prepare the work folder with wide_faces enabled and faces.align: always; or take stored "
                "faces: --set input.crop=stored",
            )

    def _of(self, name: str, wide: Mapping[str, Any]) -> list[tuple[int, Pixels]]:
        faces = wide_faces(wide, self._faces[name], self._samples[name])
        return [(index, self._cut(shown, points)) for index, shown, points in faces]


@dataclass(frozen=True, slots=True, eq=False)
class _Stored:
    source: WideSource
    batch: int

    def __len__(self) -> int:
        return -(-len(self.source) // self.batch)

    def __iter__(self) -> Iterator[Batch]:
        held: list[tuple[int, Pixels]] = []
        for one in self.source.crops():
            held.append(one)
            if len(held) == self.batch:
                yield _batch(held)
                held = []
        if held:
            yield _batch(held)


def _batch(held: Sequence[tuple[int, Pixels]]) -> Batch:
    crops = np.stack([crop for _, crop in held]).transpose(0, 3, 1, 2)
    return Batch(
        torch.from_numpy(np.ascontiguousarray(crops)),
        torch.tensor([index for index, _ in held], dtype=torch.int64),
    )

"""The clips of a work folder for training or testing a clip network.

Reads ``manifests/faces`` and ``manifests/features/optical_flow`` (lists of frames).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from fgbench.inputs.frame_choice import Ints
from fgbench.inputs.image_set import class_targets
from fgbench.inputs.manifest_pictures import flow_pairs
from fgbench.records import IMAGE_ROLES
from fgbench.runs.frames import usable_frames
from fgbench.runs.labels import LabelSet
from fgbench.runs.samples import Sample

CLIP_ROLES = ("video", "both")
"""Roles of the frames of the video set."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClipSet:
    """N clips.

    Attributes:
        samples: The clips with their labels.
        labels: (N,) int64 classes, in the order of the label set, on the device.
        basic: (N,) int64 upper classes, on the device; zeros where the set has none.
        frames: Numbers of the frames with a usable face of each clip, ascending.
        near: Likewise of the image set's frames alone; all frames where a clip has none of these, or they
            were not requested.
        pairs: Numbers of the frames from which there is optical flow to the next, ascending.
    """

    samples: Sequence[Sample]
    labels: Tensor
    basic: Tensor
    frames: Sequence[Ints]
    near: Sequence[Ints]
    pairs: Sequence[Ints]

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def sample_ids(self) -> list[str]:
        """Ids of the clips."""
        return [sample.sample_id for sample in self.samples]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClipFrames:
    """The frames of the clips of a work folder.

    Attributes:
        frames: Clip to the numbers of its frames with a usable face, ascending.
        near: Likewise of those that the image set has too, near the key frame; empty if not requested.
        pairs: Clip to the numbers of the frames from which there is optical flow, ascending; empty if not
            requested.
    """

    frames: dict[str, Ints]
    near: dict[str, Ints]
    pairs: dict[str, Ints]

    @property
    def clip_ids(self) -> Collection[str]:
        """Ids of the clips with at least one usable face."""
        return self.frames.keys()

    def clip_set(self, samples: Sequence[Sample], labels: LabelSet, device: torch.device) -> ClipSet:
        """Return clips of the work folder, each with at least one usable face.

        Raises:
            UnknownLabelError: If a class is not in the label set.
        """
        fine, basic = class_targets([sample.label for sample in samples], labels)
        none = np.empty(0, np.int64)
        return ClipSet(
            samples=samples,
            labels=fine.to(device),
            basic=basic.to(device),
            frames=[self.frames[sample.clip_id] for sample in samples],
            near=[self.near.get(sample.clip_id, self.frames[sample.clip_id]) for sample in samples],
            pairs=[self.pairs.get(sample.clip_id, none) for sample in samples],
        )


def clip_frames(manifests: Path, *, flow: bool, near: bool = False) -> ClipFrames:
    """Read the frames of the video set of a work folder.

    Args:
        manifests: Folder of the manifests.
        flow: Whether to list optical flow too.
        near: Whether to list the frames that the image set has too.

    Raises:
        ManifestError: If the manifests are missing or damaged.
    """
    frames = usable_frames(manifests, roles=CLIP_ROLES)
    return ClipFrames(
        frames=_by_clip(frames),
        near=_by_clip(usable_frames(manifests, roles=IMAGE_ROLES) & frames) if near else {},
        pairs=_by_clip(flow_pairs(manifests)) if flow else {},
    )


def _by_clip(keys: Collection[tuple[str, int]]) -> dict[str, Ints]:
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for clip_id, frame_index in keys:
        numbers[clip_id].append(frame_index)
    return {clip_id: np.array(sorted(frames), np.int64) for clip_id, frames in sorted(numbers.items())}

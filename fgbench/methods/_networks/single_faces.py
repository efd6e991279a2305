"""Default properties of networks of single faces, and their input."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fgbench.methods.protocol import Task
from fgbench.models.receptive_field import FACE_PX
from fgbench.runs.labels import LabelSet
from fgbench.runs.weights import Trained


class OfStoredFaces:
    """Base of networks of stored faces; see :class:`fgbench.methods.protocol.FaceNetwork`."""

    __slots__ = ()

    @property
    def features(self) -> tuple[str, ...]:
        """Empty: it reads faces alone."""
        return ()

    @property
    def n_zooms(self) -> int:
        """0: it looks at the whole face alone."""
        return 0

    @property
    def takes_single_faces(self) -> bool:
        """True."""
        return True

    @property
    def needs_landmarks(self) -> bool:
        """False: it takes pictures as they are, too."""
        return False


class OfSingleFaces(OfStoredFaces):
    """Base of classifiers of stored faces; see :class:`fgbench.methods.protocol.ImageNetwork`.

    Attributes:
        labels: The classes, in the order of the probabilities.
    """

    __slots__ = ()

    labels: LabelSet

    @property
    def task(self) -> Task:
        """``"images"``."""
        return "images"

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities."""
        return self.labels.labels

    @property
    def upper(self) -> tuple[str, ...]:
        """Names of the upper classes; empty for a label set without."""
        return self.labels.upper


class _OfClips(Protocol):
    """A clip network whose classifier is used on single faces."""

    @property
    def trained(self) -> Trained: ...

    @property
    def device(self) -> torch.device: ...

    @property
    def labels(self) -> LabelSet: ...


class OfClipsOfOneFrame(OfStoredFaces):
    """Base of clip networks on single faces; see :class:`fgbench.methods.protocol.FaceNetwork`."""

    __slots__ = ()

    @property
    def _of_clips(self) -> _OfClips:
        """The clip network."""
        raise NotImplementedError

    @property
    def task(self) -> Task:
        """``"clips"``."""
        return "clips"

    @property
    def trained(self) -> Trained:
        """Its weights."""
        return self._of_clips.trained

    @property
    def device(self) -> torch.device:
        """Its device."""
        return self._of_clips.device

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities."""
        return self._of_clips.labels.labels

    @property
    def upper(self) -> tuple[str, ...]:
        """Names of the upper classes; empty for a label set without."""
        return self._of_clips.labels.upper


def face_tensor(faces: npt.NDArray[np.uint8]) -> Tensor:
    """Return faces (N, 224, 224, 3) uint8 as a tensor (N, 3, 224, 224) on the CPU.

    Raises:
        ValueError: If they have another shape or type.
    """
    check_faces(faces)
    return torch.from_numpy(np.ascontiguousarray(faces.transpose(0, 3, 1, 2)))


def check_faces(faces: npt.NDArray[np.uint8]) -> None:
    """Refuse arrays that are not stored faces, (N, 224, 224, 3) uint8.

    Raises:
        ValueError: If they have another shape or type.
    """
    if faces.dtype != np.uint8 or faces.shape[1:] != (FACE_PX, FACE_PX, 3):
        raise ValueError(f"faces of {faces.dtype} {faces.shape}, expected uint8 (N, {FACE_PX}, {FACE_PX}, 3)")

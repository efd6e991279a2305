"""What a trained network of a method offers, whatever it is made of: evaluation, prediction, export.

The package :mod:`fgbench.inference` knows networks by these protocols alone. The weights of a run tell the
kind of their network (``metadata["kind"]``); :mod:`fgbench.methods.protocol.kinds` finds the module of that
kind, whose ``open_trained(trained, device)`` builds the network in evaluation mode. What it gives is one of

- :class:`ImageNetwork` (``task`` is ``"images"``): classes of faces;
- :class:`ClipNetwork` (``"clips"``): classes of clips, and of single faces where it can;
- :class:`UnitNetwork` (``"units"``): action units of faces.

Pictures are RGB, uint8, 0 to 255. Faces are the stored ones: aligned, 224 x 224 px. Coordinates are px, the
centre of the top left pixel at (0, 0).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import torch

from fgbench.faces.geometry import Transform
from fgbench.inputs.batching import Source
from fgbench.media.video import Frame
from fgbench.methods.protocol.graph import Graph
from fgbench.runs.labels import LabelSet, fg33
from fgbench.runs.samples import Sample
from fgbench.runs.weights import Trained
from fgbench.training.context import Place

Floats = npt.NDArray[np.float32]
Task = Literal["images", "clips", "units"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a face lies in its picture.

    Attributes:
        frame: The picture.
        landmarks: (68, 2) or (5, 2) px of the picture; ``None`` where the picture was taken as it is.
        transform: (2, 3) from the picture to the stored face.
    """

    frame: Frame
    landmarks: Floats | None
    transform: Transform


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a network says of N faces, on the CPU.

    Attributes:
        fine: (N, K) probabilities of the classes; or (N, A) of action units, each by itself.
        basic_sum: (N, M) probabilities of the upper classes: sums over their classes; M is 0 for a label set
            without upper classes.
        basic_head: (N, M) probabilities by the network's own outputs for the upper classes; ``None`` if it
            has none.
        boxes: (N, n, 4) regions that it looked at again, strongest first: edges in px of the 224 px face; n
            is 0 for networks that look at the whole face alone.
    """

    fine: Floats
    basic_sum: Floats
    basic_head: Floats | None
    boxes: Floats

    @property
    def basic(self) -> Floats:
        """(N, M) probabilities of the upper classes: the network's own, else the sums."""
        return self.basic_sum if self.basic_head is None else self.basic_head

    @classmethod
    def of_classes(cls, fine: Floats, labels: LabelSet) -> Answer:
        """That of a network that tells classes alone, (N, K), without upper outputs and regions."""
        none = np.zeros((len(fine), 0, 4), np.float32)
        return cls(fine=fine, basic_sum=upper_sums(fine, labels), basic_head=None, boxes=none)


def upper_sums(fine: Floats, labels: LabelSet | None = None) -> Floats:
    """Probabilities of the upper classes (N, M) as sums over their classes (N, K); by default the leaves."""
    found: Floats = fine @ (labels or fg33()).upper_matrix()
    return found


class Opened(Protocol):
    """A trained network, in evaluation mode on its device."""

    @property
    def task(self) -> Task:
        """What it tells: classes of images or of clips, or action units."""

    @property
    def trained(self) -> Trained:
        """Where it is from."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes or units, in the order of the probabilities."""

    @property
    def features(self) -> tuple[str, ...]:
        """Stages of features that its evaluation reads, e.g. ``("optical_flow",)``."""

    def graph(self) -> Graph:
        """What ``fgbench export`` writes as ONNX; the network has to be on the CPU."""


class FaceNetwork(Opened, Protocol):
    """What tells of single faces: a network of images, a detector of action units, or a network of clips that
    can tell a class from one frame."""

    @property
    def upper(self) -> tuple[str, ...]:
        """Names of the upper classes; empty where there are none."""

    @property
    def n_zooms(self) -> int:
        """Regions that it looks at again."""

    @property
    def grey(self) -> bool:
        """Whether faces are to be shown to it without colour, as those that it was trained on."""

    @property
    def tells_faces(self) -> bool:
        """Whether it tells anything of a single face; one that does not is never asked."""

    @property
    def needs_landmarks(self) -> bool:
        """Whether a face has to be found: pictures that are taken as they are tell it nothing."""

    def ask(self, faces: npt.NDArray[np.uint8], placed: Sequence[Placed] = ()) -> Answer:
        """What it says of faces.

        Args:
            faces: (N, 224, 224, 3) uint8 RGB, aligned, as they are stored.
            placed: Where each lies in its picture, for networks that cut a crop of their own; N of them.

        Raises:
            ValueError: If faces have another shape or type, or the network wants places and gets none.
        """


def write_nothing(folder: Path) -> None:
    """What a network writes that keeps nothing beside its probabilities."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedImages:
    """What a network says of N samples of the image set.

    Attributes:
        probabilities: (N, K) float32.
        told: What the result tells of the network, besides its weights and data.
        write: Writes what is kept beside the probabilities into the folder of a run.
    """

    probabilities: Floats
    told: Mapping[str, Any] = field(default_factory=dict)
    write: Callable[[Path], None] = write_nothing


class ImageNetwork(FaceNetwork, Protocol):
    """Tells the class of a face."""

    @property
    def labels(self) -> LabelSet:
        """Its classes."""

    def check_data(self, place: Place) -> list[str]:
        """Refuse a work folder whose faces lie otherwise than those that were trained on.

        Returns:
            What has to be said of the result, e.g. that weights do not tell how their faces lay.

        Raises:
            ConfigError: If they do.
        """

    def predict(self, place: Place, samples: Sequence[Sample]) -> PredictedImages:
        """What it says of samples of the image set, in their order.

        Args:
            place: The work folder, with the network's device.
            samples: Each once, all with a usable face.

        Raises:
            ManifestError: If a sample has no picture, or the manifests are missing or damaged.
            MediaError: If a picture cannot be decoded or has another size.
        """


class PredictedClips(Protocol):
    """What a network says of N clips, on the CPU."""

    @property
    def streams(self) -> Mapping[str, Floats]:
        """By stream: (N, K) probabilities."""

    def fused(self, weight: float) -> Floats:
        """(N, K) probabilities of the streams together; the weight, 0 to 1, is that of the spatial one."""

    def fused_basic(self, weight: float) -> Floats:
        """(N, M) probabilities by the outputs for the upper classes; M is 0 without."""


class ClipReader(Protocol):
    """The clips of a work folder, as a network takes them."""

    @property
    def known(self) -> Collection[str]:
        """Ids of the clips with at least one usable face."""

    def predict(self, samples: Sequence[Sample]) -> PredictedClips:
        """What the network says of known clips, in their order.

        Raises:
            ManifestError: If the manifests are missing or damaged.
            MediaError: If a picture cannot be decoded or has another size.
        """

    def write(self, folder: Path, parts: Mapping[str, PredictedClips]) -> None:
        """Write each stream's probabilities of the parts (``"val"``, ``"test"``), as :meth:`predict` gave
        them, and what else is kept of them, into the folder of a run.

        Raises:
            ResourceError: If the folder cannot be written.
        """


class ClipNetwork(Opened, Protocol):
    """Tells the class of a clip by its streams."""

    @property
    def labels(self) -> LabelSet:
        """Its classes."""

    @property
    def streams(self) -> tuple[str, ...]:
        """Names of the streams: ``"spatial"``, ``"temporal"``, or both."""

    @property
    def fusion_weight(self) -> float:
        """Weight of the spatial stream, 0 to 1."""

    @property
    def told(self) -> Mapping[str, Any]:
        """What a result tells of the network, besides its weights and data."""

    @property
    def faces(self) -> FaceNetwork:
        """What tells the class of single faces, of pictures and frames; where the network needs movement, one
        that tells nothing."""

    def check_data(self, place: Place) -> list[str]:
        """Refuse a work folder whose faces lie, or whose optical flow was computed, otherwise than those that
        were trained on.

        Returns:
            What has to be said of the result, e.g. that weights do not tell how their faces lay.

        Raises:
            ConfigError: If they are.
        """

    def reader(self, place: Place) -> ClipReader:
        """The clips of a work folder.

        Raises:
            ManifestError: If the manifests are missing or damaged.
        """


class UnitNetwork(FaceNetwork, Protocol):
    """Tells the action units of a face."""

    def probabilities(self, images: Source) -> Floats:
        """Probabilities (N, A) of N faces, 3 x 224 x 224 uint8 RGB, in the order of the list.

        Raises:
            MediaError: If a picture cannot be decoded or has another size.
        """

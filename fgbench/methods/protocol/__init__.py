"""Protocols of trained networks: evaluation, prediction and export, for networks of any method.

The package :mod:`fgbench.inference` uses networks through these protocols alone. The weights of a run name
the kind of their network (``metadata["kind"]``); :mod:`fgbench.methods.protocol.kinds` finds the module of
that kind, whose ``open_trained(trained, device)`` builds the network in evaluation mode. It returns one of

- :class:`ImageNetwork` (``task`` is ``"images"``): classes of faces;
- :class:`ClipNetwork` (``"clips"``): classes of clips, and of single faces if it can;
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
from fgbench.training.context import TrainingContext

Floats = npt.NDArray[np.float32]
Task = Literal["images", "clips", "units"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FacePosition:
    """Position of a face in its picture.

    Attributes:
        frame: The picture.
        landmarks: (68, 2) or (5, 2) px of the picture; ``None`` where the picture was taken as it is.
        transform: (2, 3) from the picture to the stored face.
    """

    frame: Frame
    landmarks: Floats | None
    transform: Transform


@dataclass(frozen=True, slots=True, kw_only=True)
class FacePredictions:
    """Outputs of a network for N faces, on the CPU.

    Attributes:
        fine: (N, K) probabilities of the classes; or (N, A) of action units, each by itself.
        basic_sum: (N, M) probabilities of the upper classes: sums over their classes; M is 0 for a label set
            without upper classes.
        basic_head: (N, M) probabilities by the network's own outputs for the upper classes; ``None`` if it
            has none.
        boxes: (N, n, 4) regions that it zoomed into, strongest first: edges in px of the 224 px face; n
            is 0 for networks that do not zoom.
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
    def of_classes(cls, fine: Floats, labels: LabelSet) -> FacePredictions:
        """Return predictions of classes alone, (N, K): without upper outputs and regions."""
        none = np.zeros((len(fine), 0, 4), np.float32)
        return cls(fine=fine, basic_sum=upper_sums(fine, labels), basic_head=None, boxes=none)


def upper_sums(fine: Floats, labels: LabelSet | None = None) -> Floats:
    """Probabilities of the upper classes (N, M) as sums over their classes (N, K); by default the leaves."""
    sums: Floats = fine @ (labels or fg33()).upper_matrix()
    return sums


class Opened(Protocol):
    """A trained network, in evaluation mode on its device."""

    @property
    def task(self) -> Task:
        """Kind of its predictions: classes of images or of clips, or action units."""

    @property
    def trained(self) -> Trained:
        """Its weights."""

    @property
    def device(self) -> torch.device:
        """Its device."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes or units, in the order of the probabilities."""

    @property
    def features(self) -> tuple[str, ...]:
        """Stages of features that its evaluation reads, e.g. ``("optical_flow",)``."""

    def graph(self) -> Graph:
        """Return the graph that ``fgbench export`` writes as ONNX; the network has to be on the CPU."""


class FaceNetwork(Opened, Protocol):
    """Network of single faces: an image network, a detector of action units, or a clip network that can
    classify one frame."""

    @property
    def upper(self) -> tuple[str, ...]:
        """Names of the upper classes; empty where there are none."""

    @property
    def n_zooms(self) -> int:
        """Number of regions that it zooms into."""

    @property
    def grey(self) -> bool:
        """Whether its faces are grey, as those that it was trained on."""

    @property
    def takes_single_faces(self) -> bool:
        """Whether it can be asked of single faces."""

    @property
    def needs_landmarks(self) -> bool:
        """Whether it needs the landmarks of a detected face, and cannot take pictures as they are."""

    def predict_faces(
        self, faces: npt.NDArray[np.uint8], positions: Sequence[FacePosition] = ()
    ) -> FacePredictions:
        """Predict faces.

        Args:
            faces: (N, 224, 224, 3) uint8 RGB, aligned, as they are stored.
            positions: Position of each in its picture, for networks that cut their own crop; N of them.

        Raises:
            ValueError: If faces have another shape or type, or the network needs positions and gets none.
        """


def write_nothing(folder: Path) -> None:
    """Write nothing, for networks that keep only their probabilities."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedImages:
    """Predictions of N samples of the image set.

    Attributes:
        probabilities: (N, K) float32.
        details: Details of the result on the network, besides its weights and data.
        write: Writes further outputs into the folder of a run.
    """

    probabilities: Floats
    details: Mapping[str, Any] = field(default_factory=dict)
    write: Callable[[Path], None] = write_nothing


class ImageNetwork(FaceNetwork, Protocol):
    """Classifies faces."""

    @property
    def labels(self) -> LabelSet:
        """Its classes."""

    def check_data(self, context: TrainingContext) -> list[str]:
        """Refuse a work folder whose faces have another geometry than the training faces.

        Returns:
            Notes for the result, e.g. that weights do not state the geometry of their faces.

        Raises:
            ConfigError: If the geometry differs.
        """

    def predict(self, context: TrainingContext, samples: Sequence[Sample]) -> PredictedImages:
        """Predict samples of the image set, in their order.

        Args:
            context: Context of the run, with the network's device.
            samples: Each once, all with a usable face.

        Raises:
            ManifestError: If a sample has no picture, or the manifests are missing or damaged.
            MediaError: If a picture cannot be decoded or has another size.
        """


class PredictedClips(Protocol):
    """Predictions of N clips, on the CPU."""

    @property
    def streams(self) -> Mapping[str, Floats]:
        """By stream: (N, K) probabilities."""

    def fused(self, weight: float) -> Floats:
        """(N, K) probabilities of the streams together; the weight, 0 to 1, is that of the spatial one."""

    def fused_basic(self, weight: float) -> Floats:
        """(N, M) probabilities by the outputs for the upper classes; M is 0 without."""


class ClipReader(Protocol):
    """Reader of the clips of a work folder for a network."""

    @property
    def clip_ids(self) -> Collection[str]:
        """Ids of the clips with at least one usable face."""

    def predict(self, samples: Sequence[Sample]) -> PredictedClips:
        """Predict clips of :attr:`clip_ids`, in their order.

        Raises:
            ManifestError: If the manifests are missing or damaged.
            MediaError: If a picture cannot be decoded or has another size.
        """

    def write(self, folder: Path, parts: Mapping[str, PredictedClips]) -> None:
        """Write each stream's probabilities of the parts (``"val"``, ``"test"``), as :meth:`predict` returned
        them, and further outputs into the folder of a run.

        Raises:
            ResourceError: If the folder cannot be written.
        """


class ClipNetwork(Opened, Protocol):
    """Classifies clips by its streams."""

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
    def details(self) -> Mapping[str, Any]:
        """Details of a result on the network, besides its weights and data."""

    @property
    def faces(self) -> FaceNetwork:
        """Network of single faces, of pictures and frames; without ``takes_single_faces`` where movement is
        needed."""

    def check_data(self, context: TrainingContext) -> list[str]:
        """Refuse a work folder whose faces or optical flow have other settings than in training.

        Returns:
            Notes for the result, e.g. that weights do not state the geometry of their faces.

        Raises:
            ConfigError: If they differ.
        """

    def reader(self, context: TrainingContext) -> ClipReader:
        """Open the clips of a work folder.

        Raises:
            ManifestError: If the manifests are missing or damaged.
        """


class UnitNetwork(FaceNetwork, Protocol):
    """Detects action units of faces."""

    def probabilities(self, images: Source) -> Floats:
        """Probabilities (N, A) of N faces, 3 x 224 x 224 uint8 RGB, in the order of the list.

        Raises:
            MediaError: If a picture cannot be decoded or has another size.
        """

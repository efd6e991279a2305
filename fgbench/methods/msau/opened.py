"""A trained network of images, ready to be asked: faces in, classes and regions out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from pydantic import ValidationError
from torch import Tensor

from fgbench.config import NetworkConfig
from fgbench.errors import ManifestError
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.methods.msau.task import look
from fgbench.models.msau import MsauNet
from fgbench.models.receptive_field import FACE_PX
from fgbench.models.weights import check_classes, check_fit, load_into
from fgbench.runs.labels import FG33, LabelSet, fg33, named_labels
from fgbench.runs.weights import Trained

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a network says of N faces, on the CPU.

    Attributes:
        fine: (N, K) probabilities of the classes, the mean over scales.
        basic_sum: (N, M) probabilities of the upper classes: sums over their classes; M is 0 for a label set
            without upper classes.
        basic_head: (N, M) probabilities by the network's own outputs for the upper classes, the mean over
            scales; ``None`` if it has none.
        boxes: (N, n, 4) regions that it looked at again, strongest first: edges in px of the 224 px face.
    """

    fine: Floats
    basic_sum: Floats
    basic_head: Floats | None
    boxes: Floats

    @property
    def basic(self) -> Floats:
        """(N, M) probabilities of the upper classes: the network's own, else the sums."""
        return self.basic_sum if self.basic_head is None else self.basic_head


class FaceNetwork(Protocol):
    """What tells of a face: a network of images, or a detector of action units."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes or units, in the order of the probabilities."""

    @property
    def upper(self) -> tuple[str, ...]:
        """Names of the upper classes; empty where there are none."""

    @property
    def n_zooms(self) -> int:
        """Regions that it looks at again."""

    @property
    def trained(self) -> Trained:
        """Where it is from."""

    @property
    def preprocessing(self) -> Preprocessing:
        """From faces to what it sees."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    def ask(self, faces: npt.NDArray[np.uint8]) -> Answer:
        """What it says of faces (N, 224, 224, 3) uint8 RGB, aligned."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImageNetwork:
    """A trained network of images.

    Attributes:
        model: In evaluation mode, on the device.
        preprocessing: From faces to what it sees.
        trained: Where it is from.
        device: Where it computes.
        labels: The classes that it tells apart, in the order of the probabilities.
    """

    model: MsauNet
    preprocessing: Preprocessing
    trained: Trained
    device: torch.device
    labels: LabelSet

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities."""
        return self.labels.labels

    @property
    def upper(self) -> tuple[str, ...]:
        """Names of the upper classes; empty for a label set without."""
        return self.labels.upper

    @property
    def n_zooms(self) -> int:
        """Regions that it looks at again."""
        return self.model.config.zooms

    @property
    def has_basic_head(self) -> bool:
        """Whether it has outputs of its own for the upper classes."""
        return bool(self.trained.metadata["basic"])

    @torch.inference_mode()
    def ask(self, faces: npt.NDArray[np.uint8]) -> Answer:
        """Classes of faces.

        Args:
            faces: (N, 224, 224, 3) uint8 RGB, aligned.

        Raises:
            ValueError: If they have another shape or type.
        """
        seen = look(self.model, self.preprocessing, face_tensor(faces).to(self.device))
        fine = seen.probabilities
        return Answer(
            fine=fine,
            basic_sum=upper_sums(fine, self.labels),
            basic_head=seen.basic if self.has_basic_head else None,
            boxes=seen.boxes,
        )


def face_tensor(faces: npt.NDArray[np.uint8]) -> Tensor:
    """Faces (N, 224, 224, 3) uint8 as a tensor (N, 3, 224, 224) on the CPU.

    Raises:
        ValueError: If they have another shape or type.
    """
    if faces.dtype != np.uint8 or faces.shape[1:] != (FACE_PX, FACE_PX, 3):
        raise ValueError(f"faces of {faces.dtype} {faces.shape}, expected uint8 (N, {FACE_PX}, {FACE_PX}, 3)")
    return torch.from_numpy(np.ascontiguousarray(faces.transpose(0, 3, 1, 2)))


def upper_sums(fine: Floats, labels: LabelSet | None = None) -> Floats:
    """Probabilities of the upper classes (N, M) as sums over their classes (N, K); by default the leaves."""
    found: Floats = fine @ (labels or fg33()).upper_matrix()
    return found


def open_network(trained: Trained, device: torch.device) -> ImageNetwork:
    """Build the network that weights are of.

    Raises:
        ManifestError: If they are of another kind, for other classes, or do not fit the network that they
            tell of.
    """
    origin = str(trained.path)
    trained.require("image", purpose="(a network of images)")
    labels = labels_of(trained)
    upper = trained.metadata.get("basic")
    if upper not in ([], list(labels.upper)):
        raise ManifestError(
            f"the weights of {origin} have other upper classes: {upper}, expected {list(labels.upper)} or "
            "none",
            "take weights that were trained for these classes, or train the network anew",
        )
    try:
        config = NetworkConfig.model_validate(trained.metadata.get("network"))
    except ValidationError as error:
        raise ManifestError(
            f"the weights of {origin} do not tell of a network that this fgbench knows: "
            f"{error.error_count()} faults, the first: {error.errors()[0]['msg']}",
            "update fgbench, or train the network anew",
        ) from error
    preprocessing = Preprocessing.of_metadata(trained.metadata, origin)

    def made() -> MsauNet:
        return MsauNet(config, n_fine=len(labels.labels), n_basic=len(upper))

    check_fit(made, trained.state, origin=origin)
    model = made()
    load_into(model, trained.state, origin=origin)
    # As in training: sums of another order would differ in the last digit.
    model.to(device=device, memory_format=torch.channels_last)
    return ImageNetwork(
        model=model.eval(), preprocessing=preprocessing, trained=trained, device=device, labels=labels
    )


def labels_of(trained: Trained) -> LabelSet:
    """The label set that weights tell of: the 33 leaves unless they name another.

    Raises:
        ManifestError: If they tell of none, or of other classes than the set they name has.
    """
    name, origin = str(trained.metadata.get("scheme", FG33)), str(trained.path)
    if name == FG33:
        check_classes(trained.metadata, fg33().labels, origin=origin)
        return fg33()
    known = trained.metadata
    return named_labels(
        name, known.get("classes") or (), upper=known.get("upper"), origin=f"the weights of {origin}"
    )

"""A trained network of images, ready to be asked: faces in, classes and regions out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from pydantic import ValidationError

from fgbench.config import NetworkConfig
from fgbench.errors import ManifestError
from fgbench.evaluation.roles import SCHEME
from fgbench.models.msau import MsauNet
from fgbench.models.receptive_field import FACE_PX
from fgbench.models.weights import check_classes, load_into
from fgbench.taxonomy import basics, leaves, ontology
from fgbench.training.image_task import look
from fgbench.training.preprocessing import Preprocessing
from fgbench.training.trained import Trained

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a network says of N faces, on the CPU.

    Attributes:
        fine: (N, 33) probabilities of the leaves, the mean over scales.
        basic_sum: (N, 6) probabilities of the upper classes: sums over their leaves.
        basic_head: (N, 6) probabilities by the network's own outputs for the upper classes, the mean over
            scales; ``None`` if it has none.
        boxes: (N, n, 4) regions that it looked at again, strongest first: edges in px of the 224 px face.
    """

    fine: Floats
    basic_sum: Floats
    basic_head: Floats | None
    boxes: Floats

    @property
    def basic(self) -> Floats:
        """(N, 6) probabilities of the upper classes: the network's own, else the sums."""
        return self.basic_sum if self.basic_head is None else self.basic_head


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImageNetwork:
    """A trained network of images.

    Attributes:
        model: In evaluation mode, on the device.
        preprocessing: From faces to what it sees.
        trained: Where it is from.
        device: Where it computes.
    """

    model: MsauNet
    preprocessing: Preprocessing
    trained: Trained
    device: torch.device

    @property
    def classes(self) -> tuple[str, ...]:
        """The 33 leaves, in the order of the probabilities."""
        return ontology(SCHEME).labels

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
        if faces.dtype != np.uint8 or faces.shape[1:] != (FACE_PX, FACE_PX, 3):
            raise ValueError(
                f"faces of {faces.dtype} {faces.shape}, expected uint8 (N, {FACE_PX}, {FACE_PX}, 3)"
            )
        images = torch.from_numpy(np.ascontiguousarray(faces.transpose(0, 3, 1, 2)))
        seen = look(self.model, self.preprocessing, images.to(self.device))
        fine = seen.probabilities
        return Answer(
            fine=fine,
            basic_sum=upper_sums(fine),
            basic_head=seen.basic if self.has_basic_head else None,
            boxes=seen.boxes,
        )


def upper_matrix() -> npt.NDArray[np.float32]:
    """(33, 6) with 1 where a leaf lies under an upper class."""
    names = basics()
    matrix = np.zeros((len(leaves()), len(names)), np.float32)
    for row, item in enumerate(leaves()):
        matrix[row, names.index(item.basic)] = 1
    return matrix


def upper_sums(fine: Floats) -> Floats:
    """Probabilities of the upper classes (N, 6) as sums over their leaves (N, 33)."""
    found: Floats = fine @ upper_matrix()
    return found


def open_network(trained: Trained, device: torch.device) -> ImageNetwork:
    """Build the network that weights are of.

    Raises:
        ManifestError: If they are of another kind, for other classes, or do not fit the network that they
            tell of.
    """
    origin = str(trained.path)
    trained.require("image", purpose="(a network of images)")
    check_classes(trained.metadata, ontology(SCHEME).labels, origin=origin)
    upper = trained.metadata.get("basic")
    if upper not in ([], list(basics())):
        raise ManifestError(
            f"the weights of {origin} have other upper classes: {upper}, expected {list(basics())} or none",
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
    model = MsauNet(config, n_basic=len(upper))
    load_into(model, trained.state, origin=origin)
    # As in training: sums of another order would differ in the last digit.
    model.to(device=device, memory_format=torch.channels_last)
    return ImageNetwork(model=model.eval(), preprocessing=preprocessing, trained=trained, device=device)
